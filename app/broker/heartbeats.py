"""Shows that a running job's worker is alive. Where the queue is away, the job goes on."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from saq import Job

from app.process.cancellation import end

# A job is given to another worker after HEARTBEAT seconds of silence. A server of the queue that
# restarts must not make a living worker seem dead.
HEARTBEAT, BEAT_SECONDS = 60, 5

_log = logging.getLogger(__name__)


@asynccontextmanager
async def beating(job: Job) -> AsyncIterator[None]:
    task = asyncio.create_task(_keep_beating(job))
    try:
        yield
    finally:
        await end(task, again_after=1)


async def _keep_beating(job: Job) -> None:
    while True:
        await asyncio.sleep(BEAT_SECONDS)
        try:
            await job.update()
        except Exception as error:
            _log.warning("The queue does not learn that a job is alive: %s", error)
