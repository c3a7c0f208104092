"""The clips of a project: add, delete, move."""

import secrets
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database
from app.errors import NotFound, TooLarge
from app.language import _
from app.models import Clip, Project, User
from app.projects.access import find_own_project, find_project
from app.projects.clip_thumbnails import make_thumbnail
from app.projects.media_storage import clip_files, clip_path
from app.projects.storage import Reservation, storage_of
from app.projects.upload_stream import Upload
from app.projects.video.probe import ClipFacts, probe
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
    turns = turns_of(db)
    with turns.of(user.id):
        facts = await probe(upload.path, upload.name)
    async with db.act() as session:
        project = await find_own_project(session, user, project_id)
        if reservation:
            await reservation.spend(session, upload.size)
        await _require_room(session, settings, user, upload)
        clip = await _insert_clip(session, user, project, upload, facts)
        # Renaming is instant. If the commit fails afterwards, one file is left without a row.
        upload.path.rename(clip_path(settings, clip.stored_as))
    with turns.of(user.id):
        await make_thumbnail(settings, clip, facts)
    return clip


async def _require_room(
    session: AsyncSession, settings: Settings, user: User, upload: Upload
) -> None:
    storage = await storage_of(session, settings, user.id)
    if upload.size > storage.free:
        raise TooLarge(storage.refusal())


async def _insert_clip(
    session: AsyncSession, user: User, project: Project, upload: Upload, facts: ClipFacts
) -> Clip:
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
        sound_note=_sound_note(facts),
    )
    session.add(clip)
    await session.flush()
    return clip


async def delete_clip(
    session: AsyncSession, settings: Settings, user: User, project_id: int, clip_id: int
) -> Sequence[Path]:
    """Returns the files, for the caller to remove after the commit."""
    clip = await find_clip(session, user, project_id, clip_id)
    await session.delete(clip)
    return clip_files(settings, clip.stored_as)


async def find_clip(session: AsyncSession, user: User, project_id: int, clip_id: int) -> Clip:
    """Returns the clip of the user's own project. Raises NotFound, and Forbidden for others who may
    see the project.
    """
    project = await find_own_project(session, user, project_id)
    return await _clip_of(session, project, clip_id)


async def find_visible_clip(
    session: AsyncSession, user: User, project_id: int, clip_id: int
) -> Clip:
    """Returns the clip of a project that the user may see. Raises NotFound."""
    project = await find_project(session, user, project_id)
    return await _clip_of(session, project, clip_id)


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


def note_of(clip: Clip) -> str:
    """What its owner should know about the clip; usually nothing."""
    match clip.sound_note:
        case "other":
            return _("Its first sound track cannot be decoded. The next one is used.")
        case "silent":
            return _("Its sound cannot be decoded. It will be silent in the video.")
    return ""


async def clips_of(session: AsyncSession, project_id: int) -> list[Clip]:
    """The clips in the order in which they are compiled."""
    ordered = select(Clip).where(Clip.project_id == project_id).order_by(Clip.position, Clip.id)
    return list(await session.scalars(ordered))


async def _clip_of(session: AsyncSession, project: Project, clip_id: int) -> Clip:
    clip = await session.get(Clip, clip_id)
    if clip is None or clip.project_id != project.id:
        raise NotFound
    return clip


def _sound_note(facts: ClipFacts) -> str | None:
    if facts.sound is None:
        return "silent" if facts.sounds else None
    return "other" if facts.sound.track else None


async def _next_position(session: AsyncSession, project: Project) -> int:
    last = select(func.coalesce(func.max(Clip.position), -1)).where(Clip.project_id == project.id)
    return int((await session.execute(last)).scalar_one()) + 1
