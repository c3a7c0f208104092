"""A TCP relay between browser and server, which can be cut like a network cable, be slow, or trickle."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from urllib.parse import urlsplit

HOST = "127.0.0.1"
DEADLINE = 30.0  # seconds
_AT_ONCE = 65536  # bytes


class Relay:
    def __init__(self, server_url: str) -> None:
        self._server_port, self._port = urlsplit(server_url).port, 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._heard, self._answers = bytearray(), asyncio.Event()
        self._answers.set()
        self._piece, self._pause = _AT_ONCE, 0.0

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self._port}"

    async def mend(self) -> None:
        """Accepts connections, at the same port as before."""
        self._server = await asyncio.start_server(self._relay, HOST, self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Ends every connection and refuses new ones."""
        assert self._server
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await self._server.wait_closed()

    @contextmanager
    def slow(self) -> Iterator[None]:
        """Within the block, requests reach the server, and no answer reaches the browser."""
        self._answers.clear()
        try:
            yield
        finally:
            self._answers.set()

    def trickle(self, piece: int, pause: float) -> None:
        """From now on, answers arrive in pieces of at most so many bytes, each after a pause (s)."""
        self._piece, self._pause = piece, pause

    async def hears(self, request: str) -> None:
        """Waits until the browser has sent this, such as "GET /teams"."""
        async with asyncio.timeout(DEADLINE):
            while request.encode() not in self._heard:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.02)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(HOST, self._server_port)
        self._writers |= {writer, back}
        await asyncio.gather(
            _pass_on(reader, back, self._note, lambda: _AT_ONCE),
            _pass_on(there, writer, self._delay, lambda: self._piece),
        )
        self._writers -= {writer, back}

    async def _note(self, request: bytes) -> None:
        self._heard += request

    async def _delay(self, _answer: bytes) -> None:
        await self._answers.wait()
        await asyncio.sleep(self._pause)


async def _pass_on(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    before: Callable[[bytes], Awaitable[None]],
    size: Callable[[], int],
) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(size()):
            await before(data)
            if writer.is_closing():
                break
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def relay_to(server_url: str) -> AsyncIterator[Relay]:
    relay = Relay(server_url)
    await relay.mend()
    yield relay
    await relay.cut()
