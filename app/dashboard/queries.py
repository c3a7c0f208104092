"""The contents of the dashboard: my teams, my projects, and recent activity."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Compilation, Project, User
from app.notifications.events.notices import Notice
from app.notifications.inbox import feed
from app.projects.access import is_visible_to
from app.projects.compilations import UNFINISHED
from app.projects.project_views import list_projects
from app.teams.queries import (
    ReceivedInvitation,
    TeamInList,
    newest_teams_of,
    open_invitations_of,
)

MAX_LISTED = 6


@dataclass(frozen=True)
class Dashboard:
    """`projects`: (project, owner, number of clips); `invitations`: (invitation, path); `running`:
    (compilation, project). Every list but `invitations` has at most six entries.
    """

    teams: list[TeamInList]
    projects: list[tuple[Project, str, int]]
    invitations: list[tuple[ReceivedInvitation, str]]
    running: list[tuple[Compilation, Project]]
    notices: list[Notice]


async def view_dashboard(session: AsyncSession, user: User) -> Dashboard:
    return Dashboard(
        teams=await newest_teams_of(session, user, MAX_LISTED),
        projects=(await list_projects(session, user))[:MAX_LISTED],
        invitations=await open_invitations_of(session, user),
        running=await _running(session, user),
        notices=await feed.newest(session, user.id, MAX_LISTED),
    )


async def _running(session: AsyncSession, user: User) -> list[tuple[Compilation, Project]]:
    unfinished = (
        select(Compilation, Project)
        .join(Project, Project.id == Compilation.project_id)
        .where(Compilation.status.in_(UNFINISHED), is_visible_to(user.id))
        .order_by(Compilation.id.desc())
        .limit(MAX_LISTED)
    )
    return [(compilation, project) for compilation, project in await session.execute(unfinished)]
