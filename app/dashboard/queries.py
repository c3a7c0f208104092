"""The dashboard: my teams, my projects, and what is going on."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app import clock
from app.models import Compilation, Invitation, Membership, Project, Team, User
from app.notifications.events.notices import Notice
from app.notifications.inbox import feed
from app.projects.access import is_visible_to
from app.projects.compilations import UNFINISHED
from app.projects.project_views import list_projects
from app.security import signer_of
from app.teams.invitations import link_token

MOST = 6


@dataclass(frozen=True)
class OpenInvitation:
    """`inviter` is empty when their account is gone."""

    team: str
    role: str
    inviter: str
    url: str


@dataclass(frozen=True)
class Dashboard:
    """`teams`: (team, role, members); `projects`: (project, owner, clips); `running`:
    (compilation, project). Lists are cut at six; the whole lists have pages of their own.
    """

    teams: list[tuple[Team, str, int]]
    projects: list[tuple[Project, str, int]]
    invitations: list[OpenInvitation]
    running: list[tuple[Compilation, Project]]
    notices: list[Notice]


async def view_dashboard(session: AsyncSession, user: User) -> Dashboard:
    return Dashboard(
        teams=await _teams(session, user),
        projects=(await list_projects(session, user))[:MOST],
        invitations=await _invitations(session, user),
        running=await _running(session, user),
        notices=await feed.newest(session, user.id, MOST),
    )


async def _teams(session: AsyncSession, user: User) -> list[tuple[Team, str, int]]:
    everyone = aliased(Membership)
    members = select(func.count()).where(everyone.team_id == Team.id).scalar_subquery()
    mine = (
        select(Team, Membership.role, members.label("members"))
        .join(Membership, Membership.team_id == Team.id)
        .where(Membership.user_id == user.id)
        .order_by(Membership.joined_at.desc(), Team.id.desc())
        .limit(MOST)
    )
    return [(team, role, count) for team, role, count in await session.execute(mine)]


async def _invitations(session: AsyncSession, user: User) -> list[OpenInvitation]:
    """Only to an address known to be theirs."""
    if not user.is_confirmed:
        return []
    waiting = (
        select(Invitation.id, Invitation.role, Team.name, User.username)
        .join(Team, Team.id == Invitation.team_id)
        .join(User, User.id == Invitation.inviter_id, isouter=True)
        .where(
            Invitation.email_key == user.email_key,
            Invitation.status == "pending",
            Invitation.expires_at > clock.now(),
        )
        .order_by(Invitation.id.desc())
    )
    return [
        OpenInvitation(
            team, role, inviter or "", f"/invitations/{link_token(signer_of(session), id_)}"
        )
        for id_, role, team, inviter in await session.execute(waiting)
    ]


async def _running(session: AsyncSession, user: User) -> list[tuple[Compilation, Project]]:
    unfinished = (
        select(Compilation, Project)
        .join(Project, Project.id == Compilation.project_id)
        .where(Compilation.status.in_(UNFINISHED), is_visible_to(user.id))
        .order_by(Compilation.id.desc())
        .limit(MOST)
    )
    return [(run, project) for run, project in await session.execute(unfinished)]
