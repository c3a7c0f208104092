"""One open stream, from its response head to its last frame. Its states are in `states.py`.

The stream drives ASGI's `send` by hand: it writes directly while the reader keeps up, and needs
a task and a short list only while the transport is paused. Middleware may wrap `send`, but must
not ask for the current task in it (timeouts, cancel scopes).
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
from types import coroutine
from typing import Any, NamedTuple, Protocol

from litestar.types import HTTPResponseBodyEvent, Receive, Scope, Send

from app.notifications.live.frames import COMMENT, HEADERS, bye_frame, frame
from app.notifications.live.states import (
    BEHIND,
    ENDED,
    ENDING,
    LIVE,
    OPENING,
    STALE,
    TRANSITIONS,
    State,
)

LIFETIME_SECONDS = 15 * 60, 60 * 60
KEEP_ALIVE_SECONDS = 15, 20
FRAMES_HELD = 16

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Format:
    """The kind of frames a stream carries, its keep-alive, and how it treats a slow reader.

    With `reopens`, the opening is sent again, because it contains the whole present state.
    Without, the stream ends and the client resumes from the last id it received.
    """

    name: str
    keep_alive: bytes
    reopens: bool


# htmx does not pass comments on, and a page must notice when its connection has gone silent.
HTML = Format("html", keep_alive=frame("{}", event="alive"), reopens=True)
JSON = Format("json", keep_alive=COMMENT, reopens=False)


class Opening(NamedTuple):
    """The first frames of a stream. After a part, the stream asks for the next one."""

    frames: bytes
    is_part: bool = False


# What authenticated the request: a session or a token, and the random part of its row.
Key = tuple[str, str]
SESSION, TOKEN = "session", "token"

# The scope's entry for streams that are served after Litestar has handled the request.
DETACHED = "clippyfront.detached_streams"

# Called with the user's id and the position up to which the opening must contain every change.
ReadOpening = Callable[[int, int], Awaitable[Opening]]


def key_of(scope: Scope) -> Key:
    """What authenticated this request."""
    key: Key = scope["state"]["stream_key"]
    return key


class Registry(Protocol):
    """The part of the hub that a stream uses."""

    position: int

    def require_room(self) -> None: ...
    def enter(self, stream: "EventStream") -> None: ...
    def leave(self, stream: "EventStream") -> None: ...


class EventStream:
    """What a handler returns to open a stream; an ASGI application, called once.

    The hub registers the stream in the same tick in which `read_opening` is called, and frames
    published after that follow the opening: nothing is lost between the two or sent twice. The client
    has every change up to `since`, which this process may not have noticed yet.
    Raises 503 when the hub is full.
    """

    __slots__ = (
        "_catching_up",
        "_held",
        "_hub",
        "_keep_alive_at",
        "_read_opening",
        "_send",
        "_since",
        "ends_at",
        "format",
        "key",
        "opened_at",
        "opening_position",
        "state",
        "user_id",
    )

    def __init__(
        self,
        hub: Registry,
        user_id: int,
        key: Key,
        read_opening: ReadOpening,
        format: Format = HTML,
        since: int = 0,
    ) -> None:
        self.user_id = user_id
        self.key = key
        self.format = format
        self.state = STALE
        self.opening_position = 0
        self.opened_at = asyncio.get_running_loop().time()
        self.ends_at = self.opened_at + random.uniform(*LIFETIME_SECONDS)  # noqa: S311
        self._keep_alive_at = self.opened_at + random.uniform(*KEEP_ALIVE_SECONDS)  # noqa: S311
        self._hub = hub
        self._read_opening = read_opening
        self._since = since
        self._held: list[HTTPResponseBodyEvent] = []
        self._catching_up: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the head; then serve the stream, or leave that to a `StreamingLitestar`."""
        self._hub.require_room()
        await send({"type": "http.response.start", "status": 200, "headers": list(HEADERS)})
        detached: list[EventStream] | None = scope.get(DETACHED)  # type: ignore[assignment]
        if detached is None:
            await self.serve(receive, send)
        else:
            detached.append(self)

    async def serve(self, receive: Receive, send: Send) -> None:
        """Everything after the head, until the client disconnects."""
        self._send = send
        self._hub.enter(self)
        try:
            await self._catch_up()
            while (await receive())["type"] != "http.disconnect":
                pass
        finally:
            self._leave()

    def send(self, frame: bytes, position: int | None = None) -> None:
        """Write a frame, or hold it while the reader is behind.

        A change whose `position` the opening already covers is left out.
        """
        if position is not None and position <= self.opening_position:
            return
        if self.state is LIVE:
            self._write(_body(frame))
        elif self.state is OPENING or self.state is BEHIND:
            self._hold(_body(frame))

    def end(self, last: bytes) -> None:
        """Write the last frame; a reader who is behind gets it in place of the frames held."""
        if self.state is LIVE:
            self._become(ENDED)
            self._write(_body(last, is_last=True))
        elif ENDING in TRANSITIONS[self.state]:
            self._become(ENDING)
            self._held[:] = [_body(last, is_last=True)]

    def tick(self, now: float) -> None:
        """End the stream or send a keep-alive when it is time; `now` is the loop's time."""
        if now >= self.ends_at:
            self.end(bye_frame())
        elif now >= self._keep_alive_at:
            self._keep_alive_at = now + random.uniform(*KEEP_ALIVE_SECONDS)  # noqa: S311
            if self.state is LIVE:
                self._write(_body(self.format.keep_alive))

    def _become(self, state: State) -> None:
        if state not in TRANSITIONS[self.state]:
            raise RuntimeError(f"A stream cannot go from {self.state.name} to {state.name}.")
        if state is ENDING or (state is ENDED and self.state is not ENDING):
            self._hub.leave(self)
        self.state = state

    def _write(self, message: HTTPResponseBodyEvent) -> None:
        """Run `send` to its end at once; if it has to wait, a task waits for it."""
        sending = self._send(message).__await__()
        try:
            awaited = next(sending)
        except StopIteration:
            return
        except Exception:
            self._break_off()
            return
        if self.state is LIVE:
            self._become(BEHIND)
        self._catching_up = asyncio.create_task(self._resume(sending, awaited))

    async def _resume(self, sending: Generator[Any, Any, None], awaited: Any) -> None:
        try:
            await _rest_of(sending, awaited)
        except Exception:
            self._break_off()
        else:
            await self._catch_up()

    async def _catch_up(self) -> None:
        """Send held frames until frames can be written directly, or the stream has ended."""
        try:
            while self.state is not LIVE and self.state is not ENDED:
                await self._send_next()
        except Exception:
            self._break_off()

    async def _send_next(self) -> None:
        if self.state is STALE:
            await self._open()
        elif not self._held:
            self._become(LIVE)
        else:
            message = self._held.pop(0)
            if self.state is ENDING:
                self._become(ENDED)
            await self._send(message)

    async def _open(self) -> None:
        self._become(OPENING)
        self.opening_position = max(self._hub.position, self._since)
        try:
            opening = await self._read_opening(self.user_id, self.opening_position)
        except Exception:
            _log.exception("The opening of a stream could not be read.")
            self.end(bye_frame())
        else:
            await self._send_opening(opening)

    async def _send_opening(self, opening: Opening) -> None:
        if opening.is_part and self.state is OPENING:
            self._become_stale()
        if self.state is OPENING or self.state is STALE:
            await self._send(_body(opening.frames))
        if self.state is OPENING:
            self._become(BEHIND)

    def _hold(self, message: HTTPResponseBodyEvent) -> None:
        """Hold a few; beyond that, read an opening (the next part of it) or end the stream."""
        if len(self._held) < FRAMES_HELD:
            self._held.append(message)
        elif self.state is OPENING or self.format.reopens:
            self._become_stale()
        else:
            self.end(bye_frame())

    def _become_stale(self) -> None:
        self._become(STALE)
        self._held.clear()

    def _break_off(self) -> None:
        _log.exception("The connection of a stream broke.")
        self._leave()

    def _leave(self) -> None:
        if self.state is not ENDED:
            self._become(ENDED)
        if self._catching_up:
            self._catching_up.cancel()


def _body(frame: bytes, *, is_last: bool = False) -> HTTPResponseBodyEvent:
    return {"type": "http.response.body", "body": frame, "more_body": not is_last}


@coroutine
def _rest_of(sending: Generator[Any, Any, None], awaited: Any) -> Generator[Any, Any, None]:
    """Let a task finish a coroutine that already ran up to `awaited`."""
    yield awaited
    yield from sending
