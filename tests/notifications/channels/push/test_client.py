"""Posting to push services over kept connections."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from ssl import SSLContext

import pytest

from app.notifications.channels.push import client as push_client
from app.notifications.channels.push.client import PushClient, Reply, Unanswered
from app.notifications.channels.push.services import PushServices
from tests.certificates import Authority

OK = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"
Served = tuple[PushClient, Callable[[], Awaitable[Reply]], list[int]]


@asynccontextmanager
async def served(
    *answers: bytes, seconds: float = 2, context: SSLContext | None = None
) -> AsyncIterator[Served]:
    """A client, a way to post with it, and the number of connections for each request.

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
    host = f"localhost:{server.sockets[0].getsockname()[1]}"
    services = PushServices([host])
    client = PushClient(services, seconds=seconds)
    service, target = services.find(f"{'https' if context else 'http'}://{host}/push")
    yield client, lambda: client.post(service, target, {"TTL": "60"}, b"body"), connections
    client.close()
    server.close()


async def test_a_connection_is_kept_for_the_next_post() -> None:
    async with served(OK, OK, OK) as (_client, post, connections):
        replies = [await post() for _ in range(3)]

    assert replies == [Reply(201, "")] * 3
    assert connections == [1]


async def test_a_connection_that_was_idle_for_long_is_not_trusted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(push_client, "SECONDS_KEPT", 0.1)
    async with served(OK, OK, OK) as (_client, post, connections):
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
    async with served(answer, OK) as (_client, post, connections):
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
    async with served(answer, OK) as (_client, post, connections):
        assert await post() == Reply(500, "")
        assert await post() == Reply(201, "")

    assert connections == [2]


async def test_a_connection_that_was_hung_up_meanwhile_is_replaced() -> None:
    async with served(OK, b"", OK) as (_client, post, connections):
        assert await post() == Reply(201, "")
        assert await post() == Reply(201, "")

    assert connections == [2]


@pytest.mark.parametrize(
    "answer",
    [b"", b"HTTP/1.1 201", b"nonsense\r\n\r\n", b"HTTP/1.1 201 So\r\n" + b"X: y\r\n" * 9000],
    ids=["nothing", "half a line", "nonsense", "endless head"],
)
async def test_what_is_no_answer_is_none(answer: bytes) -> None:
    async with served(answer, seconds=0.3) as (_client, post, _connections):
        with pytest.raises(Unanswered):
            await post()


async def test_a_port_where_nobody_listens_gives_no_answer() -> None:
    services = PushServices(["127.0.0.1:9"])
    service, target = services.find("http://127.0.0.1:9/push")

    with pytest.raises(Unanswered):
        await PushClient(services).post(service, target, {}, b"body")


async def test_the_time_to_wait_comes_along() -> None:
    answer = b"HTTP/1.1 429 So\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n"

    async with served(answer) as (_client, post, _connections):
        assert await post() == Reply(429, "120")


async def test_several_posts_at_once_have_a_connection_each() -> None:
    async with served(*[OK] * 4) as (_client, post, connections):
        await asyncio.gather(*(post() for _ in range(4)))

    assert connections == [4]


async def test_a_service_is_spoken_to_in_secret_over_a_kept_connection(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))

    async with served(OK, OK, context=authority.server) as (_client, post, connections):
        assert [await post(), await post()] == [Reply(201, "")] * 2

    assert connections == [1]


async def test_a_service_that_nobody_vouches_for_is_told_nothing(authority: Authority) -> None:
    async with served(OK, context=authority.server) as (_client, post, _connections):
        with pytest.raises(Unanswered, match="certificate"):
            await post()
