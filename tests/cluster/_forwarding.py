"""Passes connections to a port of loopback on to another machine, as an operator's tunnel would: over
plain HTTP, a push service may only have an address of loopback.

python -m tests.cluster._forwarding PORT ADDRESS
"""

import asyncio
import sys
from contextlib import suppress


async def serve(port: int, address: str) -> None:
    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(address, port)
        await asyncio.gather(_pass_on(reader, back), _pass_on(there, writer))

    server = await asyncio.start_server(forward, "127.0.0.1", port)
    await server.serve_forever()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), sys.argv[2]))
