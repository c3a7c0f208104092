"""Runs compilations in the worker: claim, make the video, report progress, notify.

A queued job only says that there is work to do. Users take turns, so that nobody waits behind
everything that another user has queued.

The row determines which worker runs it. A claim is one conditional update that counts the attempt,
and every later update names that attempt. A worker whose run was cancelled, or taken over after a
long silence, no longer matches a row and stops.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.broker import Broker
from app.database import Database
from app.faults import persist
from app.language import _, in_language
from app.models import Compilation, Project, User
from app.notifications.events.catalogue import COMPILATION_COMPLETED, COMPILATION_FAILED
from app.notifications.notify import notify
from app.process.cancellation import claim_or_give_back, end
from app.projects.clips import clips_of
from app.projects.compilations import SILENT_SECONDS, enqueue, rotate_videos
from app.projects.media_storage import clip_path, remove, thumbnail_path, video_path, work_folder
from app.projects.storage import storage_of
from app.projects.video.concatenation import ClipFile, FinishedVideo, concatenate
from app.projects.video.ffmpeg import CompilationError
from app.projects.video.turns import turns_of
from app.settings import Settings
from app.topics import PROGRESS, PROJECT, touch

MAX_ATTEMPTS = 2
REPORT_SECONDS = 1.0


class _Lost(Exception):
    """The run is no longer ours: cancelled, deleted with its project, or taken over."""


@dataclass(frozen=True)
class _Run:
    """One attempt. Error sentences are written in `language`, the project owner's."""

    compilation_id: int
    project_id: int
    attempt: int
    language: str

    @property
    def is_ours(self) -> ColumnElement[bool]:
        return and_(
            Compilation.id == self.compilation_id,
            Compilation.status == "running",
            Compilation.attempts == self.attempt,
        )


async def run_compilation(db: Database, settings: Settings) -> None:
    """Makes the video of the compilation whose turn it is, if there is one, and notifies.

    If the task is cancelled, even while it claims, the compilation goes back to the queue and the
    attempt does not count.
    """
    run = await claim_or_give_back(_claim(db), partial(_give_back, db))
    if run is None:
        return
    with in_language(run.language):
        try:
            video = await _make_video(db, settings, run)
            await persist(partial(_complete, db, settings, run, video))
        except CompilationError as error:
            await persist(partial(_fail, db, run, error.sentence))
        except _Lost:
            await _remove_files(db, settings, run)
        except asyncio.CancelledError:
            await _give_back(db, run)
            raise


async def recover_compilations(db: Database, broker: Broker) -> None:
    """Requeues compilations that are queued or whose worker went silent. After MAX_ATTEMPTS they
    fail.
    """
    async with db.read() as session:
        claimable = list(await session.scalars(select(Compilation).where(_is_claimable())))
    for compilation in claimable:
        if compilation.attempts < MAX_ATTEMPTS:
            await enqueue(broker, compilation)
        else:
            await _give_up(db, compilation)


async def _claim(db: Database) -> _Run | None:
    """Begins the oldest compilation of the user whose last turn is the longest ago."""
    requester = func.coalesce(Compilation.requested_by_id, Project.owner_id)
    next_in_turn = (
        select(Compilation.id, requester)
        .join(Project, Project.id == Compilation.project_id)
        .join(User, User.id == requester)
        .where(_is_claimable(), Compilation.attempts < MAX_ATTEMPTS)
        .order_by(User.compiled_at.asc().nulls_first(), Compilation.id)
        .limit(1)
    )
    while True:
        async with db.exclusive() as session:
            if (found := (await session.execute(next_in_turn)).one_or_none()) is None:
                return None
            compilation_id, user_id = found
            if run := await _begin(session, compilation_id):
                taken = update(User).where(User.id == user_id).values(compiled_at=clock.now())
                await session.execute(taken)
                return run


async def _begin(session: AsyncSession, compilation_id: int) -> _Run | None:
    """None if another worker was faster."""
    now = clock.now()
    begun = (
        update(Compilation)
        .where(Compilation.id == compilation_id, _is_claimable())
        .values(
            status="running",
            attempts=Compilation.attempts + 1,
            progress=0.0,
            started_at=now,
            touched_at=now,
        )
        .returning(Compilation.project_id, Compilation.attempts)
        .execution_options(synchronize_session=False)
    )
    if (row := (await session.execute(begun)).one_or_none()) is None:
        return None
    project_id, attempt = row
    touch(session, PROGRESS, project_id)
    return _Run(compilation_id, project_id, attempt, await _language(session, project_id))


def _is_claimable() -> ColumnElement[bool]:
    """Queued, or running with a worker that has not reported for SILENT_SECONDS."""
    silent_since = clock.now() - timedelta(seconds=SILENT_SECONDS)
    return or_(
        Compilation.status == "queued",
        and_(Compilation.status == "running", Compilation.touched_at < silent_since),
    )


async def _language(session: AsyncSession, project_id: int) -> str:
    owner = select(User.language).join(Project, Project.owner_id == User.id)
    return str((await session.scalars(owner.where(Project.id == project_id))).one())


