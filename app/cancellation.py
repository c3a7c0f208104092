"""Claims that a cancelled task does not leave behind."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def claim_or_give_back(
    claiming: Coroutine[Any, Any, T | None], give_back: Callable[[T], Awaitable[None]]
) -> T | None:
    """Returns what `claiming` returns. If the task is cancelled meanwhile, passes it to `give_back`
    and raises CancelledError.

    A commit that is cancelled may have happened all the same. Only its end shows what was claimed.
    """
    task = asyncio.create_task(claiming)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        if (claimed := await task) is not None:
            await give_back(claimed)
        raise
