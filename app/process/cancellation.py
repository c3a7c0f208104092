"""Gives back what a cancelled task had claimed."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")

_log = logging.getLogger(__name__)


async def claim_or_give_back(
    claiming: Coroutine[Any, Any, T | None], give_back: Callable[[T], Awaitable[None]]
) -> T | None:
    """Returns what `claiming` returns. If the task is cancelled meanwhile, passes it to `give_back`
    and raises CancelledError.

    A cancelled commit may still succeed, so the claim is awaited to see what it claimed. It never
    learns of the cancellation, which some drivers swallow.
    """
    task = asyncio.create_task(claiming)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await _to_its_end(_give_back(task, give_back))
        raise


async def _give_back(
    task: "asyncio.Task[T | None]", give_back: Callable[[T], Awaitable[None]]
) -> None:
    try:
        if (claimed := await task) is not None:
            await give_back(claimed)
    except Exception:
        _log.warning("What a cancelled task had claimed was not given back.", exc_info=True)


async def _to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Finishes `work` even if the task is cancelled again meanwhile, as SAQ does."""
    task = asyncio.create_task(work)
    while not task.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait({task})
