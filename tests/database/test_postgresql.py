"""What holds on PostgreSQL: one schema for all hosts, few connections, and faults that pass."""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from advanced_alchemy.base import orm_registry
from sqlalchemy import create_engine, func, select, text

from app.database import Database, postgresql
from app.database.migrations import migrate, revisions
from app.database.preparing import alone
from app.errors import OutOfSpace, Unavailable
from app.faults import fault_of
from app.models import Team
from app.notifications.search.index import TABLE
from app.process import postgresql_connections as connecting
from app.settings import Settings
from tests.database.servers import Server
from tests.database.servers import postgresql as own_server

COLUMNS = """
SELECT format('%s.%s %s null=%s identity=%s', relname, attname,
    format_type(atttypid, atttypmod), NOT attnotnull, attidentity)
FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND attnum > 0
    AND NOT attisdropped
"""
CONSTRAINTS = """
SELECT conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
WHERE connamespace = current_schema()::regnamespace
"""
INDEXES = "SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema()"
OURS = "SELECT count(*) FROM pg_stat_activity WHERE datname = '{}' AND application_name = 'clippyfront'"


async def test_each_table_and_index_matches_the_models(
    server: Server, shared: Database, on_server: Settings
) -> None:
    made = server.new_database()
    engine = create_engine(server.url(made))
    orm_registry.metadata.create_all(engine)
    engine.dispose()

    models, migrated = described(server, made), described(server, name_of(on_server))

    others = ("alembic_version", TABLE)
    assert {line for line in migrated if not any(one in line for one in others)} == models


def described(server: Server, database: str) -> set[str]:
    rows = [
        row
        for query in (COLUMNS, CONSTRAINTS, INDEXES)
        for row in server.execute(query, database=database)
    ]
    return {re.sub(r"public\.|\"", "", str(line)) for (line,) in rows}


def name_of(settings: Settings) -> str:
    return settings.database_url.rpartition("/")[2]


async def test_hosts_that_migrate_at_once_wait_for_each_other(on_server: Settings) -> None:
    hosts = [Database(on_server.database_url) for _host in range(4)]

    await asyncio.gather(*(migrate(host, on_server) for host in hosts))

    current, newest = await revisions(hosts[0])
    assert current == newest
    await asyncio.gather(*(host.close() for host in hosts))


async def test_one_host_prepares_while_the_others_wait(on_server: Settings) -> None:
    inside = 0

    async def prepare() -> None:
        nonlocal inside
        db = Database(on_server.database_url)
        async with alone(db):
            inside += 1
            await asyncio.sleep(0.05)
            assert inside == 1
            inside -= 1
        await db.close()

    await asyncio.gather(*(prepare() for _host in range(4)))


async def test_a_read_sees_one_state_whatever_is_committed_meanwhile(shared: Database) -> None:
    async with shared.read() as reading:
        before = await reading.scalar(select(func.count()).select_from(Team))
        async with shared.write() as session:
            session.add(Team(name="Film Squad"))
        after = await reading.scalar(select(func.count()).select_from(Team))

    assert (before, after) == (0, 0)


async def test_a_busy_process_waits_for_a_connection_and_opens_no_more(
    server: Server, on_server: Settings, shared: Database
) -> None:
    await shared.close()
    db = Database(on_server.database_url, connections=3)
    most = 0

    async def ask() -> None:
        nonlocal most
        async with db.read() as session:
            most = max(most, await session.scalar(text(OURS.format(name_of(on_server)))) or 0)
            await session.execute(text("SELECT pg_sleep(0.02)"))

    await asyncio.gather(*(ask() for _request in range(30)))

    assert most == 3
    await db.close()


async def test_without_a_connection_in_time_a_request_is_refused(
    on_server: Settings, shared: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "BUSY_SECONDS", 0.2)
    db = Database(on_server.database_url, connections=1)

    async with db.read() as reading:
        await reading.execute(text("SELECT 1"))
        with pytest.raises(Exception) as refused:
            async with db.read() as another:
                await another.execute(text("SELECT 1"))

    fault = fault_of(refused.value)
    assert fault
    assert (fault.status, fault.retry_after) == (503, 10)
    await db.close()


async def test_a_statement_that_waits_too_long_for_a_lock_is_refused(
    on_server: Settings, shared: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasty = connecting.BEGINNING.replace("lock_timeout = '10s'", "lock_timeout = '100ms'")
    monkeypatch.setattr(postgresql, "BEGINNING", hasty)
    db = Database(on_server.database_url)

    async with shared.act():
        with pytest.raises(Exception) as refused:
            async with db.act() as session:
                session.add(Team(name="Film Squad"))

    assert isinstance(fault_of(refused.value), Unavailable)
    assert await teams(db) == 0
    await db.close()


async def test_a_host_that_hangs_within_an_act_does_not_block_the_others(
    on_server: Settings, shared: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "idle_in_transaction_session_timeout"
    hasty = connecting.BEGINNING.replace(f"{name} = '30s'", f"{name} = '200ms'")
    monkeypatch.setattr(postgresql, "BEGINNING", hasty)
    hanging = Database(on_server.database_url)

    with pytest.raises(Exception) as ended:  # noqa: PT012
        async with hanging.act() as session:
            session.add(Team(name="Of the one that hangs"))
            await session.flush()
            async with shared.act() as other:
                other.add(Team(name="Film Squad"))

    assert isinstance(fault_of(ended.value), Unavailable)
    assert await teams(shared) == 1
    await hanging.close()


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("53100", OutOfSpace),
        ("53300", Unavailable),
        ("40P01", Unavailable),
        ("57014", Unavailable),
        ("25006", Unavailable),
        ("57P01", Unavailable),
        ("08006", Unavailable),
        ("23505", type(None)),
        ("42703", type(None)),
    ],
)
async def test_a_temporary_fault_is_distinguished_from_a_bug(
    shared: Database, code: str, fault: type[Unavailable] | None
) -> None:
    raising = text(f"DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{code}'; END $$")

    with pytest.raises(Exception) as raised:
        async with shared.write() as session:
            await session.execute(raising)

    assert type(fault_of(raised.value)) is fault


@pytest.fixture
def restarted(settings: Settings) -> Iterator[tuple[Server, Settings]]:
    """A server that the test may stop."""
    with own_server() as one:
        yield one, replace(settings, database_url=one.url(one.new_database()))


async def test_a_server_that_restarts_is_used_again_without_a_failure(
    restarted: tuple[Server, Settings],
) -> None:
    server, on_server = restarted
    db = Database(on_server.database_url)
    await migrate(db, on_server)
    await asyncio.gather(*(teams(db) for _connection in range(5)))

    server.stop()
    with pytest.raises(Exception) as away:
        await teams(db)
    server.start()
    counts = await asyncio.gather(*(teams(db) for _connection in range(5)))

    fault = fault_of(away.value)
    assert fault
    assert (fault.status, fault.retry_after) == (503, 5)
    assert counts == [0] * 5
    await db.close()


async def test_a_commit_whose_answer_is_lost_is_not_reported_as_having_changed_nothing(
    shared: Database, server: Server
) -> None:
    with pytest.raises(Unavailable, match="whether it was saved"):  # noqa: PT012
        async with shared.write() as session:
            session.add(Team(name="Film Squad"))
            pid = await session.scalar(text("SELECT pg_backend_pid()"))
            server.execute(f"SELECT pg_terminate_backend({pid}, 5000)")


async def teams(db: Database) -> int:
    async with db.read() as session:
        return await session.scalar(select(func.count()).select_from(Team)) or 0
