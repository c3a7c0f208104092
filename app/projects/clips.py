"""The clips of a project: add, delete, move, and the owner's upload quota."""

import asyncio
import os
import secrets
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database
from app.errors import NotFound, TooLarge
from app.language import _
from app.models import Clip, Project, User
from app.projects.access import find_own_project
from app.projects.media_storage import clip_path
from app.projects.upload_stream import MB, Upload
from app.projects.video.probe import probe
from app.settings import Settings

# Each probe keeps a core busy.
_probes = asyncio.Semaphore(os.cpu_count() or 1)


async def add_clip(
    db: Database, settings: Settings, user: User, project_id: int, upload: Upload
) -> Clip:
    """Adds the upload as the last clip of the project.

    Raises Unusable if it is not a video, TooLarge if it does not fit the owner's quota.
    """
    async with _probes:
        facts = await probe(upload.path, upload.name)
    async with db.act() as session:
        project = await find_own_project(session, user, project_id)
        if upload.size > await remaining_quota(session, settings, user):
            raise over_quota(settings)
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
    """In the order in which they are compiled."""
    ordered = select(Clip).where(Clip.project_id == project_id).order_by(Clip.position, Clip.id)
    return list(await session.scalars(ordered))


async def remaining_quota(session: AsyncSession, settings: Settings, user: User) -> int:
    """How many bytes of clips the user may still upload."""
    used = (
        select(func.coalesce(func.sum(Clip.size), 0))
        .join(Project, Project.id == Clip.project_id)
        .where(Project.owner_id == user.id)
    )
    return max(0, settings.upload_quota_mb * MB - int((await session.execute(used)).scalar_one()))


def over_quota(settings: Settings) -> TooLarge:
    sentence = _("Your clips can take up at most {limit} MB in total. Delete some and try again.")
    return TooLarge(sentence.format(limit=settings.upload_quota_mb))


async def _next_position(session: AsyncSession, project: Project) -> int:
    last = select(func.coalesce(func.max(Clip.position), -1)).where(Clip.project_id == project.id)
    return int((await session.execute(last)).scalar_one()) + 1
