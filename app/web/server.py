"""uvicorn's HTTP protocol, with limits so that one client cannot use up the resources of all
others.

uvicorn itself waits forever for the rest of a head or body and for a client to read its response,
keeps heads of any size in memory, and accepts connections until no file descriptor is left.
"""

import asyncio
import http
import resource
import socket
import sys
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from typing import Any

import msgspec
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from app.api.problems import MEANINGS, PROBLEM_JSON, Problem, about_request
from app.web.networks import network_of

FILES_RESERVED = 64
LOOPBACK = frozenset({"127.0.0.1", "::1", "::ffff:127.0.0.1"})
UNSENT_BYTES = 65_536
CHECKED_AT_ONCE = 500
ENDED_AT_ONCE = 20


def _most_connections() -> int:
    """All but 64 of the files that the process may open: the database, logs and uploads need some."""
    files, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if files == resource.RLIM_INFINITY else max(files - FILES_RESERVED, 1)


@dataclass(frozen=True)
class Limits:
    """Times are in seconds, sizes in bytes.

    A body must arrive at `body_rate` bytes a second on average over each `body_seconds`, not
    counting the time in which the application does not read. A response fails when its client reads
    none of it for `unread_seconds`. Loopback addresses and those that `trusts` accepts may have any
    number of connections each, because they are proxies.
    """

    head_seconds: float = 60
    head_bytes: int = 65_536
    url_bytes: int = 8_000
    query_fields: int = 500
    body_seconds: float = 30
    body_rate: int = 1_024
    unread_seconds: float = 60
    pipelined: int = 16
    connections: int = field(default_factory=_most_connections)
    connections_per_address: int = 256
    trusts: Callable[[str], bool] = frozenset[str]().__contains__
    check_seconds: float = 2


def bounded_protocol(limits: Limits) -> Callable[..., "BoundedProtocol"]:
    """The `http` option of uvicorn. Each process gets a copy, and counts its own connections."""
    return partial(BoundedProtocol, Clients(limits))


class Part(Enum):
    """The part of a request that is being received."""

    NOTHING = 0
    HEAD = 1
    BODY = 2


