"""Reports that the worker of a running job is alive. The job goes on while the queue is
unreachable.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from saq import Job

from app.process.cancellation import end

# A job is given to another worker after HEARTBEAT seconds without a report. That is long enough for
# the queue's server to restart without a living worker appearing dead.
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
