"""Recovers a job whose worker went silent."""

import logging
from contextlib import suppress

from saq import Job, Queue, Status
from saq.job import TERMINAL_STATUSES

logger = logging.getLogger("saq")


async def recover(job: Job, queue: Queue, grace_seconds: float) -> None:
    """Retry the job if that is allowed and nobody aborted it; otherwise end it.

    A worker that is still running gets `grace_seconds` to release the job.
    """
    logger.info("Sweeping %s", job.info(logger.isEnabledFor(logging.DEBUG)))
    error = _reason(job, queue.swept_error_message)
    await queue.abort(job, error)
    with suppress(TimeoutError):
        await queue.listen([job.key], _has_ended, grace_seconds)
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
    """An abort that was requested before the worker went silent keeps its own reason."""
    return job.error if job.status is Status.ABORTING and job.error else swept