class BoundedProtocol(HttpToolsProtocol):
    """One connection. It ends when the client breaks a limit, or at once on `give_up`."""

    __slots__ = (
        "_active",
        "_begun_at",
        "_clients",
        "_part",
        "_received",
        "_refusal",
        "_undecided",
        "_unread",
        "_unread_since",
        "is_trusted",
        "network",
    )

    def __init__(self, clients: "Clients", *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.network = ""
        self.is_trusted = False
        self._clients = clients
        # The request being served; uvicorn's `cycle` is the last one that was received.
        self._active: RequestResponseCycle | None = None
        self._part = Part.NOTHING
        self._refusal = 400
        # When the present part began, and the bytes received in this window.
        self._begun_at = self.loop.time()
        self._received = 0
        # The bytes since the parser last reported more than a header line.
        self._undecided = 0
        self._unread = 0
        self._unread_since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        address = self.client[0] if self.client else ""
        self.is_trusted = address in LOOPBACK or self._clients.limits.trusts(address)
        self.network = address if self.is_trusted else network_of(address)
        _keep_little_unsent(transport)
        self._clients.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._clients.remove(self)
        served = {self._active, self.cycle}
        self._forget_requests()  # otherwise uvicorn would end all of them in this turn of the loop
        super().connection_lost(exc)
        for request in filter(None, served):
            request.disconnected = True
            if not request.response_complete:
                self._clients.end_in_turn(request)

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        self._undecided += len(data)
        super().data_received(data)
        if self._undecided > self._clients.limits.head_bytes:
            self._refuse(431)

    def on_message_begin(self) -> None:
        self._part = Part.HEAD
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._undecided = 0
        # Before BODY begins: `_refuse` must not take an earlier response on this connection for
        # this request's.
        self._require_modest_head()
        self._begin(Part.BODY)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._undecided = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._undecided = 0
        self._begin(Part.NOTHING)
        super().on_message_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._active = cycle
        super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        if self._part is not Part.BODY:
            self._begun_at = self.loop.time()
        super().on_response_complete()

    def resume_writing(self) -> None:
        self._unread = 0
        super().resume_writing()

    def send_400_response(self, _message: str) -> None:
        """The parser has stopped: because of the client's syntax, or because a callback raised."""
        self._refuse(self._refusal)

    def check(self, now: float) -> None:
        """Ends the connection if the client has kept it waiting for too long."""
        if self._unread_for(now) > self._clients.limits.unread_seconds:
            self.transport.abort()
        elif self._part is Part.BODY:
            self._check_body(now)
        elif self._is_idle and now - self._begun_at > self._clients.limits.head_seconds:
            self._refuse(408)

    @property
    def precedence(self) -> tuple[int, float]:
        """Sorts connections: least valuable first, and of these the longest-waiting."""
        if self._is_idle:
            return 0, self._begun_at
        if self._unread:
            return 1, self._unread_since
        return (2 if self._part is Part.BODY else 3), self._begun_at

    def give_up(self) -> None:
        self.transport.abort()

    @property
    def _is_idle(self) -> bool:
        """Whether the server waits for a request, not the client for its response."""
        return self._part is not Part.BODY and not self._is_answering

    @property
    def _is_answering(self) -> bool:
        return self._active is not None and not self._active.response_complete

    def _forget_requests(self) -> None:
        """Requests that never began refer back to the connection, so only the rare runs of the
        garbage collector would free them.
        """
        self.pipeline.clear()
        self.cycle = self._active = None  # type: ignore[assignment]

    def _begin(self, part: Part) -> None:
        self._part = part
        self._begun_at = self.loop.time()
        self._received = 0

    def _require_modest_head(self) -> None:
        """Raises, which stops the parser."""
        limits = self._clients.limits
        head = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if head > limits.head_bytes:
            self._refusal = 431
        elif len(self.url) > limits.url_bytes or self.url.count(b"&") >= limits.query_fields:
            self._refusal = 414
        elif len(self.pipeline) < limits.pipelined:
            return
        raise ValueError

    def _check_body(self, now: float) -> None:
        limits, elapsed = self._clients.limits, now - self._begun_at
        if self._is_held_back:
            self._begin(Part.BODY)
        elif elapsed < limits.body_seconds:
            return
        elif self._received < limits.body_rate * elapsed:
            self._refuse(408)
        else:
            self._begin(Part.BODY)

    @property
    def _is_held_back(self) -> bool:
        """Whether the client is not yet allowed to send its body."""
        cycle = self.cycle
        return self.flow.read_paused or (
            cycle.waiting_for_100_continue and not cycle.response_started
        )

    def _unread_for(self, now: float) -> float:
        """The seconds since the client last read any of the pending response."""
        waiting = self.transport.get_write_buffer_size()
        if not waiting or not self._unread or waiting < self._unread:
            self._unread_since = now
        self._unread = waiting
        return now - self._unread_since

    def _refuse(self, status: int) -> None:
        """Respond if a request has begun and no other response has; then close."""
        if self.transport.is_closing():
            return
        if self._active and self._active.response_started and not self._is_idle:
            self.transport.abort()
            return
        if self._part is not Part.NOTHING:
            self.transport.write(_response(status, is_api=self.url.startswith(b"/api/")))
        self.transport.close()


def _keep_little_unsent(transport: asyncio.Transport) -> None:
    """Makes the system take more from the write buffer as soon as the client has read a little.

    By default it takes up to 4 MB, then nothing before the client has read a third of that: a slow
    reader would look like one that does not read.
    """
    one = transport.get_extra_info("socket")
    if one.family in (socket.AF_INET, socket.AF_INET6) and hasattr(socket, "TCP_NOTSENT_LOWAT"):
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)


