"""Gives back what a cancelled task had claimed."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def claim_or_give_back(
    claiming: Coroutine[Any, Any, T | None], give_back: Callable[[T], Awaitable[None]]
) -> T | None:
    """Returns what `claiming` returns. If the task is cancelled meanwhile, passes it to `give_back`
    and raises CancelledError.

    A cancelled commit may still succeed, so the claim is awaited to see what it claimed.
    """
    task = asyncio.create_task(claiming)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        if (claimed := await task) is not None:
            await give_back(claimed)
        raise
