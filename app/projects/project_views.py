"""Everything that the pages and the API show of a project, so that a template runs no query."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Clip, Compilation, Membership, Project, Share, Team, User
from app.notifications.preferences.muting import is_muted
from app.projects.access import find_project, is_visible_to, may_compile
from app.projects.clips import clips_of
from app.projects.compilations import KEPT_VIDEOS, UNFINISHED, latest_of
from app.teams.roles import RIGHTS


@dataclass(frozen=True)
class CompilationView:
    """`latest` is the newest compilation in any state, `video` the newest completed one.
    `kept_videos` is how many videos the project keeps.
    """

    latest: Compilation | None
    video: Compilation | None
    may_compile: bool
    kept_videos: int = KEPT_VIDEOS

    @property
    def is_unfinished(self) -> bool:
        return self.latest is not None and self.latest.status in UNFINISHED


@dataclass(frozen=True)
class ProjectView:
    """`shares` are the teams that the project is shared with and the user may know of, each with
    whether the user may end the share. `teams` are those it can still be shared with.
    """

    project: Project
    owner: str
    is_owner: bool
    is_muted: bool
    clips: list[Clip]
    shares: list[tuple[Team, bool]]
    teams: list[Team]
    compiling: CompilationView


async def view_project(session: AsyncSession, user: User, project_id: int) -> ProjectView:
    """Raises NotFound if the user may not see the project."""
    project = await find_project(session, user, project_id)
    is_owner = project.owner_id == user.id
    return ProjectView(
        project=project,
        owner=(await session.get_one(User, project.owner_id)).username,
        is_owner=is_owner,
        is_muted=await is_muted(session, user, project_id=project.id),
        clips=await clips_of(session, project.id),
        shares=await _shares(session, user, project),
        teams=await _teams_to_choose(session, user, project) if is_owner else [],
        compiling=await view_compilation(session, user, project),
    )


async def view_compilation(session: AsyncSession, user: User, project: Project) -> CompilationView:
    return CompilationView(
        latest=await latest_of(session, project.id),
        video=await latest_of(session, project.id, status="completed"),
        may_compile=await may_compile(session, user, project),
    )


async def list_projects(session: AsyncSession, user: User) -> list[tuple[Project, str, int]]:
    """Every project that the user may see, newest first: (project, owner's name, clip count)."""
    clips = (
        select(func.count()).where(Clip.project_id == Project.id).scalar_subquery().label("clips")
    )
    visible = (
        select(Project, User.username.label("owner"), clips)
        .join(User, User.id == Project.owner_id)
        .where(is_visible_to(user.id))
        .order_by(Project.id.desc())
    )
    return [(project, owner, n) for project, owner, n in await session.execute(visible)]


async def _shares(session: AsyncSession, user: User, project: Project) -> list[tuple[Team, bool]]:
    """All teams for the owner; for others, the teams they are a member of."""
    role = Membership.role
    own = (Membership.team_id == Team.id) & (Membership.user_id == user.id)
    shared = (
        select(Team, role)
        .join(Share, Share.team_id == Team.id)
        .join(Membership, own, isouter=True)
        .where(Share.project_id == project.id)
        .order_by(Team.name, Team.id)
    )
    is_owner = project.owner_id == user.id
    rows = (await session.execute(shared)).all()
    return [(t, is_owner or role in RIGHTS["unshare"]) for t, role in rows if is_owner or role]


async def _teams_to_choose(session: AsyncSession, user: User, project: Project) -> list[Team]:
    taken = select(Share.team_id).where(Share.project_id == project.id)
    free = (
        select(Team)
        .join(Membership, Membership.team_id == Team.id)
        .where(
            Membership.user_id == user.id,
            Membership.role.in_(RIGHTS["share"]),
            Team.id.not_in(taken),
        )
        .order_by(Team.name, Team.id)
    )
    return list(await session.scalars(free))