def _response(status: int, *, is_api: bool) -> bytes:
    """The JSON API answers with problem details (RFC 9457), everything else in plain text."""
    phrase = http.HTTPStatus(status).phrase
    media_type, body = "text/plain; charset=utf-8", phrase.encode()
    if is_api:
        media_type, body = PROBLEM_JSON, msgspec.json.encode(_problem(status, phrase))
    head = f"HTTP/1.1 {status} {phrase}\r\ncontent-type: {media_type}\r\n"
    return f"{head}content-length: {len(body)}\r\nconnection: close\r\n\r\n".encode() + body


def _problem(status: int, phrase: str) -> Problem:
    sentence = MEANINGS.get(status, phrase)
    return about_request(phrase, sentence) if status == 400 else Problem(status, phrase, sentence)


# The open connections of one network.
ConnectionGroup = dict[BoundedProtocol, None]


class Clients:
    """The open connections of a process by address, and the limits that all of them share."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        # Ordered, because uvloop's clock stands still for a millisecond.
        self._by_network: dict[str, ConnectionGroup] = {}
        self._count = 0
        self._checking: asyncio.Task[None] | None = None
        # Requests whose connection is lost and whose handlers have not been told.
        self._ending = deque[RequestResponseCycle]()

    def add(self, client: BoundedProtocol) -> None:
        """Beyond a limit, end a connection: of this address, or of the one with the most."""
        group = self._by_network.setdefault(client.network, {})
        group[client] = None
        self._count += 1
        if len(group) > self.limits.connections_per_address and not self._is_trusted(group):
            self._give_up(group)
        elif self._count > self.limits.connections:
            self._give_up(self._largest())
        if self._checking is None or self._checking.done():
            self._checking = client.loop.create_task(self._check())

    def remove(self, client: BoundedProtocol) -> None:
        """Removing a client twice does no harm."""
        group = self._by_network.get(client.network, {})
        if client in group:
            del group[client]
            self._count -= 1
        if not group:
            self._by_network.pop(client.network, None)

    def end_in_turn(self, request: RequestResponseCycle) -> None:
        """Tells the application that this request's client has disconnected. Handles at most
        ENDED_AT_ONCE per turn of the loop, so that a mass disconnect does not delay other requests.
        """
        self._ending.append(request)
        if len(self._ending) == 1:
            asyncio.get_running_loop().call_soon(self._end_some)

    def _end_some(self) -> None:
        for _request in range(min(len(self._ending), ENDED_AT_ONCE)):
            self._ending.popleft().message_event.set()
        if self._ending:
            asyncio.get_running_loop().call_soon(self._end_some)

    def _give_up(self, group: ConnectionGroup) -> None:
        """Ends the least valuable connection of the group. Removes it at once, so that it is not
        chosen again before its file is closed.
        """
        client = min(group, key=lambda one: one.precedence)
        self.remove(client)
        client.give_up()

    def _largest(self) -> ConnectionGroup:
        """The largest group; of several, the one with the least valuable connection."""
        groups = self._by_network.values()
        most = max((not self._is_trusted(group), len(group)) for group in groups)
        largest = [one for one in groups if (not self._is_trusted(one), len(one)) == most]
        return min(largest, key=lambda group: min(one.precedence for one in group))

    def _is_trusted(self, group: ConnectionGroup) -> bool:
        return next(iter(group)).is_trusted

    async def _check(self) -> None:
        """Runs until no connection is left; the next one starts it again."""
        while self._by_network:
            await asyncio.sleep(self.limits.check_seconds)
            for number, client in enumerate(list(self._all())):
                if not number % CHECKED_AT_ONCE:
                    await asyncio.sleep(0)
                if client.parser:
                    client.check(client.loop.time())

    def _all(self) -> Iterator[BoundedProtocol]:
        return (client for group in self._by_network.values() for client in group)
