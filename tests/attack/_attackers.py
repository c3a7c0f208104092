"""Clients at 127.0.0.2 that take what they can. Each begins anew when the server ends it."""

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from typing import Any

ADDRESS = "127.0.0.2"
SMALL_BUFFER = 4_096
SECONDS_BETWEEN = 0.5
FORMS, FORM_BYTES, FORMS_AT_ONCE = 40, 9_000_000, 8
GET = b"GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
POST = (
    b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n"
)
# What each kind of connection sends before it does nothing more, and how many there are.
KINDS = {
    "idle": (b"", 50),
    "half a head": (GET[:-4] % b"/", 50),
    "half a body": (POST % 60_000 + b"a=1", 50),
    "unread": (GET % b"/api/docs" * 8, 50),
    "pipelining": (GET % b"/api/docs" + GET % b"/notifications/stream" * 60, 4),
}


@dataclass
class Attack:
    """`ended` counts the connections that the server ended, by kind."""

    port: int
    ended: Counter[str] = field(default_factory=Counter)

    @asynccontextmanager
    async def under_way(self) -> AsyncIterator[None]:
        attackers: list[Coroutine[Any, Any, None]] = [
            self._occupy(kind, beginning)
            for kind, (beginning, count) in KINDS.items()
            for _ in range(count)
        ]
        attackers += [
            self._send_forms(range(first, FORMS, FORMS_AT_ONCE)) for first in range(FORMS_AT_ONCE)
        ]
        tasks = [asyncio.create_task(one) for one in attackers]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _occupy(self, kind: str, beginning: bytes) -> None:
        """A connection, again and again. Reads only to see the end, and not even that if unread."""
        while True:
            try:
                with closing(await self._connect()) as one:
                    await _send(one, beginning)
                    await self._until_it_ends(one, reads=kind not in ("unread", "pipelining"))
            except OSError:
                pass
            self.ended[kind] += 1
            await asyncio.sleep(SECONDS_BETWEEN)

    async def _until_it_ends(self, one: socket.socket, *, reads: bool) -> None:
        loop = asyncio.get_running_loop()
        if reads:
            while await loop.sock_recv(one, 65_536):
                pass
        while not reads:
            # A system that has given the connection up tells so to who writes.
            await asyncio.sleep(5)
            await _send(one, b" ")

    async def _send_forms(self, numbers: range) -> None:
        """Each distinct, so that each would be parsed and remembered."""
        for number in numbers:
            form = (b"%02d=&" % number) * (FORM_BYTES // 4)
            try:
                with closing(await self._connect()) as one:
                    await _send(one, POST % FORM_BYTES + form)
                    await asyncio.get_running_loop().sock_recv(one, 65_536)
            except OSError:
                pass
            self.ended["9 MB form"] += 1

    async def _connect(self) -> socket.socket:
        one = socket.socket()
        one.setblocking(False)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
        one.bind((ADDRESS, 0))
        await asyncio.get_running_loop().sock_connect(one, ("127.0.0.1", self.port))
        return one


async def _send(one: socket.socket, data: bytes) -> None:
    await asyncio.get_running_loop().sock_sendall(one, data)
