"""A worker whose queue goes away works on when it is back, and asks for it ever less often meanwhile."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from saq import Queue, Status, Worker
from saq.types import Context

from app.broker.postgresql.queue import PostgresQueue
from app.broker.postgresql.relay import PostgresRelay
from app.broker.postgresql.server import open_pool
from app.broker.redis.queue import RedisQueue
from app.broker.redis.relay import RedisRelay
from app.broker.redis.server import open_client
from app.broker.server_relay import ServerRelay
from tests.broker.queue_case import enqueued, eventually, stored_job
from tests.broker.servers import OwnPostgres, OwnRedis, OwnServer, running
from tests.broker.test_server_relays import _quiet

SECONDS = 60


@pytest.fixture(params=[OwnPostgres, OwnRedis])
async def server(request: pytest.FixtureRequest) -> AsyncIterator[OwnServer]:
    async with running(request.param()) as server:
        yield server


@pytest.fixture
async def queue(server: OwnServer) -> AsyncIterator[Queue]:
    relay: ServerRelay
    if isinstance(server, OwnPostgres):
        relay = PostgresRelay(server.url)
        queue: Queue = PostgresQueue(open_pool(server.url, 2), "default", relay)
    else:
        assert isinstance(server, OwnRedis)
        relay = RedisRelay(open_client(server.url), "clippyfront", _quiet)
        queue = RedisQueue(open_client(server.url), "clippyfront", "default", relay)
    await queue.connect()
    yield queue
    await queue.disconnect()
    await relay.disconnect()


async def greet(_context: Context) -> str:
    return "Hello"


async def test_a_worker_goes_on_when_its_queue_is_back(
    server: OwnServer, queue: Queue, caplog: pytest.LogCaptureFixture
) -> None:
    worker: Worker[Context] = Worker(queue, [greet])
    working = asyncio.create_task(worker.start())
    first = await enqueued(queue, "greet")
    await eventually(lambda: is_complete(queue, first.key), SECONDS)

    server.stop()
    await eventually(lambda: was_noticed(caplog), SECONDS)
    await asyncio.sleep(3)
    asked = caplog.text.count("No job can be taken")
    await server.start()

    again = await enqueued(queue, "greet")
    await eventually(lambda: is_complete(queue, again.key), SECONDS)
    await worker.stop()
    await working
    assert (await stored_job(again)).result == "Hello"
    assert asked < 10


async def test_a_queue_that_is_away_refuses_a_job_soon(server: OwnServer, queue: Queue) -> None:
    server.stop()

    async with asyncio.timeout(SECONDS):
        with pytest.raises(Exception):  # noqa: B017 - each driver has errors of its own
            await queue.enqueue("greet")

    assert not await queue.dequeue(timeout=0.1)


async def is_complete(queue: Queue, key: str) -> bool:
    job = await queue.job(key)
    return job is not None and job.status is Status.COMPLETE


async def was_noticed(caplog: pytest.LogCaptureFixture) -> bool:
    return "No job can be taken" in caplog.text
