"""A locked database and a full disk: what writes waits or is refused, what reads goes on."""

import asyncio
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from alembic import command
from sqlalchemy import func, select

from app import database
from app.database import Database
from app.database.migrations import alter, config, migrate, revisions
from app.errors import OutOfSpace, Unavailable
from app.faults import fault_of
from app.models import Team, User
from app.settings import Settings, load
from app.teams.teams import create_team
from tests.application import browser, serving
from tests.conftest import post, sign_in
from tests.factories import SECRET_KEY, make_account
from tests.outages import (
    fill,
    locked_by_another_process,
    refusing_writes,
    small_file_system,
    sqlite_error,
)

pytestmark = pytest.mark.sqlite


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer waits for half a second; of ten seconds the tests would be slow."""
    pragmas = tuple(one for one in database.PRAGMAS if "busy_timeout" not in one)
    monkeypatch.setattr(database, "PRAGMAS", (*pragmas, "PRAGMA busy_timeout=500"))
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.5)


async def teams(db: Database) -> int:
    async with db.read() as session:
        return await session.scalar(select(func.count()).select_from(Team)) or 0


@pytest.mark.parametrize("how", ["IMMEDIATE", "EXCLUSIVE"])
@pytest.mark.usefixtures("impatient")
async def test_while_another_process_locks_the_database_pages_come_and_forms_are_refused(
    client: httpx.AsyncClient, db: Database, settings: Settings, alice: User, how: str
) -> None:
    await sign_in(client, alice)
    with locked_by_another_process(settings.sqlite_path, how):
        page = await client.get("/teams")
        answer = await post(client, "/teams", name="Film Squad")

    assert page.status_code == 200
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    assert "Film Squad" in answer.text
    assert await teams(db) == 0


@pytest.mark.usefixtures("impatient")
async def test_of_many_writers_none_waits_for_the_others_to_give_up(
    db: Database, settings: Settings, alice: User
) -> None:
    async def act() -> None:
        async with db.act() as session:
            await create_team(session, alice, "Film Squad")

    with locked_by_another_process(settings.sqlite_path):
        async with asyncio.timeout(10):  # ten in a row would take at least five seconds longer
            failures = await asyncio.gather(*(act() for _ in range(40)), return_exceptions=True)

    assert {type(fault_of(each)) for each in failures if each} == {Unavailable}
    assert await teams(db) == 0


async def test_an_act_waits_for_a_short_lock(
    client: httpx.AsyncClient, settings: Settings, alice: User
) -> None:
    await sign_in(client, alice)
    with locked_by_another_process(settings.sqlite_path):
        acting = asyncio.create_task(post(client, "/teams", name="Film Squad"))
        await asyncio.sleep(1)
        was_waiting = not acting.done()

    assert was_waiting
    assert (await acting).status_code == 303


async def test_a_note_is_dropped_where_it_cannot_be_written(
    db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    with refusing_writes(db):
        await db.note(lambda session: session.execute(select(User)))

    assert "A note was dropped: The server's disk is full." in caplog.text


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    with small_file_system(tmp_path / "disk", megabytes=16) as folder:
        yield folder


def test_a_small_disk_is_recognized_wherever_it_is_met(small_disk: Path) -> None:
    with closing(sqlite3.connect(small_disk / "some.db", isolation_level=None)) as some:
        some.execute("CREATE TABLE note (text)")
        fill(small_disk)
        with pytest.raises(sqlite3.Error) as in_database:
            some.execute("INSERT INTO note VALUES (zeroblob(100000))")
    with pytest.raises(OSError) as in_folder, (small_disk / "some.eml").open("wb") as file:
        file.write(b"x")

    assert isinstance(fault_of(in_database.value), OutOfSpace)
    assert isinstance(fault_of(in_folder.value), OutOfSpace)


def test_an_error_that_another_caused_is_recognized() -> None:
    error = RuntimeError()
    error.__cause__ = sqlite_error(sqlite3.SQLITE_FULL)

    assert isinstance(fault_of(error), OutOfSpace)
    assert isinstance(fault_of(ExceptionGroup("of a task group", [error])), OutOfSpace)


def test_a_bug_is_not_reported_as_a_fault() -> None:
    assert fault_of(sqlite_error(sqlite3.SQLITE_ERROR, "no such table")) is None
    assert fault_of(FileNotFoundError(2, "no such file")) is None
    assert fault_of(KeyError("x")) is None


async def test_the_application_lives_through_a_full_disk(
    small_disk: Path, settings: Settings, migrated: Path
) -> None:
    """Its database, its queue, its sockets and its mails are on the disk."""
    shutil.copy(migrated, small_disk / migrated.name)
    on_disk = load(
        {
            "DATA_DIR": str(small_disk),
            "SECRET_KEY": SECRET_KEY,
            "BASE_URL": settings.base_url,
            "ALLOWED_HOSTS": "testserver",
            "RATE_LIMITS": "0",
        }
    )
    async with serving(on_disk) as app, browser(app) as client:
        alice = await make_account(app.state.db, "alice")
        await sign_in(client, alice)

        ballast = fill(small_disk)
        pages = [(await client.get(path)).status_code for path in ("/", "/teams", "/account")]
        refused = [await post(client, "/teams", name=f"Team {n}") for n in range(20)][-1]
        ballast.unlink()
        accepted = await post(client, "/teams", name="Film Squad")

        assert pages == [200, 200, 200]
        assert (refused.status_code, "Team 19" in refused.text) == (507, True)
        assert accepted.status_code == 303


async def test_a_migration_on_a_full_disk_leaves_the_database_as_it_was(
    small_disk: Path, settings: Settings, db: Database
) -> None:
    async with db.engine.connect() as connection:
        await alter(connection, lambda sync: command.downgrade(config(sync), "0001"))
    await db.close()
    shutil.copy(settings.sqlite_path, small_disk / settings.sqlite_path.name)
    on_disk = load({"DATA_DIR": str(small_disk), "SECRET_KEY": SECRET_KEY})
    there = Database(on_disk.database_url)
    fill(small_disk)

    with pytest.raises(Exception) as refused:
        await migrate(there, on_disk)

    assert isinstance(fault_of(refused.value), OutOfSpace)
    assert not any(name.endswith(".copy") for name in os.listdir(small_disk))
    (small_disk / "ballast").unlink()
    assert (await revisions(there))[0] == "0001"
    await migrate(there, on_disk)
    await there.close()
