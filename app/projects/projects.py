"""Projects: named, renamed, and deleted with all that belongs to them."""

from pathlib import Path

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import Invalid
from app.language import _
from app.models import Clip, Compilation, Project, User
from app.notifications.withdraw import withdraw_from_owner
from app.projects.access import find_own_project
from app.projects.media_storage import clip_path, thumbnail_path, video_path
from app.projects.sharing import end_all_shares
from app.settings import Settings

LONGEST_NAME = 120


async def create_project(session: AsyncSession, user: User, name: str) -> Project:
    """Raises Invalid for `name`."""
    project = Project(name=_right(name), owner_id=user.id)
    session.add(project)
    await session.flush()
    return project


async def rename_project(session: AsyncSession, user: User, project_id: int, name: str) -> Project:
    """Raises Invalid for `name`."""
    project = await find_own_project(session, user, project_id)
    project.name = _right(name)
    return project


async def delete_project(
    session: AsyncSession, settings: Settings, user: User, project_id: int
) -> list[Path]:
    """Delete the project and tell the teams it was shared with.

    Returns the files that nothing needs any more, to be removed after the commit.
    """
    project = await find_own_project(session, user, project_id)
    files = await _files(session, settings, project)
    await withdraw_from_owner(session, project)
    await end_all_shares(session, project, actor=user)
    await session.execute(delete(Project).where(Project.id == project.id))
    return files


async def delete_projects_of(session: AsyncSession, settings: Settings, owner: User) -> list[Path]:
    """Delete all that the person has made, before their account goes; returns files likewise."""
    owned = select(Project.id).where(Project.owner_id == owner.id).order_by(Project.id)
    files: list[Path] = []
    for project_id in (await session.scalars(owned)).all():
        files += await delete_project(session, settings, owner, project_id)
    return files


def _right(name: str) -> str:
    name = " ".join(name.split())
    if not name:
        raise Invalid({"name": _("Give the project a name.")})
    if len(name) > LONGEST_NAME:
        sentence = _("A project's name can have {most} characters at most.")
        raise Invalid({"name": sentence.format(most=LONGEST_NAME)})
    return name


async def _files(session: AsyncSession, settings: Settings, project: Project) -> list[Path]:
    clips = select(Clip.stored_as).where(Clip.project_id == project.id)
    compilations = select(Compilation.id).where(Compilation.project_id == project.id)
    files = [clip_path(settings, name) for name in await session.scalars(clips)]
    for compilation_id in await session.scalars(compilations):
        files.append(video_path(settings, compilation_id))
        files.append(thumbnail_path(settings, compilation_id))
    return files
