"""Serves streams after Litestar has handled their requests, so that nothing of a request outlives
it.

While a response is being sent, the frames of all middleware and everything they put into the scope
stay in memory: several times the size of the stream itself. So only the head of a stream is sent
inside Litestar; the stream is served when Litestar is done. When thousands of clients reconnect at
once, only a few of their requests are handled at a time, so that other requests do not queue behind
all of them. These few never wait for a client: their bodies are not read, and each response is
written after the next request may enter.
"""

import asyncio
from typing import Any

from litestar import Litestar
from litestar.types import HTTPReceiveMessage, Message, Scope, Send

from app.notifications.live.stream import DETACHED, EventStream

STREAM_PATHS = ("/notifications/stream", "/api/notifications/stream")
OPENING_AT_ONCE = 4


class StreamingLitestar(Litestar):
    """A Litestar that serves a stream detached from the request that opened it."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._opening = asyncio.Semaphore(OPENING_AT_ONCE)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        detached: list[EventStream] = []
        scope[DETACHED] = detached
        if scope.get("path") in STREAM_PATHS:
            await self._open(scope, send)
        else:
            await super().__call__(scope, receive, send)
        for stream in detached:
            _clear(scope)
            await stream.serve(receive, send)

    async def _open(self, scope: Scope, send: Send) -> None:
        """Send a stream's head or an error page, both of which are short enough to keep."""
        response: list[Message] = []

        async def keep(message: Message) -> None:
            response.append(message)

        async with self._opening:
            await asyncio.sleep(0)  # requests that never wait would all be handled in one turn
            await super().__call__(scope, _no_body, keep)
        for message in response:
            await send(message)


async def _no_body() -> HTTPReceiveMessage:
    return {"type": "http.request", "body": b"", "more_body": False}


def _clear(scope: dict[str, Any]) -> None:
    """Keep only what the server may still read; it holds the same dict and list."""
    kept = {key: scope.get(key) for key in ("type", "method", "http_version")}
    if isinstance(headers := scope.get("headers"), list):
        headers.clear()
    scope.clear()
    scope.update(kept)
