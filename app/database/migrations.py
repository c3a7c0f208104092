"""Bringing a database to the newest schema, after a copy where there is something to lose."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import Database
from app.settings import ROOT, Settings


async def migrate(db: Database, settings: Settings) -> bool:
    """Upgrade; returns whether the database was new. One process does it, before others start."""
    current, newest = await revisions(db)
    if current == newest:
        return False
    if current and settings.is_sqlite:
        _copy(settings.sqlite_path, current)
    async with db.engine.connect() as connection:
        await alter(connection, _upgrade)
    return current is None


async def alter(connection: AsyncConnection, change: Callable[[Connection], None]) -> None:
    """Run a schema change, with foreign keys checked at its end.

    SQLite alters many things only by making a table anew, and dropping the old one would cascade
    (https://www.sqlite.org/lang_altertable.html, section 7).
    """
    if connection.dialect.name == "sqlite":
        raw: Any = (await connection.get_raw_connection()).driver_connection
        await raw.execute("PRAGMA foreign_keys=OFF")
    await connection.run_sync(change)
    if connection.dialect.name == "sqlite":
        if broken := (await connection.execute(text("PRAGMA foreign_key_check"))).all():
            raise RuntimeError(f"The migration would leave {len(broken)} references dangling.")
        await connection.commit()
        await raw.execute("PRAGMA foreign_keys=ON")
    await connection.commit()


async def revisions(db: Database) -> tuple[str | None, str | None]:
    """Which schema the database has, None for none, and which is the newest."""
    async with db.engine.connect() as connection:
        return await connection.run_sync(_revision), _newest()


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _newest() -> str | None:
    return ScriptDirectory.from_config(config()).get_current_head()


def _copy(path: Path, revision: str) -> None:
    """Whole, also what stands only in the write-ahead log."""
    with (
        closing(sqlite3.connect(path)) as database,
        closing(sqlite3.connect(path.with_suffix(f".before-{revision}.db"))) as copy,
    ):
        database.backup(copy)


def _upgrade(connection: Connection) -> None:
    command.upgrade(config(connection), "head")


def config(connection: Connection | None = None) -> Config:
    settings = Config(ROOT / "migrations" / "alembic.ini")
    settings.attributes["connection"] = connection
    return settings
