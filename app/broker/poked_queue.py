"""The part of the queue that is the same on every store: a poke wakes the workers that wait for a
job.

A wait also ends when the next job is due, so that a delay may have a fraction of a second. SAQ's own
waiting stops working after the first lost connection; its workers then poll without a pause.

A key waits once. Enqueued again for an earlier time, the waiting job is moved up to it, with its
arguments and its attempts. A key whose job has ended may be enqueued again.
"""

import asyncio
import inspect
import json
import logging
from abc import abstractmethod
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import Any

from saq import Job, Queue, Status
from saq.job import TERMINAL_STATUSES
from saq.types import ListenCallback
from saq.utils import now, now_seconds

from app.broker.relay import Relay
from app.faults import fault_of, pauses
from app.process.cancellation import claim_or_give_back

# How long a lost poke can delay a job, and how long while no poke can be heard.
POLL_SECONDS, DEAF_POLL_SECONDS = 5.0, 1.0
# After an outage of the store, living workers get this long to report before dead ones are swept.
GRACE_SECONDS = 30.0
# A start or report further in the future than this was written while the clock was ahead.
AHEAD_SECONDS = 60

STARTED = {Status.ACTIVE, Status.ABORTING}
ENDED = TERMINAL_STATUSES

# Arguments and results must be JSON.
to_json = partial(json.dumps, allow_nan=False)

# A job, or how many seconds to wait for one at most.
Found = Job | float

logger = logging.getLogger("saq")


class PokedQueue(Queue):
    """A mixin, to be listed before SAQ's class for the store. Call `_use` before anything else."""

    def _use(self, relay: Relay, poll_seconds: float) -> None:
        self._relay = relay
        self._work, self._updates = f"queue:{self.name}", f"jobs:{self.name}"
        self._poll_seconds = poll_seconds
        self._watching = asyncio.Lock()
        self._poked = asyncio.Event()
        self._away_until = 0.0
        self._relay.listen(self._work, self._poked.set)

    @abstractmethod
    async def _take(self) -> Job | None:
        """Mark the next due job as active and record when it was taken; None if none is due."""

    @abstractmethod
    async def _put_back(self, job: Job) -> None:
        """Return a job that was taken but not begun to the queue."""

    @abstractmethod
    async def _seconds_until_due(self) -> float | None:
        """Until the soonest waiting job is due; None without one."""

    async def connect(self) -> None:
        """Connect the store and the relay. Connecting twice does no harm."""
        await self._relay.connect()
        await super().connect()

    async def schedule(self, _lock: int = 1) -> list[str]:
        """Nothing: a job is taken once it is due."""
        return []

    async def dequeue(self, timeout: float = 0.0, poll_interval: float = 0.0) -> Job | None:
        """The next job, marked active; None after `timeout` seconds (0: never) or if cancelled.

        Of the tasks waiting here only the first watches the queue, so that a poke costs one
        query, not one per task.
        """
        with suppress(TimeoutError, asyncio.CancelledError):
            async with asyncio.timeout(timeout or None), self._watching:
                return await self._next_job(poll_interval)
        return None

    async def _next_job(self, poll_interval: float) -> Job:
        until_retry = pauses()
        while True:
            self._poked.clear()
            try:
                looking = self._look(poll_interval)
                found: Found | None = await claim_or_give_back(looking, self._give_back)
            except Exception as error:
                # SAQ would ask again at once, and say nothing.
                _log_failure(error)
                self._away_until = monotonic() + GRACE_SECONDS
                await asyncio.sleep(next(until_retry))
                continue
            if isinstance(found, Job):
                return found
            until_retry = pauses()
            await _wait(self._poked, found or 0.0)

    async def _look(self, poll_interval: float) -> Found:
        """The next job, marked active; without one, how many seconds to wait at most."""
        if job := await self._take():
            return job
        until_due = await self._seconds_until_due()
        longest = self._poll_seconds if self._relay.is_connected else DEAF_POLL_SECONDS
        longest = min(poll_interval or longest, longest)
        return longest if until_due is None else min(longest, until_due)

    async def _give_back(self, found: Found | None) -> None:
        if isinstance(found, Job):
            found.started, found.status = 0, Status.QUEUED
            await self._put_back(found)

    @property
    def was_away(self) -> bool:
        """Whether the store could not be reached a moment ago."""
        return monotonic() < self._away_until

    async def listen(
        self,
        job_keys: Iterable[str],
        callback: ListenCallback,
        timeout: float | None = 10,
        poll_interval: float = 0.5,
    ) -> None:
        """Call `callback(key, status)` for each job, now and after updates, until it returns True.

        Raises `TimeoutError` after `timeout` seconds; None or 0 waits forever.
        """
        keys, updated = list(job_keys), asyncio.Event()
        stop_listening = self._relay.listen(self._updates, updated.set)
        try:
            async with asyncio.timeout(timeout or None):
                while not await self._is_enough(keys, callback):
                    await _wait(updated, poll_interval)
                    updated.clear()
        finally:
            stop_listening()

    async def _is_enough(self, keys: list[str], callback: ListenCallback) -> bool:
        for job in await self.jobs(keys):
            if job:
                stop = callback(job.key, job.status)
                if await stop if inspect.isawaitable(stop) else stop:
                    return True
        return False

    async def notify(self, job: Job) -> None:
        """Wake the listeners of jobs, and the idle workers if a job may be ready."""
        self._relay.poke(self._updates)
        if job.status is Status.QUEUED or job.group_key:
            self._relay.poke(self._work)

    async def _retry(self, job: Job, error: str | None) -> None:
        await self.update(job, status=Status.QUEUED, scheduled=retry_time(job), error=error)


def retry_time(job: Job) -> Any:
    """In epoch seconds, with a fraction that SAQ's type of the field does not mention."""
    delay = job.next_retry_delay()
    return now_seconds() + delay if delay else job.scheduled or now_seconds()


def kept_status(stored: Status | None, wanted: Status | None) -> Status | None:
    """The status after an update. A job that starts must not overwrite an abort."""
    is_aborted = stored in (Status.ABORTING, Status.ABORTED)
    return stored if wanted is None or (wanted is Status.ACTIVE and is_aborted) else wanted


def is_too_late(stored: Status | None, wanted: Status) -> bool:
    """Aborting has no effect on a job that was queued again or has ended otherwise."""
    others = (Status.QUEUED, Status.COMPLETE, Status.FAILED)
    return wanted is Status.ABORTED and stored in others


def count_from_now(job: Job) -> bool:
    """Corrects a job whose start or last report is in the future; returns whether it was. Otherwise
    it would not be swept until then, even if its worker has died.
    """
    latest = now()
    if max(job.started, job.touched) <= latest + AHEAD_SECONDS * 1000:
        return False
    job.started, job.touched = min(job.started, latest), min(job.touched, latest)
    return True


def _log_failure(error: Exception) -> None:
    if fault := fault_of(error):
        logger.warning("No job can be taken: %s", fault)
    else:
        logger.error("No job can be taken.", exc_info=error)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    """Wait for the event, but no longer than this."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
