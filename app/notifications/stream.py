"""One open stream, from its head to its farewell.

Its ASGI `send` is driven by hand: written to directly while the reader keeps up, with a task
and a short list only while the transport is paused. Middleware may wrap `send`, but nothing
in it may ask for the current task (timeouts, cancel scopes).
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
from types import coroutine
from typing import TYPE_CHECKING, Any

from litestar.types import HTTPResponseBodyEvent, Receive, Scope, Send

from app.notifications.sse import HEADERS, KEEP_ALIVE, farewell

if TYPE_CHECKING:
    from app.notifications.hub import Hub

LIFE_SECONDS = 15 * 60, 60 * 60
COMMENT_SECONDS = 15, 20
FRAMES_HELD = 16

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Flavour:
    """What frames a stream takes, and what becomes of a reader who falls behind.

    With `reopens` the opening is sent once more, as it is the whole present state; without,
    the stream is closed and the reader resumes from the last id.
    """

    name: str
    reopens: bool


HTML = Flavour("html", reopens=True)
JSON = Flavour("json", reopens=False)


class EventStream:
    """What a handler returns to open a stream; an ASGI application, called once.

    `opening` makes the first frames. It begins in the tick in which the hub counts the stream
    in, and frames published since then follow it: nothing falls between, nothing comes twice.
    Raises 503 where the hub has no room.
    """

    __slots__ = (
        "_catching_up",
        "_comment_at",
        "_has_ended",
        "_held",
        "_hub",
        "_keeps_up",
        "_opening",
        "_opening_is_due",
        "_send",
        "ends_at",
        "flavour",
        "opened_at",
        "session_id",
        "user_id",
    )

    def __init__(
        self,
        hub: "Hub",
        user_id: int,
        session_id: str,
        opening: Callable[[], Awaitable[bytes]],
        flavour: Flavour = HTML,
    ) -> None:
        self.user_id = user_id
        self.session_id = session_id
        self.flavour = flavour
        self.opened_at = asyncio.get_running_loop().time()
        self.ends_at = self.opened_at + random.uniform(*LIFE_SECONDS)  # noqa: S311
        self._hub = hub
        self._opening = opening
        self._opening_is_due = True
        self._held: list[HTTPResponseBodyEvent] = []
        self._keeps_up = False
        self._has_ended = False
        self._comment_at = self.opened_at + random.uniform(*COMMENT_SECONDS)  # noqa: S311
        self._catching_up: asyncio.Task[None] | None = None

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        self._send = send
        self._hub.require_room()
        await send({"type": "http.response.start", "status": 200, "headers": list(HEADERS)})
        self._hub.enter(self)
        try:
            await self._catch_up()
            while (await receive())["type"] != "http.disconnect":
                pass
        finally:
            self._leave()

    def send(self, frame: bytes) -> None:
        """Write a frame, or hold it while the reader is behind."""
        if self._has_ended:
            return
        if self._keeps_up:
            self._write(_body(frame))
        elif len(self._held) < FRAMES_HELD:
            self._held.append(_body(frame))
        else:
            self._give_up_holding()

    def end(self, goodbye: bytes) -> None:
        """Write the last frame; a reader who is behind gets it when he reads on."""
        if self._has_ended:
            return
        self._hub.leave(self)
        self._has_ended = True
        if self._keeps_up:
            self._write(_body(goodbye, is_last=True))
        else:
            self._opening_is_due = False
            self._held[:] = [_body(goodbye, is_last=True)]

    def tick(self, now: float) -> None:
        """Say goodbye or send a comment, if it is time; `now` is the loop's."""
        if now >= self.ends_at:
            self.end(farewell())
        elif now >= self._comment_at:
            self._comment_at = now + random.uniform(*COMMENT_SECONDS)  # noqa: S311
            if self._keeps_up:
                self._write(_body(KEEP_ALIVE))

    def _write(self, message: HTTPResponseBodyEvent) -> None:
        """Run `send` to its end at once; should it have to wait, a task waits."""
        sending = self._send(message).__await__()
        try:
            awaited = next(sending)
        except StopIteration:
            return
        except Exception:
            _log.exception("A stream broke off.")
            self._leave()
            return
        self._keeps_up = False
        self._catching_up = asyncio.create_task(self._resume(sending, awaited))

    async def _resume(self, sending: Generator[Any, Any, None], awaited: Any) -> None:
        try:
            await _rest_of(sending, awaited)
            await self._catch_up()
        except Exception:
            _log.exception("A stream could not be opened again.")
            self._keeps_up = True
            self.end(farewell())

    async def _catch_up(self) -> None:
        """Send the opening if it is due, then what is held, until frames can pass directly."""
        while self._opening_is_due or self._held:
            if self._opening_is_due:
                await self._open()
            else:
                await self._send(self._held.pop(0))
        self._keeps_up = True

    async def _open(self) -> None:
        self._opening_is_due = False
        self._held.clear()
        first = await self._opening()
        if not self._has_ended:
            await self._send(_body(first))

    def _give_up_holding(self) -> None:
        if self.flavour.reopens:
            self._opening_is_due = True
            self._held.clear()
        else:
            self.end(farewell())

    def _leave(self) -> None:
        self._hub.leave(self)
        self._has_ended = True
        if self._catching_up:
            self._catching_up.cancel()


def _body(frame: bytes, *, is_last: bool = False) -> HTTPResponseBodyEvent:
    return {"type": "http.response.body", "body": frame, "more_body": not is_last}


@coroutine
def _rest_of(sending: Generator[Any, Any, None], awaited: Any) -> Generator[Any, Any, None]:
    """Hand a half-run coroutine to a task: what it waits for first, then its other steps."""
    yield awaited
    yield from sending
