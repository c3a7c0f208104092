"""A database that is used is not restored or moved, and one that is being restored is not used."""

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from app.database import Database
from app.database.hold import file_alone
from app.errors import Conflict, Unavailable
from app.settings import ROOT, Settings

HOLDER = """
import asyncio, sys
from sqlalchemy import text
from app.database import Database

async def hold():
    async with Database(sys.argv[1]).read() as session:
        await session.execute(text("SELECT 1"))
        print("held", flush=True)
        await asyncio.sleep(600)

asyncio.run(hold())
"""


pytestmark = pytest.mark.sqlite


async def used(settings: Settings) -> Database:
    db = Database(settings.database_url)
    async with db.read() as session:
        await session.execute(text("SELECT 1"))
    return db


async def test_no_process_gets_exclusive_use_of_a_database_in_use(settings: Settings) -> None:
    db = await used(settings)

    with (
        pytest.raises(Conflict, match="running on this database"),
        file_alone(settings.sqlite_path),
    ):
        pass
    await db.close()
    with file_alone(settings.sqlite_path):
        pass


async def test_a_database_being_restored_cannot_be_used(settings: Settings) -> None:
    with (
        file_alone(settings.sqlite_path),
        pytest.raises(Unavailable, match="being restored or moved"),
    ):
        await used(settings)

    await (await used(settings)).close()


def test_a_killed_process_holds_nothing(settings: Settings) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, settings.database_url],
        cwd=ROOT,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(Conflict), file_alone(settings.sqlite_path):
        pass

    holder.kill()
    holder.wait()

    holder.stdout.close()
    with file_alone(settings.sqlite_path):
        pass


def test_the_lock_is_private_and_beside_the_database(settings: Settings) -> None:
    with file_alone(settings.sqlite_path):
        pass

    beside = Path(f"{settings.sqlite_path}-hold")
    assert beside.stat().st_mode & 0o777 == 0o600
