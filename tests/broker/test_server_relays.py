"""The relays through PostgreSQL and Redis: what the one on a machine does, and a server that restarts."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import psycopg
import pytest

from app.broker.postgresql.relay import PostgresRelay, watch_postgres
from app.broker.redis.relay import RedisRelay
from app.broker.redis.server import open_client
from app.broker.relay import CHANGES, Relay, watch_file
from app.broker.server_relay import MOST_UNSENT, ServerRelay
from tests.broker.servers import OwnPostgres, OwnRedis, OwnServer, redis_prefix, running, schema
from tests.setups import REDIS_URL

# A deadline for what should happen soon, also on a busy machine.
SECONDS = 30

NewRelay = Callable[[], ServerRelay]


async def _quiet(_on_change: Callable[[], None]) -> None:
    """A database in which nothing changes."""
    await asyncio.Event().wait()


@pytest.fixture(params=["postgresql", "redis"])
async def new_relay(request: pytest.FixtureRequest) -> AsyncIterator[NewRelay]:
    """Relays of one installation."""
    if request.param == "postgresql":
        async with schema() as url:
            yield lambda: PostgresRelay(url)
    else:
        async with redis_prefix() as prefix:
            yield lambda: RedisRelay(open_client(REDIS_URL), prefix, _quiet)


@pytest.fixture
async def alice(new_relay: NewRelay) -> AsyncIterator[ServerRelay]:
    relay = new_relay()
    await relay.connect()
    yield relay
    await relay.disconnect()


@pytest.fixture
async def bob(new_relay: NewRelay) -> AsyncIterator[ServerRelay]:
    relay = new_relay()
    await relay.connect()
    yield relay
    await relay.disconnect()


async def test_pokes_reach_every_other_process(alice: ServerRelay, bob: ServerRelay) -> None:
    there = event_of(bob, "queue")
    alice.poke("queue")
    await asyncio.wait_for(there.wait(), SECONDS)
    back = event_of(alice, "queue")
    bob.poke("queue")
    await asyncio.wait_for(back.wait(), SECONDS)


async def test_a_poke_does_not_come_back_to_the_process_that_sent_it(
    alice: ServerRelay, bob: ServerRelay
) -> None:
    calls: list[str] = []
    alice.listen("queue", lambda: calls.append("queue"))
    there, back = event_of(bob, "queue"), event_of(alice, "back")
    alice.poke("queue")
    await asyncio.wait_for(there.wait(), SECONDS)
    bob.poke("back")
    await asyncio.wait_for(back.wait(), SECONDS)
    assert calls == ["queue"]


async def test_many_topics_at_once_all_arrive_in_the_other_process(
    alice: ServerRelay, bob: ServerRelay
) -> None:
    ids: set[int] = set()
    bob.listen_for_ids("user", ids.add)
    for id in range(10**9, 10**9 + MOST_UNSENT):
        alice.poke(f"user {id}")
    await eventually(lambda: len(ids) == MOST_UNSENT)


async def test_a_thread_may_poke(alice: ServerRelay, bob: ServerRelay) -> None:
    there = event_of(bob, "queue")
    threading.Thread(target=alice.poke, args=["queue"]).start()
    await asyncio.wait_for(there.wait(), SECONDS)


async def test_a_poke_just_before_disconnecting_still_arrives(
    alice: ServerRelay, bob: ServerRelay
) -> None:
    there = event_of(bob, "queue")
    alice.poke("queue")
    await alice.disconnect()
    await asyncio.wait_for(there.wait(), SECONDS)


async def test_a_relay_disconnects_at_any_moment_of_sending_and_the_poke_arrives(
    new_relay: NewRelay, bob: ServerRelay
) -> None:
    ids: set[int] = set()
    bob.listen_for_ids("user", ids.add)
    for turns in range(40):
        relay = new_relay()
        await relay.connect()
        relay.poke(f"user {turns}")
        for _turn in range(turns):
            await asyncio.sleep(0)
        await relay.disconnect()
    await eventually(lambda: len(ids) == 40)


async def test_a_relay_knows_whether_it_is_connected_and_can_reconnect(
    alice: ServerRelay, bob: ServerRelay
) -> None:
    states = [alice.is_connected]
    await alice.disconnect()
    states.append(alice.is_connected)
    await alice.connect()
    await alice.connect()
    assert [*states, alice.is_connected] == [True, False, True]
    here = event_of(alice, "queue")
    bob.poke("queue")
    await asyncio.wait_for(here.wait(), SECONDS)


async def test_a_relay_that_is_not_connected_does_nothing(new_relay: NewRelay) -> None:
    relay = new_relay()
    queue = event_of(relay, "queue")
    relay.poke("queue")
    await asyncio.sleep(0.01)
    assert not queue.is_set()


async def test_installations_on_one_server_do_not_hear_each_other() -> None:
    async with schema() as one, schema() as other, redis_prefix() as prefix:
        pairs: list[tuple[ServerRelay, ServerRelay]] = [
            (PostgresRelay(one), PostgresRelay(other)),
            (
                RedisRelay(open_client(REDIS_URL), prefix, _quiet),
                RedisRelay(open_client(REDIS_URL), f"{prefix}2", _quiet),
            ),
        ]
        for ours, theirs in pairs:
            await ours.connect()
            await theirs.connect()
            calls: list[str] = []
            theirs.listen("queue", partial(calls.append, "queue"))
            ours.poke("queue")
            await asyncio.sleep(0.5)
            await ours.disconnect()
            await theirs.disconnect()
            assert calls == []


# Pokes that are lost


async def test_a_change_in_postgresql_without_a_poke_is_noticed() -> None:
    async with schema() as url:
        relay = PostgresRelay(url)
        await relay.connect()
        changes = event_of(relay, CHANGES)
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute("CREATE TABLE clip (name text)")
        await asyncio.wait_for(changes.wait(), SECONDS)
        await relay.disconnect()


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
async def test_with_redis_a_change_in_the_database_without_a_poke_is_noticed(
    tmp_path: Path, database: str
) -> None:
    async with schema() as url, redis_prefix() as prefix:
        path = tmp_path / "clippyfront.db"
        is_sqlite = database == "sqlite"
        watch = partial(watch_file, path) if is_sqlite else partial(watch_postgres, url)
        relay = RedisRelay(open_client(REDIS_URL), prefix, watch)
        await relay.connect()
        changes = event_of(relay, CHANGES)
        if is_sqlite:
            with closing(sqlite3.connect(path)) as file:
                file.execute("CREATE TABLE clip (name text)")
        else:
            with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
                connection.execute("CREATE TABLE clip (name text)")
        await asyncio.wait_for(changes.wait(), SECONDS)
        await relay.disconnect()


# A server that restarts


@pytest.fixture(params=[OwnPostgres, OwnRedis])
async def server(request: pytest.FixtureRequest) -> AsyncIterator[OwnServer]:
    async with running(request.param()) as server:
        yield server


def relay_through(server: OwnServer) -> ServerRelay:
    if isinstance(server, OwnPostgres):
        return PostgresRelay(server.url)
    assert isinstance(server, OwnRedis)
    return RedisRelay(open_client(server.url), "clippyfront", _quiet)


async def test_a_relay_comes_back_with_its_server_and_calls_its_listeners(
    server: OwnServer,
) -> None:
    relay, other = relay_through(server), relay_through(server)
    await relay.connect()
    await other.connect()
    server.stop()
    await eventually(lambda: not relay.is_connected and not other.is_connected)

    caught_up, poked = event_of(relay, CHANGES), event_of(other, "while it was away")
    relay.poke("while it was away")
    await server.start()
    await asyncio.wait_for(caught_up.wait(), SECONDS)
    await asyncio.wait_for(poked.wait(), SECONDS)

    again = event_of(other, "afterwards")
    relay.poke("afterwards")
    await asyncio.wait_for(again.wait(), SECONDS)
    await relay.disconnect()
    await other.disconnect()


def event_of(relay: Relay, topic: str) -> asyncio.Event:
    event = asyncio.Event()
    relay.listen(topic, event.set)
    return event


async def eventually(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS):
        while not condition():  # noqa: ASYNC110 - the server has no event for this
            await asyncio.sleep(0.01)
