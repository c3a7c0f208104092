"""Request, find and cancel compilations. `compilation_runs.py` makes the video."""

import asyncio
import logging
import shutil
from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.broker import Broker
from app.broker.heartbeats import HEARTBEAT
from app.database import Database
from app.errors import Conflict, Forbidden, Gone, NotFound
from app.faults import fault_of
from app.language import _
from app.models import Clip, Compilation, Event, Notification, Project, User
from app.models.project import UNFINISHED, keeps_video
from app.notifications.refresh import refresh_failure
from app.projects.access import find_project, may_compile
from app.projects.media_storage import remove, video_path, work_folders
from app.projects.storage import storage_of
from app.projects.video.concatenation import without_clips
from app.settings import Settings
from app.visibility import sees_project

# A running compilation whose worker has not reported for this long is taken over.
SILENT_SECONDS = 30
# How many of a project's videos are kept.
KEPT_VIDEOS = 3

_log = logging.getLogger(__name__)


async def start_compilation(
    db: Database, broker: Broker, settings: Settings, user: User, project_id: int
) -> Compilation:
    """Requests a compilation of the project and queues it. Raises as `request_compilation` does."""
    async with db.act() as session:
        project = await find_project(session, user, project_id)
        compilation = await request_compilation(session, settings, project, user)
    await enqueue(broker, compilation)
    return compilation


async def request_compilation(
    session: AsyncSession, settings: Settings, project: Project, user: User
) -> Compilation:
    """Creates a compilation, or returns the unfinished one. Call `enqueue` after the commit.

    Acts run one at a time, so concurrent requests get the same compilation. Raises Forbidden if
    the user may not compile the project, Conflict if it has no clip or its owner's quota is used
    up.
    """
    await _require_compiler(session, user, project)
    if unfinished := await unfinished_of(session, project.id):
        return unfinished
    if not await session.scalar(select(Clip.id).where(Clip.project_id == project.id).limit(1)):
        raise Conflict(without_clips())
    if (storage := await storage_of(session, settings, project.owner_id)).is_used_up:
        raise Conflict(storage.refusal())
    compilation = Compilation(project_id=project.id, requested_by_id=user.id)
    session.add(compilation)
    await refresh_failure(session, project.id)
    return compilation


async def enqueue(broker: Broker, compilation: Compilation) -> None:
    """Queues the compilation for a worker. The key keeps one attempt from being queued twice.

    If the queue cannot take it, a worker queues the compilation later: it looks for such rows every
    minute.
    """
    try:
        await broker.compilations.enqueue(
            "compile",
            key=f"compile:{compilation.id}:{compilation.attempts}",
            timeout=0,
            heartbeat=HEARTBEAT,
            compilation_id=compilation.id,
        )
    except Exception as error:
        fault = fault_of(error)
        _log.warning(
            "Compilations could not be queued yet: %s", fault or repr(error), exc_info=not fault
        )


async def cancel_compilation(
    session: AsyncSession, user: User, project_id: int, compilation_id: int
) -> None:
    """Cancels a queued or running compilation; its worker notices within a second.

    Raises Forbidden if the user may not compile the project, Conflict if it has already ended.
    """
    project = await find_project(session, user, project_id)
    await _require_compiler(session, user, project)
    compilation = await find_compilation(session, project, compilation_id)
    cancelled = (
        update(Compilation)
        .where(Compilation.id == compilation.id, Compilation.status.in_(UNFINISHED))
        .values(status="cancelled", finished_at=clock.now())
        .returning(Compilation.id)
        .execution_options(synchronize_session=False)
    )
    if (await session.execute(cancelled)).first() is None:
        raise Conflict(_("This compilation has already ended."))


async def find_compilation(
    session: AsyncSession, project: Project, compilation_id: int
) -> Compilation:
    compilation = await session.get(Compilation, compilation_id)
    if compilation is None or compilation.project_id != project.id:
        raise NotFound
    return compilation


async def find_result(
    session: AsyncSession, user: User, project_id: int, compilation_id: int
) -> Project:
    """Returns the project. Raises NotFound unless the user may see it and its compilation is
    complete.
    """
    project, _compilation = await _find_result(session, user, project_id, compilation_id)
    return project


