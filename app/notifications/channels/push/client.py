"""One POST after another to push services, over a few kept connections to each.

HTTP/1.1 and nothing more: a general client costs more than the encryption of a message. A reply
is never followed elsewhere, and little of it is read.
"""

import asyncio
import ssl
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import httptools

from app.notifications.channels.push.services import PushServices, Service

SECONDS = 10.0
# A connection that has been idle for longer may be dead without a word: after a sleep, or where a
# router has forgotten it.
SECONDS_KEPT = 30.0
SECONDS_TO_CONNECT = 3.0  # for each address, so that one that is dead leaves time for the next
REPLY_BYTES = 8 * 1024  # head and body; what is longer is not read on


class Unanswered(Exception):
    """No whole reply came: no connection, silence, or something that is not HTTP."""


@dataclass(frozen=True)
class Reply:
    """`retry_after` is the header as it came, "" where there was none."""

    status: int
    retry_after: str


class PushClient:
    """Belongs to the event loop it is first used on; `close` it there."""

    def __init__(self, services: PushServices, *, seconds: float = SECONDS) -> None:
        self._services = services
        self._seconds = seconds
        self._idle: defaultdict[Service, list[_Connection]] = defaultdict(list)

    async def post(
        self, service: Service, target: str, headers: Mapping[str, str], body: bytes
    ) -> Reply:
        """Raises NotAllowed, or Unanswered after at most `seconds`."""
        request = _request(service, target, headers, body)
        deadline = asyncio.get_running_loop().time() + self._seconds
        try:
            return await self._exchange(service, request, deadline)
        except TimeoutError:
            raise Unanswered(f"No answer within {self._seconds:g} seconds.") from None
        except httptools.HttpParserError as error:
            raise Unanswered("The answer was not HTTP.") from error
        except OSError as error:
            raise Unanswered(str(error) or type(error).__name__) from error

    def close(self) -> None:
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
        self._idle.clear()

    async def _exchange(self, service: Service, request: bytes, deadline: float) -> Reply:
        while connection := self._take_idle(service):
            # The service may have hung up in this very moment; a new connection will tell.
            with suppress(ConnectionError):
                return await self._use(connection, service, request, deadline)
        async with asyncio.timeout_at(deadline):
            connection = await self._connect(service)
        return await self._use(connection, service, request, deadline)

    def _take_idle(self, service: Service) -> "_Connection | None":
        """The one that was used last."""
        oldest = asyncio.get_running_loop().time() - SECONDS_KEPT
        idle = self._idle.pop(service, [])
        while idle:
            connection = idle.pop()
            if connection.used_at >= oldest:
                self._idle[service] = idle
                return connection
            connection.close()
        return None

    async def _use(
        self, connection: "_Connection", service: Service, request: bytes, deadline: float
    ) -> Reply:
        try:
            reply = await connection.exchange(request, deadline)
        except BaseException:
            connection.close()
            raise
        if connection.is_reusable:
            connection.used_at = asyncio.get_running_loop().time()
            self._idle[service].append(connection)
        else:
            connection.close()
        return reply

    async def _connect(self, service: Service) -> "_Connection":
        loop, failure = asyncio.get_running_loop(), OSError("It has no address.")
        is_secure = service.scheme == "https"
        for address in await self._services.addresses(service):
            try:
                async with asyncio.timeout(SECONDS_TO_CONNECT):
                    connected = await loop.create_connection(
                        _Connection,
                        address,
                        service.port,
                        ssl=self._tls if is_secure else None,
                        server_hostname=service.host if is_secure else None,
                    )
                    return connected[1]
            except OSError as error:  # a TimeoutError is one, too
                failure = error
        raise failure

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return ssl.create_default_context()


def _request(service: Service, target: str, headers: Mapping[str, str], body: bytes) -> bytes:
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    first = f"POST {target} HTTP/1.1\r\nHost: {service.authority}\r\n"
    return f"{first}{lines}Content-Length: {len(body)}\r\n\r\n".encode("ascii") + body


class _Connection(asyncio.Protocol):
    """One exchange at a time; httptools calls the `on_…` methods."""

    def __init__(self) -> None:
        self.is_reusable = self._has_head = False
        self.used_at = 0.0  # by the loop's clock
        self._reply: asyncio.Future[Reply] | None = None

    async def exchange(self, request: bytes, deadline: float) -> Reply:
        """`deadline` is by the loop's clock. Raises TimeoutError after it, ConnectionError where
        the other side has hung up, HttpParserError for nonsense.
        """
        if self._transport.is_closing():
            raise ConnectionResetError("The push service has hung up.")
        self.is_reusable = self._has_head = False
        self._read, self._retry_after = 0, ""
        self._parser = httptools.HttpResponseParser(self)
        loop = asyncio.get_running_loop()
        self._reply = loop.create_future()
        # A timer of its own: `asyncio.timeout` costs a multiple for each message.
        waiting = loop.call_at(deadline, self._fail, TimeoutError())
        self._transport.write(request)
        try:
            return await self._reply
        finally:
            waiting.cancel()

    def close(self) -> None:
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass of it

    def data_received(self, data: bytes) -> None:
        if self._reply is None or self._reply.done():  # nobody asked
            self._transport.close()
            return
        self._read += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(error)
        if self._read > REPLY_BYTES:
            self._end()

    def connection_lost(self, error: Exception | None) -> None:
        self._end(error)

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"retry-after":
            self._retry_after = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self._has_head = self._parser.get_status_code() >= 200

    def on_message_complete(self) -> None:
        if self._has_head:  # and not a mere "100 Continue"
            self.is_reusable = self._parser.should_keep_alive()
            self._end()

    def _end(self, error: Exception | None = None) -> None:
        """The status is all that is needed, so what a body lacks does no harm."""
        if not self._has_head:
            self._fail(error or ConnectionResetError("The push service has hung up."))
        elif self._reply and not self._reply.done():
            self._reply.set_result(Reply(self._parser.get_status_code(), self._retry_after))

    def _fail(self, error: Exception) -> None:
        if self._reply and not self._reply.done():
            self._reply.set_exception(error)
