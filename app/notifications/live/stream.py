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
from typing import TYPE_CHECKING, Any, NamedTuple

from litestar.types import HTTPResponseBodyEvent, Receive, Scope, Send

from app.notifications.live.frames import COMMENT, HEADERS, farewell, frame

if TYPE_CHECKING:
    from app.notifications.live.hub import Hub

LIFE_SECONDS = 15 * 60, 60 * 60
KEEP_ALIVE_SECONDS = 15, 20
FRAMES_HELD = 16

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Flavour:
    """What frames a stream takes, what keeps it alive, and what becomes of a slow reader.

    With `reopens` the opening is sent once more, as it is the whole present state; without,
    the stream is closed and the reader resumes from the last id.
    """

    name: str
    keep_alive: bytes
    reopens: bool


# htmx passes no comments on, and a page must notice when a connection has gone silent.
HTML = Flavour("html", keep_alive=frame("{}", event="alive"), reopens=True)
JSON = Flavour("json", keep_alive=COMMENT, reopens=False)


class Opening(NamedTuple):
    """The first frames of a stream; the stream asks again for what follows while `is_part`."""

    frames: bytes
    is_part: bool = False


# What let somebody in: their session or token, and its id.
Key = tuple[str, int]
SESSION, TOKEN = "session", "token"

# Where in a scope an `Application` looks for the stream that goes on when Litestar is done.
FOLLOWING = "clippyfront.following"

# Given whose stream it is and up to which position it must tell; what comes later is published.
Open = Callable[[int, int], Awaitable[Opening]]


class EventStream:
    """What a handler returns to open a stream; an ASGI application, called once.

    `opening` makes the first frames. It begins in the tick in which the hub counts the stream
    in, and frames published since then follow it: nothing falls between, nothing comes twice.
    Raises 503 where the hub has no room.
    """

    __slots__ = (
        "_alive_at",
        "_catching_up",
        "_has_ended",
        "_held",
        "_hub",
        "_is_opening",
        "_keeps_up",
        "_opening",
        "_opening_is_due",
        "_send",
        "ends_at",
        "flavour",
        "key",
        "opened_at",
        "told_to",
        "user_id",
    )

    def __init__(
        self, hub: "Hub", user_id: int, key: Key, opening: Open, flavour: Flavour = HTML
    ) -> None:
        self.user_id = user_id
        self.key = key
        self.flavour = flavour
        self.opened_at = asyncio.get_running_loop().time()
        self.ends_at = self.opened_at + random.uniform(*LIFE_SECONDS)  # noqa: S311
        self._hub = hub
        self._opening = opening
        self._opening_is_due = True
        self._is_opening = True
        self.told_to = 0
        self._held: list[HTTPResponseBodyEvent] = []
        self._keeps_up = False
        self._has_ended = False
        self._alive_at = self.opened_at + random.uniform(*KEEP_ALIVE_SECONDS)  # noqa: S311
        self._catching_up: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the head; go on from there, or leave it to an `Application` that does."""
        self._hub.require_room()
        await send({"type": "http.response.start", "status": 200, "headers": list(HEADERS)})
        following: list[EventStream] | None = scope.get(FOLLOWING)  # type: ignore[assignment]
        if following is None:
            await self.follow(receive, send)
        else:
            following.append(self)

    async def follow(self, receive: Receive, send: Send) -> None:
        """All that comes after the head."""
        self._send = send
        self._hub.enter(self)
        try:
            await self._begin()
            while (await receive())["type"] != "http.disconnect":
                pass
        finally:
            self._leave()

    def send(self, frame: bytes, position: int | None = None) -> None:
        """Write a frame, or hold it while the reader is behind.

        What the opening tells already, as `position` shows, is left out.
        """
        if self._has_ended or (position is not None and position <= self.told_to):
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
        """Say goodbye or show a sign of life, if it is time; `now` is the loop's."""
        if now >= self.ends_at:
            self.end(farewell())
        elif now >= self._alive_at:
            self._alive_at = now + random.uniform(*KEEP_ALIVE_SECONDS)  # noqa: S311
            if self._keeps_up:
                self._write(_body(self.flavour.keep_alive))

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
        except Exception:
            _log.exception("A stream broke off.")
            self._leave()
        else:
            await self._begin()

    async def _begin(self) -> None:
        try:
            await self._catch_up()
        except Exception:
            _log.exception("A stream could not be opened.")
            self._keeps_up = True
            self.end(farewell())

    async def _catch_up(self) -> None:
        """Send the opening if it is due, then what is held, until frames can pass directly."""
        while self._opening_is_due or self._held:
            if self._opening_is_due:
                await self._open()
            else:
                await self._send(self._held.pop(0))
        self._keeps_up, self._is_opening = True, False

    async def _open(self) -> None:
        self._opening_is_due, self._is_opening = False, True
        self._held.clear()
        self.told_to = self._hub.position
        opening = await self._opening(self.user_id, self.told_to)
        if not self._has_ended:
            self._opening_is_due |= opening.is_part
            if opening.frames:
                await self._send(_body(opening.frames))

    def _give_up_holding(self) -> None:
        """The opening can tell it as well, while it is under way or may come once more."""
        if self._is_opening or self.flavour.reopens:
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
