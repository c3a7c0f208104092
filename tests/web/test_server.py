"""The limits of the server, on real connections. Each is a fraction of what it is by default."""

import asyncio
import gc
import json
import resource
import socket
import sys
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from uvicorn.config import Config
from uvicorn.server import ServerState

from app.web.server import ENDED_AT_ONCE, BoundedProtocol, Clients, Limits, bounded_protocol

MEGABYTE = 1_000_000
STRANGER = "127.0.0.2"
GET = b"GET /%s HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST /%s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
QUICK = Limits(
    head_seconds=0.3,
    body_seconds=0.3,
    body_rate=1_000,
    unread_seconds=0.3,
    check_seconds=0.02,
)
# For clients that are slow and yet in time, also where a busy machine holds them up.
UNHURRIED = replace(QUICK, head_seconds=1, body_seconds=1, body_rate=100, unread_seconds=1)


async def application(scope: Any, receive: Any, send: Any) -> None:
    handlers: dict[str, Callable[[Any, Any], Awaitable[None]]] = {
        "/read": _read_body,
        "/large": _send_large,
        "/stream": _stream,
        "/think": _think,
        "/listen": _listen,
    }
    await handlers.get(scope["path"], _respond)(receive, send)


async def _respond(_receive: Any, send: Any, body: bytes = b"hello") -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    await send({"type": "http.response.body", "body": body})


async def _read_body(receive: Any, send: Any) -> None:
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size, more = size + len(message["body"]), message["more_body"]
    await _respond(receive, send, f"{size} bytes".encode())


async def _think(receive: Any, send: Any) -> None:
    await asyncio.sleep(3 * QUICK.body_seconds)
    await _read_body(receive, send)


