"""A push service in a process of its own that takes everything and looks at nothing.

    python -m tests.push_sink

prints its port.
"""

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import uvloop

CREATED = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"
_length = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


class Sink(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport, self._held = cast(asyncio.Transport, transport), b""

    def data_received(self, data: bytes) -> None:
        self._held += data
        while (end := self._held.find(b"\r\n\r\n")) >= 0:
            length = _length.search(self._held, 0, end)
            assert length
            whole = end + 4 + int(length[1])
            if len(self._held) < whole:
                return
            self._held = self._held[whole:]
            self._transport.write(CREATED)


async def serve() -> None:
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@asynccontextmanager
async def running_sink() -> AsyncIterator[int]:
    """Its port, for as long as it runs."""
    command = [sys.executable, "-m", "tests.push_sink"]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout
    try:
        yield int(await process.stdout.readline())
    finally:
        process.kill()
        await process.wait()


if __name__ == "__main__":
    uvloop.run(serve())