async def find_video(
    session: AsyncSession, user: User, project_id: int, compilation_id: int
) -> Project:
    """Like `find_result`; raises Gone if the video was removed in favour of newer ones."""
    project, compilation = await _find_result(session, user, project_id, compilation_id)
    if compilation.video_removed_at:
        sentence = _("This video was removed: a project keeps its newest {n}. Compile it again.")
        raise Gone(sentence.format(n=KEPT_VIDEOS))
    return project


async def has_video(session: AsyncSession, user: User, compilation_id: int) -> bool:
    """Whether the compilation's video still exists and the user may see its project."""
    there = (
        select(Compilation.id)
        .join(Project, Project.id == Compilation.project_id)
        .where(
            Compilation.id == compilation_id,
            keeps_video,
            sees_project(user.id),
        )
    )
    return await session.scalar(there) is not None


async def rotate_videos(session: AsyncSession, project_id: int) -> list[int]:
    """Gives up all but the newest KEPT_VIDEOS of the project. Returns the ids of their
    compilations, for the caller to remove the files after the commit.
    """
    rotated = (
        select(Compilation.id)
        .where(
            Compilation.project_id == project_id,
            Compilation.is_rotated,
            keeps_video,
        )
        .order_by(Compilation.id.desc())
    )
    ids = (await session.scalars(rotated)).all()[KEPT_VIDEOS:]
    removed = update(Compilation).where(Compilation.id.in_(ids))
    await session.execute(removed.values(video_removed_at=clock.now()))
    return list(ids)


async def sweep_videos(db: Database, settings: Settings) -> None:
    """Removes files of outdated videos that a worker left behind because it crashed."""
    async with db.read() as session:
        recently = Compilation.video_removed_at > clock.now() - timedelta(days=1)
        ids = (await session.scalars(select(Compilation.id).where(recently))).all()
    await remove(video_path(settings, id_) for id_ in ids)


async def sweep_work_folders(db: Database, settings: Settings) -> None:
    """Removes the work folders that killed workers left behind.

    The folders are listed before the running attempts are read, so that the folder of an attempt
    that starts in between, on any host, is not removed.
    """
    if not (found := await asyncio.to_thread(work_folders, settings)):
        return
    async with db.read() as session:
        running = select(Compilation.id, Compilation.attempts).where(
            Compilation.status == "running"
        )
        kept = {(row.id, row.attempts) for row in await session.execute(running)}
    for folder in (path for run, path in found.items() if run not in kept):
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


async def unfinished_of(session: AsyncSession, project_id: int) -> Compilation | None:
    unfinished = select(Compilation).where(
        Compilation.project_id == project_id, Compilation.status.in_(UNFINISHED)
    )
    return (await session.scalars(unfinished)).one_or_none()


async def latest_of(
    session: AsyncSession, project_id: int, *, status: str = ""
) -> Compilation | None:
    """The newest compilation of the project, or the newest with `status`."""
    newest = select(Compilation).where(Compilation.project_id == project_id)
    if status:
        newest = newest.where(Compilation.status == status)
    return (await session.scalars(newest.order_by(Compilation.id.desc()).limit(1))).one_or_none()


async def find_notified_project(session: AsyncSession, user: User, notification_id: int) -> Project:
    """Returns the project that this notification of the user is about.

    Raises NotFound unless the notification is about a compilation.
    """
    notified = (
        select(Event.project_id)
        .join(Notification, Notification.event_id == Event.id)
        .where(
            Notification.id == notification_id,
            Notification.user_id == user.id,
            Event.compilation_id.is_not(None),
            Event.project_id.is_not(None),
        )
    )
    project_id = await session.scalar(notified)
    if project_id is None:
        raise NotFound
    return await find_project(session, user, project_id)


async def _find_result(
    session: AsyncSession, user: User, project_id: int, compilation_id: int
) -> tuple[Project, Compilation]:
    project = await find_project(session, user, project_id)
    compilation = await find_compilation(session, project, compilation_id)
    if compilation.status != "completed":
        raise NotFound
    return project, compilation


async def _require_compiler(session: AsyncSession, user: User, project: Project) -> None:
    if not await may_compile(session, user, project):
        raise Forbidden(_("Viewers can watch this project, but they cannot compile it."))
