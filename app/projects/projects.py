"""Create, rename, mute and delete projects."""

from pathlib import Path

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import Taken, require_valid
from app.language import _
from app.models import Clip, Compilation, Project, User
from app.notifications.preferences import muting
from app.notifications.withdraw import withdraw_from_owner
from app.projects.access import find_own_project, find_visible_project
from app.projects.media_storage import clip_files, thumbnail_path, video_path
from app.projects.sharing import end_all_shares
from app.settings import Settings
from app.topics import USER, touch
from app.values.names import name_error, tidy

MAX_NAME_LENGTH = 120
MAX_PROJECTS = 1_000


async def create_project(session: AsyncSession, user: User, name: str) -> Project:
    """Raises Invalid for `name`; Taken, also for `name`, when the user owns too many projects."""
    name = _checked_name(name)
    await _require_below_limit(session, user)
    project = Project(name=name, owner_id=user.id)
    session.add(project)
    await session.flush()
    touch(session, USER, user.id)
    return project


async def rename_project(session: AsyncSession, user: User, project_id: int, name: str) -> Project:
    """Raises Invalid for `name`."""
    project = await find_own_project(session, user, project_id)
    project.name = _checked_name(name)
    return project


async def set_muted(session: AsyncSession, user: User, project_id: int, *, muted: bool) -> None:
    """Mutes or unmutes the project for the user. Raises NotFound if they may not see it."""
    project = await find_visible_project(session, user, project_id)
    change = muting.mute if muted else muting.unmute
    await change(session, user, project_id=project.id)


async def delete_project(
    session: AsyncSession, settings: Settings, user: User, project_id: int
) -> list[Path]:
    """Deletes the project with everything in it and notifies the teams it was shared with.

    Returns its files, for the caller to remove after the commit.
    """
    project = await find_own_project(session, user, project_id)
    files = await _files(session, settings, project)
    await withdraw_from_owner(session, project)
    await end_all_shares(session, project, actor=user)
    await session.execute(delete(Project).where(Project.id == project.id))
    return files


async def delete_projects_of(
    session: AsyncSession, settings: Settings, owner: User, *, most: int
) -> list[Path]:
    """Deletes the oldest projects of the owner, at most `most`, before their account is deleted.

    Returns their files, as `delete_project` does.
    """
    owned = select(Project.id).where(Project.owner_id == owner.id).order_by(Project.id)
    files: list[Path] = []
    for project_id in (await session.scalars(owned.limit(most))).all():
        files += await delete_project(session, settings, owner, project_id)
    return files


async def _require_below_limit(session: AsyncSession, user: User) -> None:
    owned = select(func.count()).where(Project.owner_id == user.id)
    if (await session.scalar(owned) or 0) >= MAX_PROJECTS:
        full = _("You can own at most {limit} projects. Delete one first.")
        raise Taken({"name": full.format(limit=MAX_PROJECTS)})


def _checked_name(name: str) -> str:
    error = name_error(name, most=MAX_NAME_LENGTH, if_empty=_("Give the project a name."))
    require_valid(name=error)
    return tidy(name)


async def _files(session: AsyncSession, settings: Settings, project: Project) -> list[Path]:
    clips = select(Clip.stored_as).where(Clip.project_id == project.id)
    compilations = select(Compilation.id).where(Compilation.project_id == project.id)
    stored = await session.scalars(clips)
    files = [file for name in stored for file in clip_files(settings, name)]
    for compilation_id in await session.scalars(compilations):
        files.append(video_path(settings, compilation_id))
        files.append(thumbnail_path(settings, compilation_id))
    return files
