"""The clips of a project: add, delete, move."""

import secrets
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database
from app.errors import NotFound, TooLarge
from app.models import Clip, Project, User
from app.projects.access import find_own_project
from app.projects.media_storage import clip_path
from app.projects.storage import Reservation, storage_of
from app.projects.upload_stream import Upload
from app.projects.video.probe import probe
from app.projects.video.turns import turns_of
from app.settings import Settings


async def add_clip(
    db: Database,
    settings: Settings,
    user: User,
    project_id: int,
    upload: Upload,
    reservation: Reservation | None = None,
) -> Clip:
    """Adds the upload as the last clip of the project, using up its reservation if there is one.

    Raises Unusable if it is not a video, TooLarge if it does not fit the owner's quota.
    """
    async with db.read() as session:
        turns = turns_of(session)
    with turns.of(user.id):
        facts = await probe(upload.path, upload.name)
    async with db.act() as session:
        project = await find_own_project(session, user, project_id)
        if reservation:
            await reservation.spend(session, upload.size)
        storage = await storage_of(session, settings, user.id)
        if upload.size > storage.free:
            raise TooLarge(storage.refusal())
        clip = Clip(
            project_id=project.id,
            uploader_id=user.id,
            position=await _next_position(session, project),
            filename=upload.name,
            stored_as=secrets.token_hex(16),
            size=upload.size,
            duration=facts.duration,
            width=facts.width,
            height=facts.height,
        )
        session.add(clip)
        await session.flush()
        # Renaming is instant. If the commit fails afterwards, one file is left without a row.
        upload.path.rename(clip_path(settings, clip.stored_as))
    return clip


async def delete_clip(
    session: AsyncSession, settings: Settings, user: User, project_id: int, clip_id: int
) -> Path:
    """Returns the file, for the caller to remove after the commit."""
    project = await find_own_project(session, user, project_id)
    clip = await session.get(Clip, clip_id)
    if clip is None or clip.project_id != project.id:
        raise NotFound
    await session.delete(clip)
    return clip_path(settings, clip.stored_as)


async def move_clip(
    session: AsyncSession, user: User, project_id: int, clip_id: int, *, by: int
) -> None:
    """Moves the clip by that many places, negative numbers towards the start, and stops at either
    end of the list.
    """
    project = await find_own_project(session, user, project_id)
    clips = await clips_of(session, project.id)
    index = next((n for n, clip in enumerate(clips) if clip.id == clip_id), None)
    if index is None:
        raise NotFound
    clips.insert(max(0, index + by), clips.pop(index))
    for position, clip in enumerate(clips):
        clip.position = position


async def clips_of(session: AsyncSession, project_id: int) -> list[Clip]:
    """The clips in the order in which they are compiled."""
    ordered = select(Clip).where(Clip.project_id == project_id).order_by(Clip.position, Clip.id)
    return list(await session.scalars(ordered))


async def _next_position(session: AsyncSession, project: Project) -> int:
    last = select(func.coalesce(func.max(Clip.position), -1)).where(Clip.project_id == project.id)
    return int((await session.execute(last)).scalar_one()) + 1
