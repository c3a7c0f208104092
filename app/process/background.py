"""Background tasks that run as long as their process does. If one ended, nobody would notice."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

RETRY_SECONDS = 1.0

_log = logging.getLogger(__name__)


async def repeat(
    step: Callable[[], Awaitable[object]], failure: str, *, pause: float | None = None
) -> None:
    """Calls `step` again and again until cancelled. No error ends it: an error is logged with the
    sentence `failure`, and the next call comes `pause` seconds later (RETRY_SECONDS by default).

    A step that always fails does not flood the log: the log writes a repeated failure at growing
    intervals (app/telemetry/repetition.py).
    """
    while True:
        try:
            await step()
        except Exception:
            _log.exception(failure)
            await asyncio.sleep(RETRY_SECONDS if pause is None else pause)
