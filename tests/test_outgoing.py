"""Posting to strangers: over kept connections, to allowed addresses alone, and never further."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from ssl import SSLContext
from typing import Any

import pytest

from app import outgoing
from app.outgoing import AddressRefused, Outgoing, Reply, Unanswered, is_public
from tests.certificates import Authority

OK = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"
Served = tuple[int, Callable[[], Awaitable[Reply]], list[int]]


@asynccontextmanager
async def served(
    *answers: bytes, seconds: float = 2, context: SSLContext | None = None
) -> AsyncIterator[Served]:
    """The port, a way to post there, and the number of connections for each request.

    One answer a request; an empty one hangs up instead. With a `context`, all of it over TLS.
    """
    waiting, connections = list(answers), [0]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections[0] += 1
        try:
            while waiting:
                await reader.readuntil(b"\r\n\r\nbody")
                if not (answer := waiting.pop(0)):
                    break
                writer.write(answer)
                await writer.drain()
                if answer.startswith(b"HTTP/1.0"):
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    client = Outgoing(lambda _host, _address: True, seconds=seconds)
    url = f"{'https' if context else 'http'}://localhost:{port}/push"
    yield port, lambda: client.post(url, {"TTL": "60"}, b"body"), connections
    await client.close()
    server.close()


async def test_a_connection_is_kept_for_the_next_post() -> None:
    async with served(OK, OK, OK) as (_port, post, connections):
        replies = [await post() for _ in range(3)]

    assert replies == [Reply(201, "")] * 3
    assert connections == [1]


async def test_a_connection_that_was_idle_for_long_is_not_trusted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outgoing, "SECONDS_KEPT", 0.1)
    async with served(OK, OK, OK) as (_port, post, connections):
        await asyncio.gather(post(), post())
        await asyncio.sleep(0.2)
        await post()

    assert connections == [3]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 201 So\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 So\r\nContent-Length: 2\r\n\r\nhi",
    ],
    ids=["in chunks", "after a 100"],
)
async def test_every_way_of_answering_is_understood(answer: bytes) -> None:
    async with served(answer, OK) as (_port, post, connections):
        assert await post() == Reply(201, "")
        assert await post() == Reply(201, "")

    assert connections == [1]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 500 So\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno",
        b"HTTP/1.0 500 So\r\n\r\nuntil the end",
        b"HTTP/1.1 500 So\r\nContent-Length: 9999999\r\n\r\n" + b"x" * 20_000,
        b"HTTP/1.1 500 So\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n" + b"x" * 20_000,
    ],
    ids=["closing", "old", "long", "endless"],
)
async def test_a_status_is_enough_and_the_rest_is_not_read(answer: bytes) -> None:
    async with served(answer, OK) as (_port, post, connections):
        assert await post() == Reply(500, "")
        assert await post() == Reply(201, "")

    assert connections == [2]


async def test_a_connection_that_was_hung_up_meanwhile_is_replaced() -> None:
    async with served(OK, b"", OK) as (_port, post, connections):
        assert await post() == Reply(201, "")
        assert await post() == Reply(201, "")

    assert connections == [2]


@pytest.mark.parametrize(
    "answer",
    [b"", b"HTTP/1.1 201", b"nonsense\r\n\r\n", b"HTTP/1.1 201 So\r\n" + b"X: y\r\n" * 9000],
    ids=["nothing", "half a line", "nonsense", "endless head"],
)
async def test_an_invalid_response_counts_as_unanswered(answer: bytes) -> None:
    async with served(answer, seconds=0.3) as (_port, post, _connections):
        with pytest.raises(Unanswered):
            await post()


async def test_a_port_where_nobody_listens_gives_no_answer() -> None:
    client = Outgoing(lambda _host, _address: True)

    with pytest.raises(Unanswered):
        await client.post("http://127.0.0.1:9/push", {}, b"body")

    await client.close()


async def test_a_redirect_is_not_followed() -> None:
    elsewhere = b"HTTP/1.1 302 So\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n"

    async with served(elsewhere) as (_port, post, _connections):
        assert await post() == Reply(302, "")


async def test_a_cookie_is_not_kept() -> None:
    cookie = b"HTTP/1.1 201 So\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n"
    client = Outgoing(lambda _host, _address: True)

    async with served(cookie) as (port, _post, _connections):
        await client.post(f"http://localhost:{port}/push", {}, b"body")

    assert len(client._session.cookie_jar) == 0
    await client.close()


async def test_the_time_to_wait_comes_along() -> None:
    answer = b"HTTP/1.1 429 So\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n"

    async with served(answer) as (_port, post, _connections):
        assert await post() == Reply(429, "120")


async def test_several_posts_at_once_have_a_connection_each() -> None:
    async with served(*[OK] * 4) as (_port, post, connections):
        await asyncio.gather(*(post() for _ in range(4)))

    assert connections == [4]


async def test_a_service_is_spoken_to_in_secret_over_a_kept_connection(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))

    async with served(OK, OK, context=authority.server) as (_port, post, connections):
        assert [await post(), await post()] == [Reply(201, "")] * 2

    assert connections == [1]


async def test_a_service_without_a_valid_certificate_is_sent_nothing(authority: Authority) -> None:
    async with served(OK, context=authority.server) as (_port, post, _connections):
        with pytest.raises(Unanswered, match="certificate"):
            await post()


@pytest.mark.parametrize(
    ("address", "is_everybodys"),
    [
        ("142.250.74.10", True),
        ("2a00:1450:4001:829::200a", True),
        ("::ffff:142.250.74.10", True),
        ("127.0.0.1", False),
        ("127.8.8.8", False),
        ("0.0.0.0", False),
        ("10.0.0.1", False),
        ("172.16.0.1", False),
        ("192.168.0.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("192.0.2.1", False),
        ("198.18.0.1", False),
        ("224.0.0.1", False),
        ("240.0.0.1", False),
        ("255.255.255.255", False),
        ("::", False),
        ("::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::a00:1", False),
        ("64:ff9b::8efa:4a0a", True),
        ("2002:7f00:1::", False),
        ("2002:a00:1::", False),
        ("fe80::1", False),
        ("fe80::1%eth0", False),
        ("fc00::1", False),
        ("fd12:3456::1", False),
        ("ff02::1", False),
        ("2001:db8::1", False),
        ("64:ff9b:1::7f00:1", False),
        ("::ffff:0:127.0.0.1", False),
        ("::7f00:1", False),
        ("fec0::1", False),
    ],
)
def test_only_everybodys_addresses_are_public(address: str, is_everybodys: bool) -> None:
    assert is_public(address) == is_everybodys


def resolving(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """push.example.org leads there from now on."""
    loop_class = type(asyncio.get_running_loop())
    real = loop_class.getaddrinfo

    async def getaddrinfo(loop: Any, host: str, port: int, **options: Any) -> list[Any]:
        if host != "push.example.org":
            return list(await real(loop, host, port, **options))
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in addresses]

    monkeypatch.setattr(loop_class, "getaddrinfo", getaddrinfo)


async def test_a_name_that_leads_to_no_allowed_address_is_not_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolving(monkeypatch, "127.0.0.1", "10.0.0.1")
    client = Outgoing(lambda _host, address: is_public(address))

    with pytest.raises(AddressRefused):
        await client.post("http://push.example.org/up", {}, b"body")

    await client.close()


async def test_of_several_addresses_only_the_allowed_ones_are_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[str, str]] = []

    def may_reach(host: str, address: str) -> bool:
        asked.append((host, address))
        return address == "127.0.0.1"

    async with served(OK) as (port, _post, connections):
        resolving(monkeypatch, "127.0.0.2", "127.0.0.1")
        client = Outgoing(may_reach)
        reply = await client.post(f"http://push.example.org:{port}/up", {}, b"body")
        await client.close()

    assert reply == Reply(201, "")
    assert asked == [("push.example.org", "127.0.0.2"), ("push.example.org", "127.0.0.1")]
    assert connections == [1]
