"""The worker's side of a compilation: claim it, join the clips, say how far it is, tell people.

The row is the truth. A claim is one conditional update that counts the attempt, and every later
update names that attempt: who was cancelled, or overtaken after a long silence, finds no row and
lets go.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any

from saq import Job
from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.broker import Broker
from app.database import Database
from app.language import _, speaking
from app.models import Compilation, Project, User
from app.notifications.events.catalogue import COMPILATION_COMPLETED, COMPILATION_FAILED
from app.notifications.notify import notify
from app.projects.clips import clips_of
from app.projects.compilations import SILENT_SECONDS, enqueue
from app.projects.media_storage import clip_path, remove, thumbnail_path, video_path
from app.projects.video.concatenation import ClipFile, Joined, join
from app.projects.video.ffmpeg import CompilationError
from app.settings import Settings

MOST_ATTEMPTS = 2
BEAT_SECONDS = 0.5
BEATS_A_JOB_UPDATE = 20


class _Gone(Exception):
    """Cancelled, deleted with its project, or taken over by another worker."""


@dataclass(frozen=True)
class _Run:
    """One attempt; `language` is that of the owner, for whom the sentences are."""

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


async def run_compilation(
    db: Database, settings: Settings, compilation_id: int, *, job: Job | None = None
) -> None:
    """Make the video, if nobody else does; its end is told to those concerned.

    `job` is kept alive along with the row. Stopped from outside, the attempt is given back.
    """
    run = await _claim(db, compilation_id)
    if run is None:
        return
    with speaking(run.language):
        try:
            joined = await _join_with_pulse(db, settings, run, job)
            await _complete(db, run, joined)
        except CompilationError as error:
            await _fail(db, run, error.sentence)
        except _Gone:
            await _remove_unless_kept(db, settings, run)
        except asyncio.CancelledError:
            await _give_back(db, run)
            raise


async def recover_compilations(db: Database, broker: Broker) -> None:
    """Have those taken up again that wait, or whose worker went silent; after too many
    attempts they fail.
    """
    async with db.read() as session:
        left = list(await session.scalars(select(Compilation).where(_is_left_behind())))
    for compilation in left:
        if compilation.attempts < MOST_ATTEMPTS:
            await enqueue(broker, compilation)
        else:
            await _give_up(db, compilation)


async def _claim(db: Database, compilation_id: int) -> _Run | None:
    now = clock.now()
    claimed = (
        update(Compilation)
        .where(
            Compilation.id == compilation_id,
            Compilation.attempts < MOST_ATTEMPTS,
            _is_left_behind(),
        )
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
    async with db.write() as session:
        if (row := (await session.execute(claimed)).one_or_none()) is None:
            return None
        project_id, attempt = row
        return _Run(compilation_id, project_id, attempt, await _language(session, project_id))


def _is_left_behind() -> ColumnElement[bool]:
    """Waiting, or running without a sign of life."""
    silent = clock.now() - timedelta(seconds=SILENT_SECONDS)
    return or_(
        Compilation.status == "queued",
        and_(Compilation.status == "running", Compilation.touched_at < silent),
    )


async def _language(session: AsyncSession, project_id: int) -> str:
    owner = select(User.language).join(Project, Project.owner_id == User.id)
    return str((await session.scalars(owner.where(Project.id == project_id))).one())


async def _join_with_pulse(db: Database, settings: Settings, run: _Run, job: Job | None) -> Joined:
    """Join the clips while the row shows how far it is; raises _Gone as soon as that is lost."""
    pulse = _Pulse(db, run, job)
    joining = asyncio.create_task(_join(db, settings, run, pulse))
    beating = asyncio.create_task(pulse.beat())
    try:
        await asyncio.wait({joining, beating}, return_when=asyncio.FIRST_COMPLETED)
        if beating.done():
            beating.result()
        return joining.result()
    finally:
        joining.cancel()
        beating.cancel()
        await asyncio.gather(joining, beating, return_exceptions=True)


async def _join(db: Database, settings: Settings, run: _Run, pulse: "_Pulse") -> Joined:
    async with db.read() as session:
        clips = await clips_of(session, run.project_id)
    files = [ClipFile(clip_path(settings, clip.stored_as), clip.filename) for clip in clips]
    target = video_path(settings, run.compilation_id)
    return await join(files, target, on_progress=pulse.hear, workdir=settings.compilations_dir)


class _Pulse:
    """Writes twice a second how far a run is, and with that its sign of life."""

    def __init__(self, db: Database, run: _Run, job: Job | None) -> None:
        self._db, self._run, self._job = db, run, job
        self._progress = 0.0

    async def hear(self, progress: float) -> None:
        self._progress = progress

    async def beat(self) -> None:
        """For ever; raises _Gone when the run is no longer ours."""
        for beats in count(1):
            await asyncio.sleep(BEAT_SECONDS)
            async with self._db.write() as session:
                values = {"progress": self._progress, "touched_at": clock.now()}
                if not await _update(session, self._run, **values):
                    raise _Gone
            if self._job and beats % BEATS_A_JOB_UPDATE == 0:
                await self._job.update()


async def _update(session: AsyncSession, run: _Run, **values: Any) -> bool:
    """Whether the run was still ours to change."""
    changed = update(Compilation).where(run.is_ours).values(**values).returning(Compilation.id)
    changed = changed.execution_options(synchronize_session=False)
    return (await session.execute(changed)).first() is not None


async def _complete(db: Database, run: _Run, joined: Joined) -> None:
    async with db.act() as session:
        done = {"status": "completed", "progress": 1.0, "finished_at": clock.now()}
        facts: dict[str, Any] = {"duration": joined.duration, "size": joined.size_bytes}
        if not await _update(session, run, **done, **facts):
            raise _Gone
        project = await session.get_one(Project, run.project_id)
        await notify(
            session,
            COMPILATION_COMPLETED,
            project=project,
            compilation=await session.get_one(Compilation, run.compilation_id),
            thumbnail=f"/projects/{project.id}/compilations/{run.compilation_id}/thumbnail",
            **facts,
        )


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


async def _remove_unless_kept(db: Database, settings: Settings, run: _Run) -> None:
    """A worker that took over writes the same files: then they are its own."""
    alive = ("running", "completed")
    async with db.read() as session:
        compilation = await session.get(Compilation, run.compilation_id)
    if compilation is None or compilation.status not in alive:
        number = run.compilation_id
        await remove([video_path(settings, number), thumbnail_path(settings, number)])


async def _give_back(db: Database, run: _Run) -> None:
    """The worker stops: what it had begun waits for the next one, and is no failed attempt."""
    async with db.write() as session:
        await _update(session, run, status="queued", attempts=run.attempt - 1, touched_at=None)


async def _give_up(db: Database, compilation: Compilation) -> None:
    async with db.read() as session:
        language = await _language(session, compilation.project_id)
    run = _Run(compilation.id, compilation.project_id, compilation.attempts, language)
    with speaking(language):
        await _fail(db, run, _("The server was interrupted repeatedly. Please try again."))
