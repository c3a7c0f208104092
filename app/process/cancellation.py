"""Ends tasks, and gives back what a cancelled one had claimed."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")

# Longer than a cancelled transaction may have to wait for its turn to roll back (BUSY_SECONDS).
AGAIN_SECONDS = 15.0

_log = logging.getLogger(__name__)


async def end(*tasks: "asyncio.Task[Any]", again_after: float = AGAIN_SECONDS) -> None:
    """Cancels the tasks and waits until all have ended and released what they held.

    What still runs after `again_after` seconds is cancelled again: before Python 3.12,
    `asyncio.wait_for`, in which the clients of Redis and SMTP wait, loses a cancellation that comes
    at the same time as the result.
    """
    running = set(tasks)
    while running:
        for task in running:
            task.cancel()
        _ended, running = await asyncio.wait(running, timeout=again_after)


async def claim_or_give_back(
    claiming: Coroutine[Any, Any, T | None], give_back: Callable[[T], Awaitable[None]]
) -> T | None:
    """Returns what `claiming` returns. If the task is cancelled meanwhile, passes it to `give_back`
    and raises CancelledError.

    A cancelled commit may still succeed, so the claim runs to its end, and the cancellation is not
    passed on to it: some drivers swallow one.
    """
    task = asyncio.create_task(claiming)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await _to_its_end(asyncio.create_task(_give_back(task, give_back)))
        raise


async def to_thread(work: Callable[[], T], interrupt: Callable[[], None]) -> T:
    """Returns what `work` returns, which runs in a thread. If the task is cancelled meanwhile, calls
    `interrupt` and ends only after the thread, which goes on using what it was given.
    """
    running = asyncio.create_task(asyncio.to_thread(work))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        interrupt()
        await _to_its_end(running)
        raise


async def _give_back(
    task: "asyncio.Task[T | None]", give_back: Callable[[T], Awaitable[None]]
) -> None:
    try:
        if (claimed := await task) is not None:
            await give_back(claimed)
    except Exception:
        _log.warning("What a cancelled task had claimed was not given back.", exc_info=True)


async def _to_its_end(task: "asyncio.Task[Any]") -> None:
    """Waits for it even if this task is cancelled again meanwhile, as SAQ does."""
    while not task.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait({task})
