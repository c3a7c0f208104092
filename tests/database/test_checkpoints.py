"""Commits are moved from the log into the database file, but not by the commit itself."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from app.database import Database, checkpoints

# More than the thousand pages after which SQLite by itself would move them.
PAGES = 1_500

pytestmark = pytest.mark.sqlite


@pytest.fixture
async def file(tmp_path: Path) -> Path:
    return tmp_path / "of_its_own.db"


@pytest.fixture
async def own(file: Path) -> AsyncIterator[Database]:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE large (bytes BLOB)")
    db = Database(f"sqlite+aiosqlite:///{file}")
    yield db
    await db.close()


async def write_much(db: Database) -> None:
    async with db.write() as session:
        await session.execute(text(f"INSERT INTO large VALUES (zeroblob({PAGES * 4096}))"))


def holds(file: Path, pages: int) -> bool:
    return file.stat().st_size >= pages * 4096


async def until_moved(file: Path, pages: int) -> None:
    async with asyncio.timeout(20):
        while not holds(file, pages):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_a_commit_does_not_wait_for_the_checkpoint(
    own: Database, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "PAUSE_SECONDS", 3_600)

    await write_much(own)

    assert not holds(file, PAGES)


async def test_soon_after_a_commit_it_is_in_the_file(own: Database, file: Path) -> None:
    await write_much(own)

    await until_moved(file, PAGES)


async def test_a_commit_during_a_checkpoint_gets_its_own_checkpoint(
    own: Database, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "PAUSE_SECONDS", 0.01)
    for _commit in range(3):
        await write_much(own)
        await asyncio.sleep(0.05)

    await until_moved(file, 3 * PAGES)


async def test_a_log_that_cannot_be_moved_now_loses_nothing(
    own: Database, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "PAUSE_SECONDS", 3_600)
    async with own.read() as reading:
        before = await reading.scalar(text("SELECT count(*) FROM large"))
        await write_much(own)

        checkpoints.checkpoint(file)  # the reader still needs the file as it was

        assert await reading.scalar(text("SELECT count(*) FROM large")) == before
    async with own.read() as reading:
        assert await reading.scalar(text("SELECT count(*) FROM large")) == 1


async def test_pages_in_use_by_a_reader_are_moved_when_it_has_finished(
    own: Database, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "PAUSE_SECONDS", 0.01)
    async with own.read() as reading:
        await reading.scalar(text("SELECT count(*) FROM large"))
        await write_much(own)
        await asyncio.sleep(0.1)
        assert not holds(file, PAGES)

    await until_moved(file, PAGES)


def test_where_there_is_no_database_none_is_made(tmp_path: Path) -> None:
    checkpoints.checkpoint(tmp_path / "gone.db")

    assert list(tmp_path.iterdir()) == []


async def test_a_database_is_closed_while_its_log_waits_to_be_moved(
    own: Database, file: Path
) -> None:
    await write_much(own)

    await own.close()

    assert holds(file, PAGES)  # the last connection moves it
