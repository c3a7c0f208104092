"""What SAQ runs: functions and cron lines, nothing else.

Two workers share this process: one for deliveries and upkeep, one for compilations, so that ten
minutes of ffmpeg never delay a mail. The rows are the source of truth; a job only wakes a worker.
"""

import asyncio
import logging
import signal
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, cast

from saq import CronJob, Job, Queue, Worker
from saq.types import Context, PartialTimersDict

from app.broker.worker_locks import WorkerLock
from app.gc_tuning import freeze_loaded_objects
from app.installation import Installation
from app.language import set_language
from app.notifications.delivery import claims, outbox, retention
from app.notifications.delivery.scheduler import wake, watch_outages
from app.notifications.withdraw import withdraw_expired_invitations
from app.projects.compilation_runs import recover_compilations, run_compilation
from app.projects.compilations import sweep_videos
from app.projects.media_storage import sweep_uploads
from app.zones import server_zone

TIMERS: PartialTimersDict = {"schedule": 5, "worker_info": 10, "sweep": 15, "abort": 1}
HEARTBEAT = 15  # seconds of silence after which a delivery job counts as dead


async def deliver(context: Context, *, channel: str) -> None:
    """Send the due deliveries of one channel, until none is left or the worker stops."""
    given, installation = _of(context), _installation(context)
    beating = asyncio.create_task(_beat(given["job"]))
    try:
        await outbox.deliver(
            installation.db,
            installation.channels[channel],
            worker=given["worker_lock"].name,
            is_stopping=given["worker"].event.is_set,
        )
    finally:
        beating.cancel()


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


async def _beat(job: Job) -> None:
    while True:
        await asyncio.sleep(HEARTBEAT / 3)
        await job.update()


async def compile(context: Context, *, compilation_id: int) -> None:  # noqa: ARG001
    """Make the video whose turn it is, not the one that the job was queued for."""
    installation, job = _installation(context), _of(context)["job"]
    await run_compilation(installation.db, installation.settings, job=job)


async def recover(context: Context) -> None:
    """Pick up the compilations that a dead worker left."""
    installation = _installation(context)
    await recover_compilations(installation.db, installation.broker)


async def clean_up(context: Context) -> None:
    """The nightly retention."""
    installation = _installation(context)
    await retention.clean_up(installation.db, installation.settings.retention_days)


async def purge(context: Context) -> None:
    """Remove what can no longer be restored, answered or resumed."""
    installation = _installation(context)
    db, settings = installation.db, installation.settings
    await retention.purge_deleted(db)
    async with db.act() as session:
        await withdraw_expired_invitations(session)
    await sweep_uploads(settings)
    await sweep_videos(db, settings)


def _installation(context: Context) -> Installation:
    installation: Installation = _of(context)["installation"]
    return installation


def _of(context: Context) -> dict[str, Any]:
    """SAQ's context, with the entries that `run` added to SAQ's own."""
    return cast(dict[str, Any], context)


async def run(installation: Installation) -> None:
    """Work until SIGTERM or SIGINT."""
    settings, db, broker = installation.settings, installation.db, installation.broker
    logging.getLogger("saq").addFilter(lambda record: "grace period" not in record.getMessage())
    async with installation.running():
        with WorkerLock(settings.data_dir / "workers") as lock:
            given = {"installation": installation, "worker_lock": lock}
            workers = [_worker(broker.queue, given), _compiling_worker(broker.compilations, given)]
            await recover_compilations(db, broker)
            await claims.sweep(db, lock.crashed())
            enqueue = partial(_enqueue_delivery, broker.queue, lock)
            freeze_loaded_objects()
            channels = installation.channels
            await _work(
                workers,
                [
                    wake(db, channels, broker.relay, enqueue),
                    watch_outages(db, channels, broker.relay),
                ],
            )


def _worker(queue: Queue, given: dict[str, Any]) -> Worker[Context]:
    return _QuietWorker(
        queue,
        [deliver, recover, clean_up, purge],
        cron_jobs=[
            CronJob(recover, cron="* * * * *", timeout=60, retries=3),
            CronJob(purge, cron="*/10 * * * *", timeout=600, retries=3),
            CronJob(clean_up, cron="0 0 * * *", timeout=3600, retries=3),
        ],
        cron_tz=server_zone(),
        before_process=_prepare(given),
        timers=TIMERS,
    )


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
    workers: list[Worker[Context]], beside: Sequence[Coroutine[Any, Any, None]]
) -> None:
    """Wait for a signal, or for a part to end unexpectedly, so that everything is restarted."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    running = [asyncio.create_task(worker.start()) for worker in workers]
    others = [asyncio.create_task(one) for one in (*beside, stopped.wait())]
    await asyncio.wait([*running, *others], return_when=asyncio.FIRST_COMPLETED)
    for task in others:
        task.cancel()
    await asyncio.gather(*(worker.stop() for worker in workers))
    await asyncio.gather(*running, *others, return_exceptions=True)
