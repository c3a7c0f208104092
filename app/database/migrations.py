"""Upgrades a database to the newest schema. A SQLite file with data is copied first."""

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import Database
from app.faults import BUSY_SECONDS
from app.settings import ROOT, Settings

# Several hosts may start at once: the first upgrades, however long that takes; the others wait for
# the lock, then find nothing to do.
MIGRATION_LOCK = 6_205_978
ALONE = f"""
SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0;
SET LOCAL idle_in_transaction_session_timeout = 0;
SELECT pg_advisory_xact_lock({MIGRATION_LOCK});
SET LOCAL lock_timeout = '{BUSY_SECONDS:.0f}s'
"""


async def migrate(db: Database, settings: Settings) -> bool:
    """Upgrades the schema. Returns whether the database was new. Run it in one process at a time."""
    current, newest = await revisions(db)
    if current == newest:
        return False
    if current and settings.is_sqlite:
        _copy(settings.sqlite_path, current)
    async with db.engine.connect() as connection:
        await alter(await _locking(connection), _upgrade)
    return current is None


async def _locking(connection: AsyncConnection) -> AsyncConnection:
    """Waits for other writers when the transaction begins. A transaction that reads first and
    writes later does not wait: SQLite refuses it if another process has written in between.
    """
    return await connection.execution_options(sqlite_begin="BEGIN IMMEDIATE")


async def alter(connection: AsyncConnection, change: Callable[[Connection], None]) -> None:
    """Runs a schema change and commits it. On SQLite foreign keys are checked at its end.

    SQLite makes many changes only by creating the table again, and dropping the old table would
    cascade (https://www.sqlite.org/lang_altertable.html, section 7).
    """
    if connection.dialect.name == "sqlite":
        async with _foreign_keys_off(connection):
            await connection.run_sync(change)
            await _check_foreign_keys(connection)
            await connection.commit()
    else:
        await connection.execute(text(ALONE))
        await connection.run_sync(change)
        await connection.commit()


@asynccontextmanager
async def _foreign_keys_off(connection: AsyncConnection) -> AsyncIterator[None]:
    raw: Any = (await connection.get_raw_connection()).driver_connection
    await raw.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        # Inside a transaction the pragma would have no effect.
        await connection.rollback()
        await raw.execute("PRAGMA foreign_keys=ON")


async def _check_foreign_keys(connection: AsyncConnection) -> None:
    if dangling := (await connection.execute(text("PRAGMA foreign_key_check"))).all():
        raise RuntimeError(f"The migration would leave {len(dangling)} dangling references.")


async def revisions(db: Database) -> tuple[str | None, str | None]:
    """Returns the revision of the database (None if it has no schema) and the newest one."""
    async with db.engine.connect() as connection:
        return await connection.run_sync(_revision), newest()


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def newest() -> str | None:
    return ScriptDirectory.from_config(config()).get_current_head()


def is_known(revision: str) -> bool:
    """Whether it is one of this version's; a newer version of ClippyFront has others."""
    known = ScriptDirectory.from_config(config()).walk_revisions()
    return any(one.revision == revision for one in known)


def _copy(path: Path, revision: str) -> None:
    """Copies the whole database, including what is only in the write-ahead log.

    The copy gets its name once it is complete: on a full disk nothing is left of it.
    """
    draft = path.with_suffix(".copy")
    try:
        with closing(sqlite3.connect(path)) as database, closing(sqlite3.connect(draft)) as copy:
            database.backup(copy)
        draft.replace(path.with_suffix(f".before-{revision}.db"))
    finally:
        draft.unlink(missing_ok=True)


def _upgrade(connection: Connection) -> None:
    command.upgrade(config(connection), "head")


def config(connection: Connection | None = None) -> Config:
    settings = Config(ROOT / "migrations" / "alembic.ini")
    settings.attributes["connection"] = connection
    return settings
