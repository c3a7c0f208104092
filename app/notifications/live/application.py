"""Litestar for a stream's request, and nothing of it for the hours that follow.

While an answer is under way, the frames of all middleware and all they put into the scope stay
alive, several times what a stream itself weighs. So a stream only sends its head in there, and
goes on when Litestar is done. When thousands come back at once, a few at a time are let in, so
that whoever wants something else does not stand in line behind them all.
"""

import asyncio
from contextlib import nullcontext
from typing import Any

from litestar import Litestar

from app.notifications.live.stream import FOLLOWING, EventStream

STREAMS = ("/notifications/stream", "/api/notifications/stream")
LET_IN_AT_ONCE = 4


class Application(Litestar):
    """Litestar, after which a stream that a handler has returned goes on."""

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self._entrance = asyncio.Semaphore(LET_IN_AT_ONCE)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        following: list[EventStream] = []
        scope[FOLLOWING] = following
        async with self._entrance if scope.get("path") in STREAMS else nullcontext():
            await super().__call__(scope, receive, send)
        for stream in following:
            _forget(scope)
            await stream.follow(receive, send)


def _forget(scope: dict[str, Any]) -> None:
    """All but what the server may still look at; it holds the same objects."""
    kept = {key: scope.get(key) for key in ("type", "method", "http_version")}
    if isinstance(headers := scope.get("headers"), list):
        headers.clear()
    scope.clear()
    scope.update(kept)