async def _make_video(db: Database, settings: Settings, run: _Run) -> FinishedVideo:
    """Concatenates the clips while reporting progress. Raises _Lost once the run is not ours."""
    reporter = _Reporter(db, run)
    working = asyncio.create_task(_concatenate(db, settings, run, reporter))
    reporting = asyncio.create_task(reporter.report_forever())
    try:
        await asyncio.wait({working, reporting}, return_when=asyncio.FIRST_COMPLETED)
        if reporting.done():
            reporting.result()
        return working.result()
    finally:
        await end(working, reporting)


async def _concatenate(
    db: Database, settings: Settings, run: _Run, reporter: "_Reporter"
) -> FinishedVideo:
    async with db.read() as session:
        user_id = await _turn_taker(session, settings, run)
        clips = await clips_of(session, run.project_id)
    files = [ClipFile(clip_path(settings, clip.stored_as), clip.filename) for clip in clips]
    target = video_path(settings, run.compilation_id)
    workdir = work_folder(settings, run.compilation_id, run.attempt)
    with turns_of(db).of(user_id):
        return await concatenate(files, target, on_progress=reporter.set_progress, workdir=workdir)


async def _turn_taker(session: AsyncSession, settings: Settings, run: _Run) -> int:
    """The user who asked for the video. Raises CompilationError if videos that were made in the
    meantime have used up the owner's quota.
    """
    compilation = await session.get(Compilation, run.compilation_id)
    project = await session.get(Project, run.project_id)
    if not compilation or not project:
        raise _Lost
    if (storage := await storage_of(session, settings, project.owner_id)).is_used_up:
        raise CompilationError(storage.refusal())
    return compilation.requested_by_id or project.owner_id


class _Reporter:
    """Writes the progress of a run to its row every second, which also shows it is alive."""

    def __init__(self, db: Database, run: _Run) -> None:
        self._db, self._run = db, run
        self._progress = 0.0

    async def set_progress(self, progress: float) -> None:
        self._progress = progress

    async def report_forever(self) -> None:
        """Ends only by raising _Lost. A full disk or a locked database is no reason to stop."""
        while True:
            await asyncio.sleep(REPORT_SECONDS)
            await persist(self._report)

    async def _report(self) -> None:
        async with self._db.write() as session:
            values = {"progress": self._progress, "touched_at": clock.now()}
            if not await _update(session, self._run, **values):
                raise _Lost
            touch(session, PROGRESS, self._run.project_id)


async def _update(session: AsyncSession, run: _Run, **values: Any) -> bool:
    """Returns whether the run was still ours, so that its row was updated."""
    changed = update(Compilation).where(run.is_ours).values(**values).returning(Compilation.id)
    changed = changed.execution_options(synchronize_session=False)
    return (await session.execute(changed)).first() is not None


async def _complete(db: Database, settings: Settings, run: _Run, video: FinishedVideo) -> None:
    async with db.act() as session:
        completed = {"status": "completed", "progress": 1.0, "finished_at": clock.now()}
        facts: dict[str, Any] = {"duration": video.duration, "size": video.size_bytes}
        if not await _update(session, run, **completed, **facts):
            raise _Lost
        project = await session.get_one(Project, run.project_id)
        await notify(
            session,
            COMPILATION_COMPLETED,
            project=project,
            compilation=await session.get_one(Compilation, run.compilation_id),
            thumbnail=f"/projects/{project.id}/compilations/{run.compilation_id}/thumbnail",
            **facts,
        )
        outdated = await rotate_videos(session, project.id)
        touch(session, PROJECT, project.id)
    await remove(video_path(settings, id_) for id_ in outdated)


async def _fail(db: Database, run: _Run, sentence: str) -> None:
    async with db.act() as session:
        failed = {"status": "failed", "error": sentence, "finished_at": clock.now()}
        if not await _update(session, run, **failed):
            return
        await notify(
            session,
            COMPILATION_FAILED,
            project=await session.get_one(Project, run.project_id),
            compilation=await session.get_one(Compilation, run.compilation_id),
            error=sentence,
        )
        touch(session, PROJECT, run.project_id)


async def _remove_files(db: Database, settings: Settings, run: _Run) -> None:
    """Removes the files of a lost run, unless a worker took over and writes the same files."""
    async with db.read() as session:
        compilation = await session.get(Compilation, run.compilation_id)
    if compilation is None or compilation.status not in ("running", "completed"):
        id_ = run.compilation_id
        await remove([video_path(settings, id_), thumbnail_path(settings, id_)])


async def _give_back(db: Database, run: _Run) -> None:
    """Returns the compilation to the queue when the worker stops. The attempt does not count."""
    async with db.write() as session:
        await _update(session, run, status="queued", attempts=run.attempt - 1, touched_at=None)
        touch(session, PROGRESS, run.project_id)


async def _give_up(db: Database, compilation: Compilation) -> None:
    async with db.read() as session:
        language = await _language(session, compilation.project_id)
    run = _Run(compilation.id, compilation.project_id, compilation.attempts, language)
    with in_language(language):
        await _fail(db, run, _("The server was interrupted several times. Please try again."))
