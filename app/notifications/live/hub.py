"""Who is connected to this process, and how one event reaches many open streams.

There is no task, timer or queue per stream: a frame is written to all of them in one go, and
a single ticker keeps them alive. The database is the truth: what is lost here, an opening
tells again.
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
from app.notifications.live.frames import farewell
from app.notifications.live.stream import HTML, JSON, EventStream, Flavour, Key
from app.telemetry.metrics import count_stream

STREAMS_PER_PERSON = 30
RETRY_OF_THE_OLDEST = 60_000  # milliseconds
CLIENTS_AT_ONCE = 100
TICK_SECONDS = 1


class Hub:
    """The open streams of this process, at most `most_streams`; more are answered 503.

    `position` is that of the last change which streams are told of; one that opens tells of
    all up to there by itself. Whoever publishes moves it on *before* reading what there is to
    tell and to whom. All methods belong to the event loop's thread; give `running` to the app's
    lifespan.
    """

    def __init__(self, most_streams: int = 20_000) -> None:
        self.most_streams = most_streams
        self.count = 0
        self.position = 0
        self._streams: dict[Flavour, dict[int, list[EventStream]]] = {HTML: {}, JSON: {}}
        self._broadcasting = asyncio.Lock()
        self._is_draining = False

    def connected(self, flavour: Flavour = HTML) -> KeysView[int]:
        """The ids of the people with open streams: a live view, to be copied before awaiting."""
        return self._streams[flavour].keys()

    def awaits(self, flavour: Flavour, position: int) -> bool:
        """Whether there is a stream whose opening did not tell of `position`."""
        people = self._streams[flavour].values()
        return any(stream.told_to < position for streams in people for stream in streams)

    def send(
        self, user_id: int, frame: bytes, flavour: Flavour = HTML, position: int | None = None
    ) -> None:
        """Write to all streams of a person now, even before a broadcast still under way."""
        for stream in tuple(self._streams[flavour].get(user_id, ())):
            stream.send(frame, position)

    async def broadcast(
        self,
        frames: Iterable[tuple[int, bytes]],
        flavour: Flavour = HTML,
        position: int | None = None,
    ) -> None:
        """Write each person's frame to that person's streams; broadcasts keep their order.

        Other requests get their turn in between. A stream that opens meanwhile has what stands
        at `position` in its opening.
        """
        async with self._broadcasting:
            for number, (user_id, frame) in enumerate(frames, 1):
                self.send(user_id, frame, flavour, position)
                if number % CLIENTS_AT_ONCE == 0:
                    await asyncio.sleep(0)

    def keys(self) -> set[Key]:
        """What let those in who have streams open."""
        return {stream.key for stream in self._all()}

    def close(self, keys: Collection[Key]) -> None:
        """End the streams of those whom these let in: on logout, on a new password."""
        for stream in self._all():
            if stream.key in keys:
                stream.end(farewell())

    def drain(self) -> None:
        """End every stream, and open no more: the process is about to exit."""
        self._is_draining = True
        for stream in self._all():
            stream.end(farewell())

    @asynccontextmanager
    async def running(self, _app: object = None) -> AsyncIterator[None]:
        """Keep streams alive within, and drain on SIGTERM, SIGINT and at the end."""
        ticking = asyncio.create_task(self._keep_ticking())
        try:
            with self._draining_on_signals():
                yield
        finally:
            self.drain()
            ticking.cancel()

    def tick(self, now: float) -> None:
        """Show the signs of life due at `now` (the loop's time), and end what is old."""
        for stream in self._all():
            stream.tick(now)

    def require_room(self) -> None:
        """Raises 503 when there is none for one more stream."""
        if self._is_draining or self.count >= self.most_streams:
            raise ServiceUnavailableException(
                detail=_("Live updates are busy at the moment. They come back by themselves."),
                headers={"Retry-After": str(random.randint(5, 30))},  # noqa: S311
            )

    def enter(self, stream: EventStream) -> None:
        """Count a stream in; beyond the most a person may have, the oldest gives way."""
        others = self._of(stream.user_id)
        if len(others) >= STREAMS_PER_PERSON:
            min(others, key=lambda other: other.opened_at).end(farewell(RETRY_OF_THE_OLDEST))
        self._streams[stream.flavour].setdefault(stream.user_id, []).append(stream)
        self.count += 1
        count_stream(1)

    def leave(self, stream: EventStream) -> None:
        """Count a stream out, once or again."""
        people = self._streams[stream.flavour]
        streams = people.get(stream.user_id, [])
        if stream in streams:
            streams.remove(stream)
            self.count -= 1
            count_stream(-1)
        if not streams:
            people.pop(stream.user_id, None)

    def _of(self, user_id: int) -> list[EventStream]:
        return [each for people in self._streams.values() for each in people.get(user_id, ())]

    def _all(self) -> list[EventStream]:
        people = chain.from_iterable(people.values() for people in self._streams.values())
        return list(chain.from_iterable(people))

    async def _keep_ticking(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            self.tick(asyncio.get_running_loop().time())

    @contextmanager
    def _draining_on_signals(self) -> Iterator[None]:
        """Before the server's own handlers, which wait for streams to end and tell nobody."""
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
