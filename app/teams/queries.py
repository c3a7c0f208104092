"""What the pages show of teams: lists and counts, each one statement however large the team."""

from dataclasses import dataclass
from datetime import datetime
from math import ceil

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app import clock
from app.errors import NotFound
from app.models import Invitation, Membership, Project, Share, Team, User
from app.notifications.events.catalogue import ROLES

MEMBERS_PER_PAGE = 50
MOST_LISTED = 100


@dataclass(frozen=True)
class TeamInList:
    id: int
    name: str
    role: str
    member_count: int


@dataclass(frozen=True)
class Member:
    id: int
    username: str
    role: str
    joined_at: datetime


@dataclass(frozen=True)
class MemberPage:
    """One page of those whose names contain what was searched for; `total` counts them all."""

    members: list[Member]
    total: int
    page: int
    pages: int


@dataclass(frozen=True)
class SharedProject:
    id: int
    name: str
    owner: str
    shared_at: datetime


@dataclass(frozen=True)
class Asked:
    """An invitation as its invitee sees it; `inviter` is None when that person has gone."""

    invitation: Invitation
    team_name: str
    inviter: str | None


async def teams_of(session: AsyncSession, user: User) -> list[TeamInList]:
    """The person's teams by name."""
    everyone = aliased(Membership)
    count = select(func.count()).where(everyone.team_id == Team.id).scalar_subquery()
    mine = (
        select(Team.id, Team.name, Membership.role, count)
        .join(Membership, Membership.team_id == Team.id)
        .where(Membership.user_id == user.id)
        .order_by(func.lower(Team.name), Team.id)
    )
    return [TeamInList(*row) for row in await session.execute(mine)]


async def members_of(session: AsyncSession, team_id: int, q: str = "", page: int = 1) -> MemberPage:
    """By rank, then by name; a page beyond the last is the last."""
    which = [Membership.team_id == team_id]
    if q:
        which.append(User.username_key.contains(q.casefold(), autoescape=True))
    people = select(User).join(Membership, Membership.user_id == User.id).where(*which)
    total = await session.scalar(people.with_only_columns(func.count())) or 0
    pages = max(1, ceil(total / MEMBERS_PER_PAGE))
    page = min(max(page, 1), pages)
    rows = (
        people.with_only_columns(User.id, User.username, Membership.role, Membership.joined_at)
        .order_by(_rank(), User.username_key)
        .limit(MEMBERS_PER_PAGE)
        .offset((page - 1) * MEMBERS_PER_PAGE)
    )
    members = [Member(*row) for row in await session.execute(rows)]
    return MemberPage(members, total, page, pages)


async def count_members(session: AsyncSession, team_id: int) -> int:
    everyone = select(func.count()).where(Membership.team_id == team_id)
    return await session.scalar(everyone) or 0


async def pending_invitations(session: AsyncSession, team_id: int) -> list[Invitation]:
    """The newest first; those that have expired can still be sent again or revoked."""
    pending = (
        select(Invitation)
        .where(Invitation.team_id == team_id, Invitation.status == "pending")
        .order_by(Invitation.expires_at.desc(), Invitation.id.desc())
        .limit(MOST_LISTED)
    )
    return list(await session.scalars(pending))


async def projects_shared_with(session: AsyncSession, team_id: int) -> list[SharedProject]:
    """The latest shared first, at most a hundred."""
    shared = (
        select(Project.id, Project.name, User.username, Share.created_at)
        .join(Share, Share.project_id == Project.id)
        .join(User, User.id == Project.owner_id)
        .where(Share.team_id == team_id)
        .order_by(Share.created_at.desc(), Project.id.desc())
        .limit(MOST_LISTED)
    )
    return [SharedProject(*row) for row in await session.execute(shared)]


async def read_invitation(session: AsyncSession, invitation_id: int) -> Asked:
    """Raises NotFound."""
    asked = (
        select(Invitation, Team.name, User.username)
        .join(Team, Team.id == Invitation.team_id)
        .join(User, User.id == Invitation.inviter_id, isouter=True)
        .where(Invitation.id == invitation_id)
    )
    row = (await session.execute(asked)).one_or_none()
    if row is None:
        raise NotFound
    return Asked(*row)


async def invitations_waiting_for(session: AsyncSession, user: User) -> list[Asked]:
    """Open invitations to the person's confirmed address, for the dashboard."""
    if not user.is_confirmed:
        return []
    waiting = (
        select(Invitation, Team.name, User.username)
        .join(Team, Team.id == Invitation.team_id)
        .join(User, User.id == Invitation.inviter_id, isouter=True)
        .where(
            Invitation.email_key == user.email_key,
            Invitation.status == "pending",
            Invitation.expires_at > clock.now(),
        )
        .order_by(Invitation.id.desc())
        .limit(MOST_LISTED)
    )
    return [Asked(*row) for row in await session.execute(waiting)]


def _rank() -> ColumnElement[int]:
    return case({role: place for place, role in enumerate(ROLES)}, value=Membership.role)
