"""A short read: columns and entities in one view of the database."""

import asyncio
from contextlib import AsyncExitStack
from threading import Event, Semaphore
from typing import Any

import pytest
from sqlalchemy import (
    Integer,
    bindparam,
    create_engine,
    func,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.exc import DBAPIError

from app.database import Database, short_reads
from app.database.short_reads import (
    ASIDE_AT_ONCE,
    SESSIONS_AT_ONCE,
    PreparedStatements,
    ShortSession,
    execute_aside,
)
from app.models import User
from tests.statements import statements_heard


async def test_columns_and_entities_are_read_from_one_view(db: Database, alice: User) -> None:
    name = select(User.username).where(User.id == alice.id)
    async with db.short_read() as session:
        [before] = await session.scalars(name)
        async with db.write() as other:
            await other.execute(update(User).where(User.id == alice.id).values(username="carol"))
        entity = await session.get_one(User, alice.id)
        again = await session.scalar(name)

    assert (before, entity.username, again) == ("alice", "alice", "alice")


async def test_the_next_one_sees_what_was_committed_meanwhile(db: Database, alice: User) -> None:
    name = select(User.username).where(User.id == alice.id)
    async with db.short_read() as session:
        await session.execute(name)
    async with db.write() as session:
        await session.execute(update(User).where(User.id == alice.id).values(username="carol"))

    async with db.short_read() as session:
        assert await session.scalar(name) == "carol"


async def test_what_is_executed_aside_sees_the_same_and_holds_up_nobody(
    db: Database, alice: User
) -> None:
    name = select(User.username).where(User.id == bindparam("id"))

    async with db.short_read() as session:
        before = await session.scalar(name, {"id": alice.id})
        async with db.write() as other:
            await other.execute(update(User).where(User.id == alice.id).values(username="carol"))
        with statements_heard() as heard:
            [[aside]] = await execute_aside(session, name, {"id": alice.id})
        again = await session.scalar(name, {"id": alice.id})

    assert (before, aside, again) == ("alice", "alice", "alice")
    [statement] = heard
    assert statement.is_in_main_thread != db.is_sqlite


@pytest.mark.sqlite
async def test_a_cancelled_read_ends_what_it_executes_aside(db: Database) -> None:
    numbers = select(literal(1).label("n")).cte(recursive=True)
    endless = numbers.union_all(select(numbers.c.n + 1))
    count = select(func.count()).select_from(endless)

    async def read() -> None:
        async with db.short_read() as session:
            await execute_aside(session, count)

    reading = asyncio.create_task(read())
    await asyncio.sleep(0.1)
    reading.cancel()

    with pytest.raises(asyncio.CancelledError):
        await reading


@pytest.mark.sqlite
async def test_a_few_at_a_time_take_threads_from_others(
    db: Database, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute, may_end, running = PreparedStatements.execute, Event(), Semaphore(0)

    def wait(*given: Any) -> Any:
        running.release()
        may_end.wait()
        return execute(*given)

    async def read() -> object:
        async with db.short_read() as session:
            [[name]] = await execute_aside(session, select(User.username))
            return name

    monkeypatch.setattr(PreparedStatements, "execute", wait)
    reading = [asyncio.create_task(read()) for _one in range(ASIDE_AT_ONCE + 1)]
    try:
        for _one in range(ASIDE_AT_ONCE):
            assert await asyncio.to_thread(running.acquire, timeout=10)
        await asyncio.sleep(0.05)
        assert not running.acquire(blocking=False)
    finally:
        may_end.set()

    assert await asyncio.gather(*reading) == ["alice"] * len(reading)


@pytest.mark.sqlite
async def test_more_than_a_few_sessions_at_a_time_use_the_connections_of_other_reads(
    db: Database, alice: User
) -> None:
    async with AsyncExitStack() as stack:
        sessions = [
            await stack.enter_async_context(db.short_read()) for _one in range(SESSIONS_AT_ONCE + 1)
        ]
        names = [await one.scalar(select(User.username)) for one in sessions]

    assert names == ["alice"] * len(sessions)
    are_short = [isinstance(one, ShortSession) for one in sessions]
    assert are_short == [True] * SESSIONS_AT_ONCE + [False]
    async with db.short_read() as session:
        assert isinstance(session, ShortSession)


def test_a_connection_that_is_closed_fails_as_sqlalchemy_says() -> None:
    statements, statement = PreparedStatements(), select(literal(1))
    with create_engine("sqlite://").connect() as connection:
        for _time in range(3):
            assert statements.execute(connection, statement, {}).all() == [(1,)]
        driver = connection.connection.dbapi_connection
        assert driver
        driver.close()

        with pytest.raises(DBAPIError):
            statements.execute(connection, statement, {})
        connection.invalidate()


async def test_columns_are_read_where_an_entity_was(db: Database, alice: User) -> None:
    async with db.short_read() as session:
        [user] = await session.scalars(select(User).where(User.id == alice.id))
        columns = (await session.execute(select(User.id, User.username))).all()

    assert [tuple(row) for row in columns] == [(user.id, user.username)]


async def test_a_statement_that_is_run_again_takes_other_values(
    db: Database, alice: User, bob: User
) -> None:
    name = select(User.username).where(User.id == bindparam("id"))
    limited = name.limit(bindparam("most", type_=Integer))

    async with db.short_read() as session:
        names = [await session.scalar(name, {"id": one.id}) for one in (alice, bob, alice)]
        none = [await session.scalar(limited, {"id": alice.id, "most": n}) for n in (1, 0, 1)]
    [[fetched]] = await db.fetch(name, id=bob.id)

    assert names == ["alice", "bob", "alice"]
    assert none == ["alice", None, "alice"]
    assert fetched == "bob"


async def test_a_statement_may_be_given_more_values_and_fewer(db: Database, alice: User) -> None:
    limit: Any = bindparam("most", 1, Integer)
    name = select(User.username).where(User.id == bindparam("id")).limit(limit)
    one, none = {"id": alice.id}, {"id": alice.id, "most": 0}

    async with db.short_read() as session:
        found = [await session.scalar(name, values) for values in (one, none, one, none, one)]

    assert found == ["alice", None, "alice", None, "alice"]


async def test_statements_that_are_not_run_again_are_forgotten(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(short_reads, "STATEMENTS_KEPT", 3)
    statements = PreparedStatements()
    async with db.short_read() as session:
        connected = getattr(session, "connected", None)
        for number in range(5):
            for _time in range(2):
                statement = select(User.id).where(User.id == number)
                if connected:
                    statements.execute(connected, statement, None)

    assert statements.count == (3 if db.is_sqlite else 0)


async def test_a_statement_that_is_run_again_converts_what_it_takes_and_reads(
    db: Database, alice: User
) -> None:
    until: Any = bindparam("until", type_=User.created_at.type)
    statement = select(User.created_at).where(User.created_at <= until)

    found = [await db.fetch(statement, until=alice.created_at) for _time in range(3)]

    assert [row.created_at for [row] in found] == [alice.created_at] * 3


async def test_a_statement_that_is_run_again_may_be_given_a_longer_list(
    db: Database, alice: User, bob: User
) -> None:
    names = select(User.username).where(User.id.in_(bindparam("ids", expanding=True)))
    lists = [[alice.id], [], [alice.id, bob.id], [bob.id]]

    found = [sorted(row.username for row in await db.fetch(names, ids=ids)) for ids in lists]

    assert found == [["alice"], [], ["alice", "bob"], ["bob"]]


async def test_a_statement_that_is_run_again_fails_as_it_would_the_first_time(db: Database) -> None:
    statement = select(text("1")).select_from(text("passing"))
    async with db.write() as session:
        await session.execute(text("CREATE TABLE passing (id INTEGER)"))
    for _time in range(3):
        assert await db.fetch(statement) == []
    async with db.write() as session:
        await session.execute(text("DROP TABLE passing"))

    with pytest.raises(DBAPIError):
        await db.fetch(statement)


async def test_whoever_listens_to_statements_hears_of_each(db: Database, alice: User) -> None:
    name = select(User.username).where(User.id == alice.id)
    for _time in range(3):
        await db.fetch(name)

    with statements_heard() as heard:
        await db.fetch(name)

    assert len([one for one in heard if "username" in one.text]) == 1
