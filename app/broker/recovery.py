"""What becomes of a job whose worker went silent."""

import logging
from contextlib import suppress

from saq import Job, Queue, Status
from saq.job import TERMINAL_STATUSES

logger = logging.getLogger("saq")


async def recover(job: Job, queue: Queue, patience: float) -> None:
    """Run it again if it may be and nobody has asked for its end; else end it.

    A worker that still lives gets `patience` seconds to let go of it.
    """
    logger.info("Sweeping %s", job.info(logger.isEnabledFor(logging.DEBUG)))
    error = _reason(job, queue.swept_error_message)
    await queue.abort(job, error)
    with suppress(TimeoutError):
        await queue.listen([job.key], _has_ended, patience)
    left = await queue.job(job.key)
    if not left or left.status in (Status.COMPLETE, Status.FAILED):
        return
    if left.retryable and error == queue.swept_error_message:
        await queue.retry(left, error)
    else:
        await queue.finish(left, Status.ABORTED, error=error)


def _has_ended(_key: str, status: Status) -> bool:
    return status in TERMINAL_STATUSES


def _reason(job: Job, swept: str) -> str:
    """Somebody's own wish to end the job outlives the worker that was to fulfil it."""
    return job.error if job.status is Status.ABORTING and job.error else swept