async def _listen(receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send_large(_receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(100):
        await send({"type": "http.response.body", "body": bytes(MEGABYTE), "more_body": True})


async def _stream(receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(10):
        await send({"type": "http.response.body", "body": b": alive\n\n", "more_body": True})
        await asyncio.sleep(QUICK.head_seconds / 2)
    await send({"type": "http.response.body", "body": b"data: end\n\n"})


class Client:
    """A connection that sends and reads what the test says, and nothing by itself."""

    def __init__(self, one: socket.socket) -> None:
        self._socket = one
        self._loop = asyncio.get_running_loop()

    async def send(self, data: bytes) -> None:
        await self._loop.sock_sendall(self._socket, data)

    async def read(self, most: int = 65_536) -> bytes:
        """Raises TimeoutError if the server sends nothing and does not close either."""
        async with asyncio.timeout(5):
            return await self._loop.sock_recv(self._socket, most)

    async def read_until(self, part: bytes) -> bytes:
        body = b""
        while part not in body:
            piece = await self.read()
            assert piece, body
            body += piece
        return body

    async def read_to_end(self) -> bytes:
        body = b""
        try:
            while piece := await self.read():
                body += piece
        except ConnectionResetError:
            pass
        return body

    async def is_open(self) -> bool:
        try:
            await self.send(GET % b"")
            return b"hello" in await self.read_until(b"hello")
        except (OSError, AssertionError):
            return False


class Server:
    def __init__(self, port: int, state: ServerState, made: list[BoundedProtocol]) -> None:
        self.port = port
        self.tasks = state.tasks
        self._made = made
        self._sockets: list[socket.socket] = []

    async def connect(self, address: str = "127.0.0.1", *, buffer: int = 0) -> Client:
        """From this address. `buffer` is what the system keeps of what the client does not read."""
        one = socket.socket()
        one.setblocking(False)
        if buffer:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        one.bind((address, 0))
        self._sockets.append(one)
        await asyncio.get_running_loop().sock_connect(one, ("127.0.0.1", self.port))
        await self.until(lambda: one.getsockname() in [each.client for each in self._made])
        return Client(one)

    @property
    def connections(self) -> list[BoundedProtocol]:
        """The connections that are neither closed nor closing."""
        return [one for one in self._made if one.parser and not one.transport.is_closing()]

    async def until(self, holds: Callable[[], bool], seconds: float = 5) -> bool:
        deadline = asyncio.get_running_loop().time() + seconds
        while not holds() and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        return holds()

    def forget(self) -> None:
        """Forgets the connections, so that only the server refers to them."""
        self._made.clear()

    async def until_nobody_is_connected(self) -> None:
        assert await self.until(lambda: all(one.parser is None for one in self._made))

    def close(self) -> None:
        for one in self._sockets:
            one.close()


@asynccontextmanager
async def serving(limits: Limits) -> AsyncIterator[Server]:
    """As uvicorn's own server does: it calls `http` for each connection."""
    config = Config(application, ws="none", log_config=None)
    config.load()
    state, make = ServerState(), bounded_protocol(limits)
    made: list[BoundedProtocol] = []

    def accept() -> BoundedProtocol:
        made.append(make(config=config, server_state=state, app_state={}))
        return made[-1]

    listening = await asyncio.get_running_loop().create_server(accept, "127.0.0.1", 0)
    server = Server(listening.sockets[0].getsockname()[1], state, made)
    try:
        yield server
    finally:
        server.close()
        listening.close()
        await server.until_nobody_is_connected()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving(QUICK) as server:
        yield server


@pytest.fixture
async def unhurried() -> AsyncIterator[Server]:
    async with serving(UNHURRIED) as server:
        yield server


async def test_a_connection_without_a_request_is_closed(server: Server) -> None:
    idle = await server.connect()

    assert await idle.read_to_end() == b""


async def test_half_a_head_is_answered_408_however_slowly_it_goes_on(server: Server) -> None:
    client = await server.connect()

    async def go_on() -> None:
        for letter in (GET % b"x" * 50)[:-4]:
            await client.send(bytes([letter]))
            await asyncio.sleep(0.02)

    going_on = asyncio.create_task(go_on())
    answer = await client.read_to_end()
    going_on.cancel()

    assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")


async def test_after_an_answer_the_time_for_the_next_head_begins_anew(unhurried: Server) -> None:
    client = await unhurried.connect()
    for _ in range(3):
        await asyncio.sleep(UNHURRIED.head_seconds * 0.6)
        assert await client.is_open()

    await client.send(GET[:10])

    assert b"408" in await client.read_to_end()


@pytest.mark.parametrize(
    "head",
    [
        GET[:-2] % b"" + b"X-Many: 123\r\n" * 6_000 + b"\r\n",
        GET[:-2] % b"" + b"X-Long: " + b"1" * 70_000 + b"\r\n\r\n",
        GET[:-2] % b"" + b"X-Endless: " + b"1" * 1_000_000,
        b"\r\n" * 500_000,
        b"POST /read HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
        + b"X-Trailer: 1\r\n" * 80_000,
        b"POST /read HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"x" * 1_000_000,
    ],
    ids=["many lines", "a long line", "an endless line", "no line", "trailers", "an extension"],
)
async def test_a_head_over_64_kib_ends_the_connection(server: Server, head: bytes) -> None:
    client = await server.connect()
    sending = asyncio.create_task(client.send(head))

    answer = await client.read_to_end()
    await asyncio.wait([sending])

    assert not answer.startswith(b"HTTP/1.1 2")
    await server.until_nobody_is_connected()


@pytest.mark.parametrize("url", [b"x" * 9_000, b"?" + b"a&" * 501], ids=["long", "many fields"])
async def test_a_long_url_is_414(server: Server, url: bytes) -> None:
    client = await server.connect()
    await client.send(GET % url)

    assert (await client.read_to_end()).startswith(b"HTTP/1.1 414 ")


async def test_a_long_url_is_414_on_a_connection_that_was_used_before(server: Server) -> None:
    client = await server.connect()
    assert await client.is_open()
    await client.send(GET % (b"x" * 9_000))

    assert (await client.read_to_end()).startswith(b"HTTP/1.1 414 ")


async def test_the_api_is_refused_with_problem_details(server: Server) -> None:
    client = await server.connect()
    await client.send(GET % (b"api/notifications?q=" + b"x" * 9_000))

    head, _blank, body = (await client.read_to_end()).partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head
    assert json.loads(body)["status"] == 414


async def test_the_api_names_the_request_where_it_is_malformed(server: Server) -> None:
    client = await server.connect()
    await client.send(b"GET /api/notifications HTTP/1.1\r\nHost: x\r\nnonsense\r\n\r\n")

    _head, _blank, body = (await client.read_to_end()).partition(b"\r\n\r\n")
    problem = json.loads(body)
    assert problem["status"] == 400
    assert problem["errors"] == [{"field": "request", "detail": problem["detail"]}]


async def test_of_an_answer_to_head_only_its_head_is_sent(server: Server) -> None:
    client = await server.connect()
    await client.send(b"HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    head, _blank, body = (await client.read_to_end()).partition(b"\r\n\r\n")
    assert b"content-length: 5" in head
    assert body == b""


async def test_a_head_within_the_limit_is_served(server: Server) -> None:
    client = await server.connect()
    await client.send(GET[:-2] % b"" + b"X-Long: " + b"1" * 60_000 + b"\r\n\r\n")

    assert b"hello" in await client.read_until(b"hello")


async def test_a_body_that_stops_is_answered_408(server: Server) -> None:
    client = await server.connect()
    await client.send(POST % (b"read", 100_000) + b"a beginning")

    assert (await client.read_to_end()).startswith(b"HTTP/1.1 408 ")


async def test_a_body_that_comes_too_slowly_is_answered_408(server: Server) -> None:
    client = await server.connect()

    async def trickle() -> None:
        await client.send(POST % (b"read", 100_000))
        for _ in range(200):
            await client.send(b"x")
            await asyncio.sleep(0.01)

    trickling = asyncio.create_task(trickle())
    answer = await client.read_to_end()
    trickling.cancel()

    assert answer.startswith(b"HTTP/1.1 408 ")


async def test_a_slow_body_that_keeps_the_pace_is_read_to_its_end(unhurried: Server) -> None:
    client = await unhurried.connect()
    await client.send(POST % (b"read", 4_000))
    for _ in range(40):
        await client.send(b"x" * 100)
        await asyncio.sleep(UNHURRIED.body_seconds / 10)

    assert b"4000 bytes" in await client.read_until(b"bytes")


async def test_a_body_that_the_application_does_not_read_yet_has_time(server: Server) -> None:
    client = await server.connect()
    sending = asyncio.create_task(client.send(POST % (b"think", MEGABYTE) + bytes(MEGABYTE)))

    assert b"1000000 bytes" in await client.read_until(b"bytes")
    await sending


async def test_a_client_that_waits_for_100_continue_has_time(server: Server) -> None:
    client = await server.connect()
    await client.send((POST % (b"think", 3)).replace(b"Host:", b"Expect: 100-continue\r\nHost:"))
    await client.read_until(b"100 Continue")
    await client.send(b"abc")

    assert b"3 bytes" in await client.read_until(b"bytes")


async def test_the_rest_of_a_refused_body_may_come_and_the_next_request_too(
    unhurried: Server,
) -> None:
    client = await unhurried.connect()
    await client.send(POST % (b"refuse", 4_000))
    await client.read_until(b"hello")
    for _ in range(20):
        await client.send(b"x" * 200)
        await asyncio.sleep(UNHURRIED.body_seconds / 10)

    assert await client.is_open()


async def test_the_rest_of_a_refused_body_must_come_in_time(server: Server) -> None:
    client = await server.connect()
    await client.send(POST % (b"refuse", 4_000))
    await client.read_until(b"hello")

    # Once more would be read as the beginning of the body.
    assert await client.read_to_end() == b""


@pytest.mark.parametrize("requests", [1, 2, 5])
async def test_an_answer_that_nobody_reads_is_broken_off(server: Server, requests: int) -> None:
    client = await server.connect(buffer=4_096)
    await client.send(GET % b"large" * requests)

    await server.until_nobody_is_connected()


async def test_a_closing_connection_does_not_wait_for_its_reader(
    server: Server,
) -> None:
    client = await server.connect(buffer=4_096)
    await client.send(GET % b"large")
    await server.until(lambda: server.connections[0].flow.write_paused)

    server.connections[0].transport.close()

    await server.until_nobody_is_connected()


async def test_an_answer_that_is_read_slowly_goes_on(unhurried: Server) -> None:
    client = await unhurried.connect()
    await client.send(GET % b"large")
    for _ in range(60):
        await client.read(16_384)
        await asyncio.sleep(UNHURRIED.unread_seconds / 10)

    assert len(unhurried.connections) == 1


async def test_a_stream_outlives_every_limit(server: Server) -> None:
    client = await server.connect()
    await client.send(GET % b"stream")

    assert b"data: end" in await client.read_until(b"data: end")


async def test_too_many_pipelined_requests_end_the_connection(server: Server) -> None:
    client = await server.connect()
    await client.send(GET % b"stream" * 50)

    await server.until_nobody_is_connected()


async def test_a_stream_hears_that_its_client_has_left_also_with_requests_behind_it(
    server: Server,
) -> None:
    client = await server.connect()
    await client.send(GET % b"listen" + GET % b"" * 3)
    assert await server.until(lambda: bool(server.connections[0].pipeline))

    server.close()

    assert await server.until(lambda: not server.connections)
    assert await server.until(lambda: not server.tasks)


async def test_of_clients_that_vanish_at_once_a_few_at_a_time_are_noticed() -> None:
    clients, requests = Clients(QUICK), [_Request() for _ in range(2 * ENDED_AT_ONCE + 1)]
    for one in requests:
        clients.end_in_turn(one)  # type: ignore[arg-type]

    noticed = []
    for _turn in range(4):
        noticed.append(sum(one.message_event.is_set() for one in requests))
        await asyncio.sleep(0)

    assert noticed == [0, ENDED_AT_ONCE, 2 * ENDED_AT_ONCE, len(requests)]


class _Request:
    def __init__(self) -> None:
        self.message_event = asyncio.Event()


async def test_a_connection_that_is_over_is_freed_at_once_also_with_requests_behind_it(
    server: Server,
) -> None:
    client = await server.connect()
    await client.send(GET % b"listen" + GET % b"" * 3)
    assert await server.until(lambda: bool(server.connections[0].pipeline))
    connection = weakref.ref(server.connections[0])
    server.forget()

    gc.disable()
    server.close()

    try:
        assert await server.until(lambda: connection() is None)
    finally:
        gc.enable()


async def test_a_few_pipelined_requests_are_served_in_turn(server: Server) -> None:
    client = await server.connect()
    await client.send(GET % b"" * 10)

    body = b""
    while body.count(b"hello") < 10:
        body += await client.read()


async def test_an_address_with_too_many_connections_gives_up_the_longest_waiting() -> None:
    async with serving(Limits(connections_per_address=5)) as server:
        crowd = [await server.connect(STRANGER) for _ in range(5)]
        other = await server.connect("127.0.0.3")
        await server.connect(STRANGER)

        assert await crowd[0].read_to_end() == b""
        assert await crowd[1].is_open()
        assert await other.is_open()


async def test_a_connection_that_is_being_served_is_given_up_last() -> None:
    async with serving(Limits(connections_per_address=5)) as server:
        stream = await server.connect(STRANGER)
        await stream.send(GET % b"stream")
        await stream.read_until(b"alive")
        crowd = [await server.connect(STRANGER) for _ in range(5)]

        assert await crowd[0].read_to_end() == b""
        assert b"data: end" in await stream.read_until(b"data: end")


async def test_a_trusted_address_may_have_more() -> None:
    async with serving(Limits(connections_per_address=5)) as server:
        for _ in range(15):
            await server.connect("127.0.0.1")

        assert len(server.connections) == 15


async def test_loopback_may_have_more_whatever_proxies_are_trusted() -> None:
    proxies = frozenset({"10.0.0.2"})
    async with serving(Limits(connections_per_address=5, trusts=proxies.__contains__)) as server:
        for _ in range(15):
            await server.connect("127.0.0.1")

        assert len(server.connections) == 15


async def test_of_all_connections_the_address_with_most_of_them_gives_one_up() -> None:
    async with serving(Limits(connections=10)) as server:
        alice = await server.connect("127.0.0.3")
        crowd = [await server.connect(STRANGER) for _ in range(9)]
        bob = await server.connect("127.0.0.4")
        late = [await server.connect(STRANGER) for _ in range(20)]

        assert len(server.connections) == 10
        assert await alice.is_open()
        assert await bob.is_open()
        assert await crowd[0].read_to_end() == b""
        assert await late[-1].is_open()


async def test_of_addresses_with_equally_many_one_that_waits_gives_up() -> None:
    async with serving(Limits(connections=3)) as server:
        stream = await server.connect("127.0.0.3")
        await stream.send(GET % b"stream")
        await stream.read_until(b"alive")
        idle = [await server.connect(f"127.0.0.{number}") for number in (4, 5)]
        await server.connect("127.0.0.6")

        assert await idle[0].read_to_end() == b""
        assert b"data: end" in await stream.read_until(b"data: end")


async def test_a_trusted_address_gives_up_connections_only_when_nobody_else_has_any() -> None:
    async with serving(Limits(connections=10)) as server:
        proxied = [await server.connect("127.0.0.1") for _ in range(9)]
        await server.connect(STRANGER)
        await server.connect("127.0.0.3")

        assert await proxied[0].is_open()
        assert len(server.connections) == 10


async def test_a_burst_does_not_exceed_what_the_server_accepts() -> None:
    async with serving(Limits(connections=10)) as server:
        await asyncio.gather(*(server.connect(STRANGER) for _ in range(50)))

        assert len(server.connections) == 10


@pytest.mark.parametrize(
    ("files", "connections"), [(1_024, 960), (50, 1), (resource.RLIM_INFINITY, sys.maxsize)]
)
def test_64_of_the_files_that_may_be_open_are_left_for_other_uses(
    monkeypatch: pytest.MonkeyPatch, files: int, connections: int
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _kind: (files, resource.RLIM_INFINITY))

    assert Limits().connections == connections
