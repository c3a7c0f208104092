"""What SAQ runs: functions and cron lines, nothing else.

Two workers share this process: one for deliveries and upkeep, one for compilations, so that ten
minutes of ffmpeg never delay a mail. The rows are the source of truth; a job only wakes a worker.
"""

import asyncio
import logging
import signal
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial, wraps
from pathlib import Path
from typing import Any, cast

from saq import CronJob, Queue, Worker
from saq.types import Context, PartialTimersDict, WorkerInfo

from app import clock
from app.accounts.sessions import remove_expired
from app.broker.heartbeats import HEARTBEAT, beating
from app.broker.worker_locks import WorkerLock
from app.database import Database
from app.faults import persist
from app.installation import Installation
from app.language import set_language
from app.notifications.delivery import claims, outbox, retention
from app.notifications.delivery.scheduler import return_snoozed, wake, watch_outages
from app.notifications.search import index
from app.notifications.withdraw import withdraw_expired_invitations
from app.operations.clock_jumps import Clock, boot_id, check_clock
from app.operations.cron_ticks import once_per_tick
from app.process.cancellation import end
from app.process.gc_tuning import freeze_loaded_objects
from app.projects.compilation_runs import recover_compilations, run_compilation
from app.projects.compilations import sweep_videos, sweep_work_folders
from app.projects.media_storage import sweep_uploads
from app.settings import Settings
from app.teams.ingest import forget_keys
from app.zones import server_zone

TIMERS: PartialTimersDict = {"schedule": 5, "worker_info": 10, "sweep": 15, "abort": 1}
# How long a worker counts as running after a report.
REPORT_LASTS = 60
# Events up to this age are indexed every ten minutes if missing; older ones in the nightly run.
FILLED_AT_ONCE = timedelta(hours=1)
# How often this worker looks for others that were killed on this machine, to take over their
# deliveries.
LOOK_SECONDS = 5.0

Part = asyncio.Task[None]

_log = logging.getLogger(__name__)


async def deliver(context: Context, *, channel: str) -> None:
    """Send the due deliveries of one channel, until none is left or the worker stops."""
    given, installation = _of(context), _installation(context)
    async with beating(given["job"]):
        await outbox.deliver(
            installation.db,
            installation.channels[channel],
            worker=given["worker_lock"].name,
            is_stopping=given["worker"].event.is_set,
        )


async def _enqueue_delivery(queue: Queue, lock: WorkerLock, channel: str) -> None:
    """At most one job for each channel and worker: a second one would find nothing to do.

    Workers do not share a job, since that of a dead worker blocks its key until it is swept.
    """
    await queue.enqueue(
        "deliver",
        key=f"deliver:{channel}:{lock.name}",
        channel=channel,
        timeout=900,
        heartbeat=HEARTBEAT,
        retries=3,
        ttl=-1,
    )


async def compile(context: Context, *, compilation_id: int) -> None:  # noqa: ARG001
    """Make the video whose turn it is, not the one that the job was queued for."""
    installation = _installation(context)
    async with beating(_of(context)["job"]):
        await run_compilation(installation.db, installation.settings)


async def recover(context: Context) -> None:
    """Pick up the compilations that a dead worker left.

    Right after a jump of the clock every worker looks dead, until it reports again.
    """
    installation = _installation(context)
    if (await _look_at_clock(installation)).is_steady:
        await recover_compilations(installation.db, installation.broker)


async def clean_up(context: Context) -> None:
    """The nightly retention. Waits for another night while the clock may be wrong."""
    installation = _installation(context)
    db = installation.db
    if (await _look_at_clock(installation)).is_believed:
        await retention.clean_up(db, installation.settings.retention_days)
        await fill_index(db)
        await remove_expired(db)
        await forget_keys(db)


async def purge(context: Context) -> None:
    """Remove deleted notifications after their undo has expired, expired invitations' notices, and
    leftover files.
    """
    installation = _installation(context)
    db, settings = installation.db, installation.settings
    if not (await _look_at_clock(installation)).is_believed:
        return
    await retention.purge_deleted(db)
    async with db.act() as session:
        await withdraw_expired_invitations(session)
    await fill_index(db, clock.now() - FILLED_AT_ONCE)
    await sweep_uploads(settings)
    await sweep_videos(db, settings)
    await sweep_work_folders(db, settings)


async def fill_index(db: Database, since: datetime | None = None) -> None:
    """Index events that a process of an older version has added without indexing them."""
    async for _number in index.fill(db, since):
        await asyncio.sleep(0.01)


async def _look_at_clock(installation: Installation) -> Clock:
    return await check_clock(installation.db, installation.channels)


def _installation(context: Context) -> Installation:
    installation: Installation = _of(context)["installation"]
    return installation


def _of(context: Context) -> dict[str, Any]:
    """SAQ's context, with the entries that `run` added to SAQ's own."""
    return cast(dict[str, Any], context)


