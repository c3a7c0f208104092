"""Everything that the pages and the API show of a project, so that a template runs no query."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TypeVar

from sqlalchemy import Integer, Select, and_, bindparam, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from app.database.search import by_code_point
from app.models import Clip, Compilation, Membership, Project, Share, Team, User
from app.models.project import UNFINISHED
from app.notifications.preferences.muting import is_muted, muted_projects
from app.projects.access import find_project, may_compile
from app.projects.clips import clips_of, note_of
from app.projects.compilations import KEPT_VIDEOS, latest_of
from app.teams.roles import RIGHTS
from app.topics import PROGRESS, PROJECT, TEAM, Topic, topics
from app.visibility import sees_project

T = TypeVar("T")


@dataclass(frozen=True)
class CompilationView:
    """`latest` is the newest compilation in any state, `video` the newest completed one.
    `kept_videos` is how many videos the project keeps.
    """

    project: Project
    latest: Compilation | None
    video: Compilation | None
    may_compile: bool
    kept_videos: int = KEPT_VIDEOS

    @property
    def is_unfinished(self) -> bool:
        return self.latest is not None and self.latest.status in UNFINISHED

    @property
    def progress(self) -> Topic:
        return Topic(PROGRESS, self.project.id)


@dataclass(frozen=True)
class ProjectView:
    """`notes` has a sentence for each clip, by its id, whose sound cannot be used as it is.

    `shares` are the teams that the project is shared with and the user may know of, each with
    whether the user may end the share. `teams` are those it can still be shared with.
    """

    project: Project
    owner: str
    is_owner: bool
    is_muted: bool
    clips: list[Clip]
    notes: dict[int, str]
    shares: list[tuple[Team, bool]]
    teams: list[Team]
    compiling: CompilationView

    @property
    def topics(self) -> list[Topic]:
        """What the page shows and must follow."""
        shared_with = topics(TEAM, [team.id for team, _may_end in self.shares])
        return [Topic(PROJECT, self.project.id), *shared_with]


@dataclass(frozen=True)
class ProjectInList:
    """`video_id` is the newest completed compilation, `first_clip_id` the first clip, each None
    without one.
    """

    id: int
    name: str
    owner: str
    created_at: datetime
    clip_count: int
    video_id: int | None
    first_clip_id: int | None

    @property
    def thumbnail_url(self) -> str | None:
        """Of the video, or else of the first clip."""
        if self.video_id:
            return f"/projects/{self.id}/compilations/{self.video_id}/thumbnail"
        if self.first_clip_id:
            return f"/projects/{self.id}/clips/{self.first_clip_id}/thumbnail"
        return None


@dataclass(frozen=True)
class WholeProject:
    """A project as the API shows it. `teams` are those that it is shared with and the user may know
    of, `compilations` the newest ones.
    """

    project: Project
    owner: str
    is_muted: bool
    clips: list[Clip]
    teams: list[Team]
    compilations: list[Compilation]


async def view_project(session: AsyncSession, user: User, project_id: int) -> ProjectView:
    """Raises NotFound if the user may not see the project."""
    project = await find_project(session, user, project_id)
    is_owner = project.owner_id == user.id
    clips = await clips_of(session, project.id)
    return ProjectView(
        project=project,
        owner=(await session.get_one(User, project.owner_id)).username,
        is_owner=is_owner,
        is_muted=await is_muted(session, user, project_id=project.id),
        clips=clips,
        notes={clip.id: note for clip in clips if (note := note_of(clip))},
        shares=await _shares(session, user, project),
        teams=await _teams_to_choose(session, user, project) if is_owner else [],
        compiling=await view_compilation(session, user, project),
    )


async def view_compilation(session: AsyncSession, user: User, project: Project) -> CompilationView:
    return CompilationView(
        project,
        latest=await latest_of(session, project.id),
        video=await latest_of(session, project.id, status="completed"),
        may_compile=await may_compile(session, user, project),
    )


async def list_projects(session: AsyncSession, user: User) -> list[ProjectInList]:
    """Every project that the user may see, newest first."""
    rows = await session.execute(_visible(), {"user_id": user.id})
    return [ProjectInList(*row) for row in rows]


async def newest_projects(session: AsyncSession, user: User, most: int) -> list[ProjectInList]:
    rows = await session.execute(_newest_visible(), {"user_id": user.id, "most": most})
    return [ProjectInList(*row) for row in rows]


@cache
def _visible() -> Select[int, str, str, datetime, int, int | None, int | None]:
    clips = Clip.project_id == Project.id
    videos = and_(Compilation.project_id == Project.id, Compilation.status == "completed")
    first = select(Clip.id).where(clips).order_by(Clip.position, Clip.id).limit(1)
    return (
        select(
            Project.id,
            Project.name,
            User.username,
            Project.created_at,
            select(func.count()).where(clips).scalar_subquery(),
            select(func.max(Compilation.id)).where(videos).scalar_subquery(),
            first.scalar_subquery(),
        )
        .join(User, User.id == Project.owner_id)
        .where(sees_project(bindparam("user_id")))
        .order_by(Project.id.desc())
    )


@cache
def _newest_visible() -> Select[int, str, str, datetime, int, int | None, int | None]:
    return _visible().limit(bindparam("most", type_=Integer))


async def whole_projects(
    session: AsyncSession, user: User, *, compilations: int, project_id: int | None = None
) -> list[WholeProject]:
    """Every project that the user may see, newest first, or one of them; in five statements,
    however many there are. `compilations` is the most for each.
    """
    visible = (
        select(Project, User.username)
        .join(User, User.id == Project.owner_id)
        .where(sees_project(user.id), true() if project_id is None else Project.id == project_id)
        .order_by(Project.id.desc())
    )
    listed = [(project, owner) for project, owner in await session.execute(visible)]
    ids = [project.id for project, _owner in listed]
    clips = await _clips_of_all(session, ids)
    teams = await _teams_of_all(session, user, ids)
    newest = await _newest_compilations(session, ids, compilations)
    muted = await muted_projects(session, user)
    return [
        WholeProject(
            project=project,
            owner=owner,
            is_muted=project.id in muted,
            clips=clips[project.id],
            teams=teams[project.id],
            compilations=newest[project.id],
        )
        for project, owner in listed
    ]


async def _clips_of_all(session: AsyncSession, ids: list[int]) -> dict[int, list[Clip]]:
    clips = select(Clip).where(Clip.project_id.in_(ids)).order_by(Clip.position, Clip.id)
    return _grouped((clip.project_id, clip) for clip in await session.scalars(clips))


async def _teams_of_all(session: AsyncSession, user: User, ids: list[int]) -> dict[int, list[Team]]:
    """As in `_shares`."""
    own = select(Membership.team_id).where(Membership.user_id == user.id)
    shared = (
        select(Share.project_id, Team)
        .join(Team, Team.id == Share.team_id)
        .join(Project, Project.id == Share.project_id)
        .where(Project.id.in_(ids), or_(Project.owner_id == user.id, Team.id.in_(own)))
        .order_by(by_code_point(Team.name), Team.id)
    )
    return _grouped((id, team) for id, team in await session.execute(shared))


async def _newest_compilations(
    session: AsyncSession, ids: list[int], most: int
) -> dict[int, list[Compilation]]:
    number = func.row_number().over(
        partition_by=Compilation.project_id, order_by=Compilation.id.desc()
    )
    numbered = (
        select(Compilation.id, number.label("number"))
        .where(Compilation.project_id.in_(ids))
        .subquery()
    )
    newest = (
        select(Compilation)
        .join(numbered, numbered.c.id == Compilation.id)
        .where(numbered.c.number <= most)
        .order_by(Compilation.id.desc())
    )
    return _grouped((one.project_id, one) for one in await session.scalars(newest))


def _grouped(pairs: Iterable[tuple[int, T]]) -> dict[int, list[T]]:
    groups: defaultdict[int, list[T]] = defaultdict(list)
    for id, item in pairs:
        groups[id].append(item)
    return groups


async def _shares(session: AsyncSession, user: User, project: Project) -> list[tuple[Team, bool]]:
    """All teams for the owner; for others, the teams they are a member of."""
    role = Membership.role
    own = (Membership.team_id == Team.id) & (Membership.user_id == user.id)
    shared = (
        select(Team, role)
        .join(Share, Share.team_id == Team.id)
        .join(Membership, own, isouter=True)
        .where(Share.project_id == project.id)
        .order_by(by_code_point(Team.name), Team.id)
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
        .order_by(by_code_point(Team.name), Team.id)
    )
    return list(await session.scalars(free))
