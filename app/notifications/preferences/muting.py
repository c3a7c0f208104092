"""Muting a team or project: its ordinary events no longer notify this user.

Events that concern the user personally and urgent ones still do.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.database.search import by_code_point
from app.database.upsert import insert_into
from app.errors import NotFound
from app.models import Mute, Project, Team, User
from app.topics import USER, touch
from app.visibility import sees_project, sees_team


@dataclass(frozen=True)
class Muted:
    """A muted team or project; `id` is that of the mute."""

    id: int
    name: str
    url: str
    is_team: bool


async def mute(
    session: AsyncSession,
    user: User,
    *,
    team_id: int | None = None,
    project_id: int | None = None,
) -> None:
    """Mute a team or a project that the user can see; muting it again changes nothing."""
    row = insert_into(session, Mute).values(user_id=user.id, team_id=team_id, project_id=project_id)
    await session.execute(row.on_conflict_do_nothing())
    touch(session, USER, user.id)


async def unmute(
    session: AsyncSession,
    user: User,
    *,
    team_id: int | None = None,
    project_id: int | None = None,
) -> None:
    await session.execute(delete(Mute).where(*_its_mute(user, team_id, project_id)))
    touch(session, USER, user.id)


async def is_muted(
    session: AsyncSession,
    user: User,
    *,
    team_id: int | None = None,
    project_id: int | None = None,
) -> bool:
    found = select(Mute.id).where(*_its_mute(user, team_id, project_id))
    return await session.scalar(found) is not None


async def muted_projects(session: AsyncSession, user: User) -> set[int]:
    """The ids of the projects that the user has muted."""
    muted = select(Mute.project_id).where(Mute.user_id == user.id)
    return {id for id in await session.scalars(muted) if id is not None}


def _its_mute(user: User, team_id: int | None, project_id: int | None) -> list[ColumnElement[bool]]:
    return [Mute.user_id == user.id, Mute.team_id == team_id, Mute.project_id == project_id]


async def lift(session: AsyncSession, user: User, mute_id: int) -> None:
    """Unmute by the id of the mute. Raises NotFound unless it is this user's."""
    lifted = delete(Mute).where(Mute.id == mute_id, Mute.user_id == user.id).returning(Mute.id)
    if await session.scalar(lifted) is None:
        raise NotFound
    touch(session, USER, user.id)


async def list_muted(session: AsyncSession, user: User) -> list[Muted]:
    """What the user has muted and can still see: teams, then projects, each by name."""
    teams = (
        select(Mute.id, Team.name, Team.id)
        .join(Team, Team.id == Mute.team_id)
        .where(Mute.user_id == user.id, sees_team(user.id))
        .order_by(by_code_point(Team.name), Team.id)
    )
    projects = (
        select(Mute.id, Project.name, Project.id)
        .join(Project, Project.id == Mute.project_id)
        .where(Mute.user_id == user.id, sees_project(user.id))
        .order_by(by_code_point(Project.name), Project.id)
    )
    return [
        *(Muted(id, name, f"/teams/{of}", True) for id, name, of in await session.execute(teams)),
        *(
            Muted(id, name, f"/projects/{of}", False)
            for id, name, of in await session.execute(projects)
        ),
    ]