async def run(installation: Installation) -> bool:
    """Work until SIGTERM or SIGINT. Returns False if a part ended by itself before that, which is
    logged.
    """
    settings, db, broker = installation.settings, installation.db, installation.broker
    logging.getLogger("saq").addFilter(lambda record: "grace period" not in record.getMessage())
    async with installation.running():
        with WorkerLock(_folder_of_locks(settings)) as lock:
            given = {"installation": installation, "worker_lock": lock}
            workers = [_worker(broker.queue, given), _compiling_worker(broker.compilations, given)]
            await persist(partial(_take_over, installation, lock.crashed()))
            enqueue = partial(_enqueue_delivery, broker.queue, lock)
            freeze_loaded_objects()
            channels = installation.channels
            return await _work(
                workers,
                {
                    "wake": wake(db, channels, broker.relay, enqueue),
                    "watch_outages": watch_outages(db, channels, broker.relay),
                    "return_snoozed": return_snoozed(db, broker.relay),
                    "watch_workers": _watch_workers(db, lock),
                },
            )


def _folder_of_locks(settings: Settings) -> Path:
    """A folder per machine, because hosts that share DATA_DIR may not see each other's file locks.
    Deliveries of a worker that died on another host come due when its lease ends.
    """
    folder = settings.data_dir / "workers"
    return folder if settings.is_sqlite else folder / boot_id()


async def _watch_workers(db: Database, lock: WorkerLock) -> None:
    """Take over the deliveries of workers that were killed on this machine."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        if crashed := lock.crashed():
            await persist(partial(claims.sweep, db, crashed))


async def _take_over(installation: Installation, crashed: Sequence[str]) -> None:
    """Continue the work of crashed workers."""
    await _look_at_clock(installation)
    await recover_compilations(installation.db, installation.broker)
    await claims.sweep(installation.db, crashed)


def _worker(queue: Queue, given: dict[str, Any]) -> Worker[Context]:
    return _QuietWorker(
        queue,
        [deliver],
        cron_jobs=[
            _line(recover, "* * * * *", given, timeout=60),
            _line(purge, "*/10 * * * *", given, timeout=600),
            _line(clean_up, "0 0 * * *", given, timeout=3600),
        ],
        cron_tz=server_zone(given["installation"].settings.time_zone),
        before_process=_prepare(given),
        timers=TIMERS,
    )


def _line(function: Any, cron: str, given: dict[str, Any], *, timeout: int) -> CronJob[Context]:
    @wraps(function)
    async def run(context: Context) -> None:
        async with beating(context["job"]):
            await function(context)

    once = once_per_tick(run, given["installation"].db)
    return CronJob(once, cron=cron, timeout=timeout, heartbeat=HEARTBEAT, retries=3)


def _compiling_worker(queue: Queue, given: dict[str, Any]) -> Worker[Context]:
    return _QuietWorker(
        queue,
        [compile],
        concurrency=1,
        before_process=_prepare(given),
        timers={**TIMERS, "schedule": 60},
    )


class _QuietWorker(Worker[Context]):
    """Run two workers in one process: signals are handled once, and running jobs may finish."""

    SIGNALS: list[signal.Signals] = []  # noqa: RUF012

    async def process(self) -> bool:
        """If the queue cannot record the outcome of a job, continue: the job is swept later."""
        try:
            return await super().process()
        except Exception as error:
            _log.warning("The queue did not learn what became of a job: %s", error)
            return True

    async def worker_info(self, ttl: int = REPORT_LASTS) -> WorkerInfo:
        return await super().worker_info(max(ttl, REPORT_LASTS))

    async def stop(self) -> None:
        self.event.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(3):
                while self.job_task_contexts:  # noqa: ASYNC110 - SAQ offers nothing to await
                    await asyncio.sleep(0.05)
        await super().stop()


def _prepare(given: dict[str, Any]) -> Any:
    async def prepare(context: Context) -> None:
        _of(context).update(given)
        set_language("")

    return prepare


async def _work(
    workers: Sequence[Worker[Context]], beside: Mapping[str, Coroutine[Any, Any, None]]
) -> bool:
    """Wait for a signal, or for a part to end by itself, so that everything is restarted. Returns
    whether it was a signal. `beside`: the other parts, by name.
    """
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked.set)
    waiting = asyncio.create_task(asked.wait())
    running = [_part(f"worker of {one.queue.name}", one.start()) for one in workers]
    others = [_part(name, one) for name, one in beside.items()]
    await asyncio.wait([waiting, *running, *others], return_when=asyncio.FIRST_COMPLETED)
    is_asked = asked.is_set()
    ended = [part for part in (*running, *others) if part.done() and not is_asked]
    stopping = [_part(f"stop of {one.queue.name}", one.stop()) for one in workers]
    ending = end(waiting, *others)
    await asyncio.gather(ending, *stopping, *running, return_exceptions=True)
    _report((*running, *others, *stopping), ended)
    return is_asked


def _part(name: str, work: Coroutine[Any, Any, None]) -> Part:
    return asyncio.create_task(work, name=name)


def _report(parts: Sequence[Part], ended: Sequence[Part]) -> None:
    """Log those that have failed, and those that have `ended` by themselves."""
    for part in parts:
        error = None if part.cancelled() else part.exception()
        if error or part in ended:
            _log.error("A part of the worker has ended: %s", part.get_name(), exc_info=error)
