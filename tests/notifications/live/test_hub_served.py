"""The hub in a real server, in a process of its own."""

import asyncio
import re
import signal
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import pytest

from tests.benchmarks._server import Server, serving
from tests.notifications._connection import ALICE, BOB

APP = "tests.benchmarks._hub_app:app"
BYE = re.compile(rb"event: bye\nretry: [1-8]\d{3}\ndata: {}\n\n\r\n0\r\n\r\n$")
MEGABYTE = 1_000_000


@dataclass
class Tab:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def until(self, part: bytes) -> bytes:
        return await asyncio.wait_for(self.reader.readuntil(part), 30)

    async def until_the_end(self) -> bytes:
        return await asyncio.wait_for(self.reader.read(), 30)

    def vanish(self) -> None:
        self.writer.transport.abort()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving(APP) as server:
        yield server


@pytest.fixture
async def client(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.base_url) as client:
        yield client


async def test_500_streams_whose_clients_vanish_are_freed(
    server: Server, client: httpx.AsyncClient
) -> None:
    before = (await client.get("/state")).json()
    async with tabs(server, range(500)) as vanishing:
        while_open = (await client.get("/state")).json()

        for tab in vanishing:
            tab.vanish()
        async with asyncio.timeout(30):
            while (after := (await client.get("/state")).json()) != before:
                pass

    assert (while_open["streams"], while_open["objects"]) == (500, 500)
    assert while_open["tasks"] == before["tasks"] + 500
    assert (after["streams"], after["objects"]) == (0, 0)


async def test_a_slow_reader_delays_nobody_and_then_gets_the_present_state(
    server: Server, client: httpx.AsyncClient
) -> None:
    async with tabs(server, [ALICE]) as [slow], tabs(server, [BOB]) as [fast]:
        slow.writer.transport.pause_reading()  # type: ignore[attr-defined]
        before = server.memory()
        for _ in range(40):
            sending = client.post("/everyone", params={"size": MEGABYTE, "own": False})
            await asyncio.gather(sending, fast.until(b"for everyone.\n\n"))
        held = server.memory() - before
        slow.writer.transport.resume_reading()  # type: ignore[attr-defined]
        past = await slow.until(b"event: hello\n")

        await client.post(f"/people/{ALICE}", params={"size": 1})
        present = await slow.until(b"x for 1.\n\n")

    assert past.count(b"for everyone.\n\n") < 30
    assert present.count(b"for everyone.\n\n") == 0
    assert held < 25 * MEGABYTE


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_server_with_1000_streams_says_bye_to_all_and_ends(workers: int) -> None:
    async with (
        serving(APP, workers=workers, shutdown_seconds=30) as server,
        tabs(server, range(1000)) as crowd,
    ):
        ending = asyncio.create_task(server.stop())
        bodies = await asyncio.gather(*(tab.until_the_end() for tab in crowd))
        await ending

    assert all(BYE.search(body) for body in bodies)
    assert len(set(bodies)) > 500
    # Had it waited in vain for a stream to end, it would have logged an error.
    assert not re.search("ERROR|Traceback", "".join(server.log))


async def test_a_client_that_reads_nothing_cannot_keep_the_server_from_ending(
    server: Server, client: httpx.AsyncClient
) -> None:
    async with tabs(server, [ALICE]) as [stuck]:
        stuck.writer.transport.pause_reading()  # type: ignore[attr-defined]
        for _ in range(20):
            await client.post("/everyone", params={"size": MEGABYTE, "own": False})

        await server.stop()

    assert server.process.returncode == -signal.SIGTERM


@asynccontextmanager
async def tabs(server: Server, people: Iterable[int]) -> AsyncIterator[list[Tab]]:
    """An open stream for each user, with its opening received."""
    opening = [asyncio.create_task(_open(server, user_id)) for user_id in people]
    try:
        yield [await each for each in opening]
    finally:
        for each in opening:
            (await each).vanish()


async def _open(server: Server, user_id: int) -> Tab:
    tab = Tab(*await asyncio.open_connection("127.0.0.1", server.port, limit=100 * MEGABYTE))
    tab.writer.write(f"GET /streams/{user_id} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    await tab.until(b"data: hello")
    await tab.until(b"\n\n\r\n")
    return tab
