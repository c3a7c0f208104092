"""Queries for the pages and the API of teams. One statement each, however large the team is."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, and_, bindparam, case, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.database.search import by_code_point, contains
from app.database.short_reads import columns_of, entity
from app.errors import NotFound
from app.models import Invitation, Membership, Project, Share, Team, User
from app.models.team import is_open
from app.notifications.events.catalogue import ROLES
from app.security import signer_of
from app.teams.invitation_links import invitation_path
from app.teams.open_invitations import with_team_and_inviter
from app.teams.roles import OWNER
from app.values.numbers import page_count

MEMBERS_PER_PAGE = 50
MAX_LISTED = 100


@dataclass(frozen=True)
class TeamInList:
    """`role` is that of the user whose list this is."""

    id: int
    name: str
    role: str
    owner_id: int
    owner: str
    member_count: int


@dataclass(frozen=True)
class Member:
    id: int
    username: str
    avatar: str | None
    role: str
    joined_at: datetime


@dataclass(frozen=True)
class MemberPage:
    """One page of the members that match a search; `total` counts all that match."""

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
class ReceivedInvitation:
    """An invitation as the invitee sees it. `inviter` is None once their account is deleted."""

    invitation: Invitation
    team_name: str
    inviter: str | None


async def teams_of(session: AsyncSession, user: User) -> list[TeamInList]:
    """The user's teams by name."""
    by_name = _teams().order_by(by_code_point(func.lower(Team.name)), Team.id)
    return [TeamInList(*row) for row in await session.execute(by_name, {"user_id": user.id})]


async def newest_teams_of(session: AsyncSession, user: User, limit: int) -> list[TeamInList]:
    """The teams that the user joined last."""
    rows = await session.execute(_newest_teams(), {"user_id": user.id, "most": limit})
    return [TeamInList(*row) for row in rows]


@cache
def _newest_teams() -> Select[int, str, str, int, str, int]:
    newest = _teams().order_by(Membership.joined_at.desc(), Team.id.desc())
    return newest.limit(bindparam("most", type_=Integer))


async def members_of(session: AsyncSession, team_id: int, q: str = "", page: int = 1) -> MemberPage:
    """A page of the team's members, by rank, then by name. Beyond the last page, the last one."""
    conditions = [Membership.team_id == team_id]
    if q:
        conditions.append(contains(User.username_key, q.casefold()))
    matching = select(User).join(Membership, Membership.user_id == User.id).where(*conditions)
    total = await session.scalar(matching.with_only_columns(func.count())) or 0
    pages = page_count(total, MEMBERS_PER_PAGE)
    page = min(max(page, 1), pages)
    rows = (
        matching.with_only_columns(
            User.id, User.username, User.avatar, Membership.role, Membership.joined_at
        )
        .order_by(_rank(), by_code_point(User.username_key))
        .limit(MEMBERS_PER_PAGE)
        .offset((page - 1) * MEMBERS_PER_PAGE)
    )
    members = [Member(*row) for row in await session.execute(rows)]
    return MemberPage(members, total, page, pages)


async def count_members(session: AsyncSession, team_id: int) -> int:
    everyone = select(func.count()).where(Membership.team_id == team_id)
    return await session.scalar(everyone) or 0


async def count_others(session: AsyncSession, user: User, team_id: int) -> int:
    """How many members the team has besides the user."""
    others = select(func.count()).where(
        Membership.team_id == team_id, Membership.user_id != user.id
    )
    return await session.scalar(others) or 0


async def pending_invitations(session: AsyncSession, team_id: int) -> list[Invitation]:
    """Newest first. Includes expired ones, which can be sent again or revoked."""
    pending = (
        select(Invitation)
        .where(Invitation.team_id == team_id, Invitation.status == "pending")
        .order_by(Invitation.expires_at.desc(), Invitation.id.desc())
        .limit(MAX_LISTED)
    )
    return list(await session.scalars(pending))


async def projects_shared_with(session: AsyncSession, team_id: int) -> list[SharedProject]:
    """The projects shared with the team, most recent share first, at most 100."""
    shared = (
        select(Project.id, Project.name, User.username, Share.created_at)
        .join(Share, Share.project_id == Project.id)
        .join(User, User.id == Project.owner_id)
        .where(Share.team_id == team_id)
        .order_by(Share.created_at.desc(), Project.id.desc())
        .limit(MAX_LISTED)
    )
    return [SharedProject(*row) for row in await session.execute(shared)]


async def read_invitation(session: AsyncSession, invitation_id: int) -> ReceivedInvitation:
    """Raises NotFound."""
    found = with_team_and_inviter().where(Invitation.id == invitation_id)
    row = (await session.execute(found)).one_or_none()
    if row is None:
        raise NotFound
    return _received(*row)


async def open_invitations_of(
    session: AsyncSession, user: User
) -> list[tuple[ReceivedInvitation, str]]:
    """Open invitations to the user's confirmed address, newest first, each with its path."""
    if not user.is_confirmed:
        return []
    rows = await session.execute(_open_invitations(), {"email_key": user.email_key})
    signer = signer_of(session)
    received = [
        ReceivedInvitation(entity(Invitation, columns), team_name, inviter)
        for *columns, team_name, inviter in rows
    ]
    return [(one, invitation_path(signer, one.invitation)) for one in received]


@cache
def _open_invitations() -> Select[*tuple[Any, ...]]:
    return (
        with_team_and_inviter()
        .with_only_columns(*columns_of(Invitation), Team.name, User.username)
        .where(Invitation.email_key == bindparam("email_key"), is_open())
        .order_by(Invitation.id.desc())
        .limit(MAX_LISTED)
    )


@cache
def _teams() -> Select[int, str, str, int, str, int]:
    everyone, owning = aliased(Membership), aliased(Membership)
    count = select(func.count()).where(everyone.team_id == Team.id).scalar_subquery()
    return (
        select(Team.id, Team.name, Membership.role, User.id, User.username, count)
        .join(Membership, Membership.team_id == Team.id)
        .join(owning, and_(owning.team_id == Team.id, owning.role == OWNER))
        .join(User, User.id == owning.user_id)
        .where(Membership.user_id == bindparam("user_id"))
    )


def _received(invitation: Invitation, team: Team, inviter: User | None) -> ReceivedInvitation:
    return ReceivedInvitation(invitation, team.name, inviter.username if inviter else None)


def _rank() -> ColumnElement[int]:
    return case({role: rank for rank, role in enumerate(ROLES)}, value=Membership.role)
