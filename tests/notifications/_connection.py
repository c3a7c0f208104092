"""The server's side of one ASGI connection: what it received from the application, and its pauses."""

import asyncio
from collections.abc import Callable
from typing import Any

from litestar.types import ASGIApp

from app.notifications.live.frames import frame
from app.notifications.live.hub import Hub
from app.notifications.live.stream import (
    HTML,
    SESSION,
    EventStream,
    Format,
    Key,
    Opening,
    ReadOpening,
)

ALICE, BOB, CAROL = 1, 2, 3
A_SESSION = (SESSION, "1")
SECONDS = 30  # a busy machine takes several for what is done in milliseconds otherwise
OPENING = frame("all there is", event="hello")


class Connection:
    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.body = b""
        self.is_complete = False
        self._is_writable = asyncio.Event()
        self._is_writable.set()
        self._is_gone = asyncio.Event()
        self._changed = asyncio.Event()

    def open(self, app: ASGIApp, scope: dict[str, Any] | None = None) -> None:
        self._serving = asyncio.ensure_future(app(scope or {}, self.receive, self.send))  # type: ignore[arg-type]

    async def until_served(self) -> None:
        """Raises what the application raised."""
        await asyncio.wait_for(self._serving, SECONDS)

    async def send(self, message: Any) -> None:
        if not self._is_writable.is_set():
            await self._is_writable.wait()
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], dict(message["headers"])
        else:
            self.body += message["body"]
            self.is_complete = not message["more_body"]
        self._changed.set()
        if self.is_complete:
            self._is_gone.set()

    async def receive(self) -> Any:
        await self._is_gone.wait()
        return {"type": "http.disconnect"}

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(SECONDS):
            while not holds():
                self._changed.clear()
                await self._changed.wait()

    async def until_received(self, part: bytes) -> None:
        await self.until(lambda: part in self.body)

    def pause(self) -> None:
        self._is_writable.clear()

    def resume(self) -> None:
        self._is_writable.set()

    def disconnect(self) -> None:
        self._is_gone.set()


async def present_state(_user_id: int, _position: int) -> Opening:
    return Opening(OPENING)


async def opened(
    hub: Hub,
    user_id: int,
    key: Key = A_SESSION,
    opening: ReadOpening = present_state,
    format: Format = HTML,
) -> Connection:
    """A connection with an open stream, its opening received and forgotten."""
    connection = Connection()
    connection.open(EventStream(hub, user_id, key, opening, format))
    await connection.until_received(OPENING)
    connection.body = b""
    return connection


def request_of(path: str) -> dict[str, Any]:
    """The scope of a GET."""
    http = {"type": "http", "method": "GET", "http_version": "1.1", "scheme": "http"}
    addresses = {"path": path, "raw_path": path.encode(), "query_string": b"", "root_path": ""}
    return http | addresses | {"headers": [], "state": {}}
