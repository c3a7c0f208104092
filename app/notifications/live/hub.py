"""The open streams of this process, and how one event reaches many of them.

No stream has a task, timer or queue of its own: a frame is written to all streams in one go, and
one ticker keeps all of them alive. The database is the source of truth: if a stream misses a
change here, its next opening includes it.
"""

import asyncio
import random
import signal
import threading
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, KeysView
from contextlib import asynccontextmanager, contextmanager
from itertools import chain
from types import FrameType

from litestar.exceptions import ServiceUnavailableException

from app.language import _
from app.notifications.live.frames import bye_frame
from app.notifications.live.stream import HTML, JSON, EventStream, Format, Key
from app.process.background import repeat
from app.process.cancellation import end
from app.telemetry.metrics import count_stream

STREAMS_PER_USER = 30
RETRY_OF_THE_OLDEST = 60_000  # milliseconds
# After this many users, a broadcast lets other requests run.
USERS_PER_TURN = 100
TICK_SECONDS = 1
# After this many, other requests run: some of the streams get a keep-alive.
STREAMS_PER_TICK = 500


class Hub:
    """At most `most_streams` open streams; further ones are answered 503.

    `position` is that of the last change handed to the publishers; a stream that opens covers
    everything up to there in its opening. The follower advances it *before* publishers read what
    to publish and to whom. All methods must be called on the event loop's thread; `running` belongs
    in the application's lifespan.
    """

    def __init__(self, most_streams: int = 20_000) -> None:
        self.most_streams = most_streams
        self.count = 0
        self.position = 0
        self._streams: dict[Format, dict[int, list[EventStream]]] = {HTML: {}, JSON: {}}
        self._new_keys = set[Key]()
        self._broadcasting = asyncio.Lock()
        self._is_draining = False

    def connected(self, format: Format = HTML) -> KeysView[int]:
        """The ids of the users with open streams: a live view; copy it before awaiting."""
        return self._streams[format].keys()

    def needs(self, format: Format, position: int) -> bool:
        """Whether there is a stream whose opening does not cover `position`."""
        users = self._streams[format].values()
        return any(stream.opening_position < position for streams in users for stream in streams)

    def send(
        self, user_id: int, frame: bytes, format: Format = HTML, position: int | None = None
    ) -> None:
        """Write to all of a user's streams now, even in the middle of a broadcast."""
        for stream in tuple(self._streams[format].get(user_id, ())):
            stream.send(frame, position)

    async def broadcast(
        self,
        frames: Iterable[tuple[int, bytes]],
        format: Format = HTML,
        position: int | None = None,
    ) -> None:
        """Write each user's frame to that user's streams; broadcasts keep their order.

        A stream that opens meanwhile covers the change at `position` in its opening.
        """
        async with self._broadcasting:
            for number, (user_id, frame) in enumerate(frames, 1):
                self.send(user_id, frame, format, position)
                if number % USERS_PER_TURN == 0:
                    await asyncio.sleep(0)

    def keys(self) -> set[Key]:
        """The sessions and tokens that opened the streams."""
        return {stream.key for stream in self._all()}

    def take_new_keys(self) -> set[Key]:
        """The keys of the streams that were opened since the last call."""
        taken, self._new_keys = self._new_keys, set()
        return taken

    def close(self, keys: Collection[Key]) -> None:
        """End the streams that these sessions and tokens opened."""
        for stream in self._all():
            if stream.key in keys:
                stream.end(bye_frame())

    def restart_streams(self, position: int, users: Collection[int]) -> None:
        """End the streams of these users whose opening does not cover `position`: their clients
        reconnect, and read what they miss from the database.
        """
        for stream in self._all():
            if stream.user_id in users and stream.opening_position < position:
                stream.end(bye_frame())

    def drain(self) -> None:
        """End every stream and open no more: the process is about to exit."""
        self._is_draining = True
        for stream in self._all():
            stream.end(bye_frame())

    @asynccontextmanager
    async def running(self, _app: object = None) -> AsyncIterator[None]:
        """Keep streams alive meanwhile, and drain on SIGTERM, on SIGINT and at the end."""
        ticking = asyncio.create_task(self._keep_ticking())
        try:
            with self._draining_on_signals():
                yield
        finally:
            self.drain()
            await end(ticking)

    def tick(self, now: float) -> None:
        """Send the keep-alives due at `now` (the loop's time) and end streams past their time."""
        for stream in self._all():
            stream.tick(now)

    def require_room(self) -> None:
        """Raises 503 when there is no room for another stream."""
        if self._is_draining or self.count >= self.most_streams:
            raise ServiceUnavailableException(
                detail=_("Live updates are busy right now and will resume automatically."),
                headers={"Retry-After": str(random.randint(5, 30))},  # noqa: S311
            )

    def enter(self, stream: EventStream) -> None:
        """Register a stream; beyond a user's limit, that user's oldest one ends."""
        others = self._of(stream.user_id)
        if len(others) >= STREAMS_PER_USER:
            min(others, key=lambda other: other.opened_at).end(bye_frame(RETRY_OF_THE_OLDEST))
        self._streams[stream.format].setdefault(stream.user_id, []).append(stream)
        self._new_keys.add(stream.key)
        self.count += 1
        count_stream(1)

    def leave(self, stream: EventStream) -> None:
        """Unregister a stream, exactly once."""
        users = self._streams[stream.format]
        users[stream.user_id].remove(stream)
        if not users[stream.user_id]:
            del users[stream.user_id]
        self.count -= 1
        count_stream(-1)

    def _of(self, user_id: int) -> list[EventStream]:
        return [each for users in self._streams.values() for each in users.get(user_id, ())]

    def _all(self) -> list[EventStream]:
        users = chain.from_iterable(users.values() for users in self._streams.values())
        return list(chain.from_iterable(users))

    async def _keep_ticking(self) -> None:
        await repeat(self._tick_in_turns, "Some streams were not kept alive.")

    async def _tick_in_turns(self) -> None:
        """Waits before it lists the streams, so that no variable keeps ended ones alive meanwhile."""
        await asyncio.sleep(TICK_SECONDS)
        streams = self._all()
        for start in range(0, len(streams), STREAMS_PER_TICK):
            now = asyncio.get_running_loop().time()
            for stream in streams[start : start + STREAMS_PER_TICK]:
                stream.tick(now)
            await asyncio.sleep(0)

    @contextmanager
    def _draining_on_signals(self) -> Iterator[None]:
        """Drain first, then call the server's own handlers, which wait for streams to end."""
        loop = asyncio.get_running_loop()
        server: dict[int, Callable[[int, FrameType | None], object]] = {}

        def handle(number: int, frame: FrameType | None) -> None:
            loop.call_soon_threadsafe(self.drain)
            server[number](number, frame)

        if threading.current_thread() is threading.main_thread():
            for stop in (signal.SIGTERM, signal.SIGINT):
                if callable(handler := signal.getsignal(stop)):
                    server[stop] = handler
                    signal.signal(stop, handle)
        try:
            yield
        finally:
            for number, handler in server.items():
                signal.signal(number, handler)
