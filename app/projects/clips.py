"""The clips of a project: taken in once they are known to be videos, ordered, deleted."""

import asyncio
import os
import secrets
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database
from app.errors import Failure, NotFound, TooLarge
from app.language import _
from app.models import Clip, Project, User
from app.projects.access import find_own_project
from app.projects.media_storage import clip_path
from app.projects.upload_stream import MB, Upload
from app.projects.video.probe import probe
from app.settings import Settings

# Each probe keeps a core busy.
_at_once = asyncio.Semaphore(os.cpu_count() or 1)


async def add_clips(
    db: Database, settings: Settings, user: User, project_id: int, uploads: list[Upload]
) -> tuple[list[Clip], list[Failure]]:
    """Take in what can be taken in; what was wrong with the rest."""
    clips, problems = [], []
    for each in uploads:
        try:
            clips.append(await add_clip(db, settings, user, project_id, each))
        except Failure as problem:
            problems.append(problem)
    return clips, problems


async def add_clip(
    db: Database, settings: Settings, user: User, project_id: int, upload: Upload
) -> Clip:
    """Keep what was uploaded as the last clip of the project, if it is a video.

    Raises CompilationError with a sentence naming the file, or TooLarge when it does not fit.
    """
    async with _at_once:
        facts = await probe(upload.path, upload.name)
    async with db.act() as session:
        project = await find_own_project(session, user, project_id)
        if upload.size > await room_left(session, settings, user):
            raise no_room(settings)
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
        # A rename takes no time; a commit that fails after it leaves one file without a row.
        upload.path.rename(clip_path(settings, clip.stored_as))
    return clip


async def delete_clip(
    session: AsyncSession, settings: Settings, user: User, project_id: int, clip_id: int
) -> Path:
    """Returns the file, to be removed after the commit."""
    project = await find_own_project(session, user, project_id)
    clip = await session.get(Clip, clip_id)
    if clip is None or clip.project_id != project.id:
        raise NotFound
    await session.delete(clip)
    return clip_path(settings, clip.stored_as)


async def move_clip(
    session: AsyncSession, user: User, project_id: int, clip_id: int, *, by: int
) -> None:
    """Move the clip `by` places (-1: one up), as far as there are places."""
    project = await find_own_project(session, user, project_id)
    clips = await clips_of(session, project.id)
    place = next((n for n, clip in enumerate(clips) if clip.id == clip_id), None)
    if place is None:
        raise NotFound
    clips.insert(max(0, place + by), clips.pop(place))
    for position, clip in enumerate(clips):
        clip.position = position


async def clips_of(session: AsyncSession, project_id: int) -> list[Clip]:
    """In the order in which they are joined."""
    ordered = select(Clip).where(Clip.project_id == project_id).order_by(Clip.position, Clip.id)
    return list(await session.scalars(ordered))


async def room_left(session: AsyncSession, settings: Settings, user: User) -> int:
    """How many bytes of clips the person may still upload."""
    used = (
        select(func.coalesce(func.sum(Clip.size), 0))
        .join(Project, Project.id == Clip.project_id)
        .where(Project.owner_id == user.id)
    )
    return max(0, settings.upload_quota_mb * MB - int((await session.execute(used)).scalar_one()))


def no_room(settings: Settings) -> TooLarge:
    sentence = _("Your clips may take {most} MB together. Delete some first.")
    return TooLarge(sentence.format(most=settings.upload_quota_mb))


async def _next_position(session: AsyncSession, project: Project) -> int:
    last = select(func.coalesce(func.max(Clip.position), -1)).where(Clip.project_id == project.id)
    return int((await session.execute(last)).scalar_one()) + 1
