"""Thousands of cheap readers in a process of their own, so that they never slow the server."""

import asyncio
import multiprocessing
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from time import monotonic
from typing import Any, cast

import uvloop

from tests.benchmarks._server import raise_file_limit

OPENING_AT_ONCE = 100
LONGEST_MARK = 40
BROWSER_HEADERS = (
    "Host: 127.0.0.1",
    "Connection: keep-alive",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/156.0.0.0 Safari/537.36",
    "Accept: text/html, text/event-stream",
    "Accept-Language: en-US,en;q=0.9",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "HX-Request: true",
    "HX-Request-Type: partial",
    "HX-Current-URL: http://127.0.0.1/notifications",
    "HX-Source: div#stream",
    "Sec-Fetch-Dest: empty",
    "Sec-Fetch-Mode: cors",
    "Sec-Fetch-Site: same-origin",
    "Cache-Control: no-store",
    "Referer: http://127.0.0.1/notifications",
)


@dataclass(frozen=True)
class Person:
    """Whose stream it is: the request that opens it, what only their own frames end with, and
    what the opening ends with.
    """

    request: bytes
    mark: bytes
    opening_mark: bytes = b"data:"


def request_of(path: str, *, cookie: str = "-=-") -> bytes:
    """A GET as Chromium sends it: what its headers weigh belongs to what a stream costs."""
    lines = [f"GET {path} HTTP/1.1", *BROWSER_HEADERS, f"Cookie: {cookie}"]
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode()


class Readers:
    """The side of the readers' process that the benchmark talks to."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    async def open(self, port: int, people: Sequence[Person]) -> float:
        """Open all streams and await the first frame of each; the seconds that took."""
        return await self._ask("open", port, people)

    async def volume(self) -> int:
        """The bytes that all streams have received so far."""
        return int(await self._ask("volume"))

    async def vanish(self, most: int) -> None:
        """Let go of so many streams at once, without a word."""
        await self._ask("vanish", most)

    async def listen(self, frames: int, mark: bytes | None = None) -> None:
        """Start watching for `frames` streams to receive `mark`, or each its own mark."""
        await self._ask("listen", frames, mark)

    async def heard(self) -> float:
        """Await the marks. Returns the monotonic time at which the last one arrived."""
        return await self._ask("heard")

    async def _ask(self, *question: Any) -> float:
        self._pipe.send(question)
        answer: float = await asyncio.to_thread(self._answer)
        return answer

    def _answer(self) -> Any:
        if not self._pipe.poll(600):
            raise TimeoutError("The readers did not get what they were waiting for.")
        return self._pipe.recv()


@contextmanager
def reading() -> Iterator[Readers]:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_run, args=(theirs,), daemon=True)
    process.start()
    theirs.close()
    try:
        yield Readers(ours)
    finally:
        ours.close()
        process.join()


def _run(pipe: Connection) -> None:
    raise_file_limit()
    with suppress(asyncio.CancelledError):
        uvloop.run(_Crowd(pipe).serve())


@dataclass
class _Crowd:
    pipe: Connection
    turn: int = 0
    awaited: int = 0
    mark: bytes | None = None
    heard_at: float = 0
    bytes_received: int = 0
    has_heard: asyncio.Event = field(default_factory=asyncio.Event)
    streams: list["_Stream"] = field(default_factory=list)

    async def serve(self) -> None:
        """Answer questions until the other side hangs up."""
        questions: asyncio.Queue[Any] = asyncio.Queue()
        loop, serving = asyncio.get_running_loop(), asyncio.current_task()
        assert serving
        taking = loop.run_in_executor(None, self._take, questions, loop)
        taking.add_done_callback(lambda _: serving.cancel())
        while True:
            name, *values = await questions.get()
            self.pipe.send(await getattr(self, name)(*values))

    async def open(self, port: int, people: Sequence[Person]) -> float:
        started_at = monotonic()
        await self.listen(len(people), None)
        slots = asyncio.Semaphore(OPENING_AT_ONCE)
        await asyncio.gather(*(self._open(port, user, slots) for user in people))
        return await self.heard() - started_at

    async def volume(self) -> int:
        return self.bytes_received

    async def vanish(self, most: int) -> None:
        for stream in self.streams[:most]:
            stream.transport.abort()
        del self.streams[:most]

    async def listen(self, frames: int, mark: bytes | None) -> None:
        self.turn, self.awaited, self.mark = self.turn + 1, frames, mark
        self.has_heard.clear()

    async def heard(self) -> float:
        await self.has_heard.wait()
        return self.heard_at

    def received(self, stream: "_Stream", data: bytes) -> None:
        if stream.heard_in == self.turn or (self.mark or stream.mark) not in data:
            return
        stream.heard_in, stream.mark = self.turn, stream.user.mark
        self.awaited -= 1
        if self.awaited == 0:
            self.heard_at = monotonic()
            self.has_heard.set()

    def _take(self, questions: asyncio.Queue[Any], loop: asyncio.AbstractEventLoop) -> None:
        with suppress(EOFError):
            while True:
                loop.call_soon_threadsafe(questions.put_nowait, self.pipe.recv())

    async def _open(self, port: int, user: Person, slots: asyncio.Semaphore) -> None:
        async with slots:
            _transport, stream = await asyncio.get_running_loop().create_connection(
                lambda: _Stream(self, user), "127.0.0.1", port
            )
            self.streams.append(stream)


class _Stream(asyncio.Protocol):
    __slots__ = ("crowd", "heard_in", "mark", "tail", "tail_of", "transport", "user")

    def __init__(self, crowd: _Crowd, user: Person) -> None:
        self.crowd = crowd
        self.user = user
        self.mark = user.opening_mark
        self.heard_in = 0
        self.tail = b""
        self.tail_of = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.WriteTransport, transport)
        self.transport.write(self.user.request)

    def data_received(self, data: bytes) -> None:
        """A mark may come in two parts, but not from before it was listened for."""
        self.crowd.bytes_received += len(data)
        turn = self.crowd.turn
        whole = self.tail + data if self.tail_of == turn else data
        self.tail, self.tail_of = whole[-LONGEST_MARK:], turn
        self.crowd.received(self, whole)
