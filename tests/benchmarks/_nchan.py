"""nginx with its module nchan, one worker, as a peer: Debian has it in libnginx-mod-nchan."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory
from time import monotonic

from tests.benchmarks._readers import Person, request_of
from tests.benchmarks._server import Server, free_port, running, until_listening
from tests.benchmarks._target import EVENT_BYTES, EVERYONE

MODULE = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")
# nchan has no first event; it greets with a comment.
GREETING = b": hi"
CONFIGURATION = """
load_module {module};
daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
error_log stderr error;
pid {folder}/pid;
events {{ worker_connections 15000; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    nchan_shared_memory_size 512M;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location ~ ^/streams/(.+)$ {{ nchan_subscriber eventsource; nchan_channel_id $1; }}
        location ~ ^/channels/(.+)$ {{
            nchan_publisher;
            nchan_channel_id $1;
            nchan_message_buffer_length 1;
        }}
    }}
}}
"""


def is_installed() -> bool:
    return which("nginx") is not None and MODULE.exists()


@asynccontextmanager
async def nchan() -> AsyncIterator[Server]:
    port = free_port()
    with TemporaryDirectory() as folder:
        command = ["nginx", "-p", folder, "-c", _configuration(folder, port), "-e", "stderr"]
        async with running(command, partial(until_listening, port)) as server:
            yield server


def _configuration(folder: str, port: int) -> str:
    """The path of the file. The worker, another user, must be able to enter the folder."""
    Path(folder).chmod(0o755)
    file = Path(folder) / "nginx.conf"
    file.write_text(CONFIGURATION.format(module=MODULE, folder=folder, port=port))
    return str(file)


def own_channels(streams: int) -> list[Person]:
    return [
        Person(request_of(f"/streams/{number}"), f" for {number}.".encode(), GREETING)
        for number in range(streams)
    ]


def one_channel(streams: int) -> list[Person]:
    return [Person(request_of("/streams/everyone"), EVERYONE, GREETING)] * streams


@dataclass
class Channels:
    """Publishes over one connection, and answers the monotonic moment before each request."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def of(cls, server: Server) -> "Channels":
        return cls(*await asyncio.open_connection("127.0.0.1", server.port))

    async def tell_everyone_the_same(self) -> float:
        return await self._publish("everyone", EVERYONE)

    async def tell_one(self, number: int) -> float:
        return await self._publish(str(number), f" for {number}.".encode())

    async def _publish(self, channel: str, mark: bytes) -> float:
        body = b"x" * EVENT_BYTES + mark
        head = f"POST /channels/{channel} HTTP/1.1\r\nHost: peer\r\nContent-Length: {len(body)}"
        told_at = monotonic()
        self.writer.write(head.encode() + b"\r\n\r\n" + body)
        answer = await self.reader.readuntil(b"\r\n\r\n")
        length = answer.lower().partition(b"content-length:")[2].split(b"\r\n")[0]
        await self.reader.readexactly(int(length or 0))
        return told_at
