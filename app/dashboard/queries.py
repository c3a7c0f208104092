"""The contents of the dashboard, besides the newest notifications, which the bell has."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from sqlalchemy import Select, bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.database.constants import constants
from app.models import Compilation, Project, User
from app.models.project import UNFINISHED
from app.notifications.events.notices import Notice
from app.projects.project_views import ProjectInList, newest_projects
from app.teams.invitation_links import target_of
from app.teams.queries import (
    ReceivedInvitation,
    TeamInList,
    newest_teams_of,
    open_invitations_of,
)
from app.visibility import sees_project

MAX_LISTED = 6


@dataclass(frozen=True)
class Unfinished:
    """A compilation that is queued or running."""

    project_id: int
    project_name: str
    status: str
    progress: float


@dataclass(frozen=True)
class Dashboard:
    """`invitations`: (invitation, path). Every list but that has at most six entries."""

    teams: list[TeamInList]
    projects: list[ProjectInList]
    invitations: list[tuple[ReceivedInvitation, str]]
    running: list[Unfinished]

    def news(self, notices: Sequence[Notice]) -> list[Notice]:
        """The newest of these notices, without those of the invitations, which stand above them."""
        invitations = {target_of(one.invitation.id) for one, _path in self.invitations}
        others = [one for one in notices if not one.link or one.link.leads_to not in invitations]
        return others[:MAX_LISTED]


async def view_dashboard(session: AsyncSession, user: User) -> Dashboard:
    return Dashboard(
        teams=await newest_teams_of(session, user, MAX_LISTED),
        projects=await newest_projects(session, user, MAX_LISTED),
        invitations=await open_invitations_of(session, user),
        running=await _running(session, user),
    )


async def _running(session: AsyncSession, user: User) -> list[Unfinished]:
    rows = await session.execute(_unfinished(), {"user_id": user.id})
    return [Unfinished(*row) for row in rows]


@cache
def _unfinished() -> Select[int, str, str, float]:
    return (
        select(Project.id, Project.name, Compilation.status, Compilation.progress)
        .join(Project, Project.id == Compilation.project_id)
        .where(Compilation.status.in_(constants(UNFINISHED)), sees_project(bindparam("user_id")))
        .order_by(Compilation.id.desc())
        .limit(MAX_LISTED)
    )
