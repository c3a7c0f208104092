"""One process of all hosts prepares a PostgreSQL database; the others wait."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text

from app.database import Database

PREPARING_LOCK = 6_205_980
# A migration of many rows takes minutes. After this long, its host has probably been suspended.
LOCK_SECONDS = 900


@asynccontextmanager
async def alone(db: Database) -> AsyncIterator[None]:
    """Only one process at a time is inside the block. On SQLite this does nothing: all processes
    are on one machine, and the caller holds a file lock.
    """
    if db.is_sqlite:
        yield
        return
    async with db.engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        waiting = f"SET lock_timeout = '{LOCK_SECONDS}s'; SET statement_timeout = 0"
        await connection.execute(text(waiting))
        await connection.execute(text(f"SELECT pg_advisory_lock({PREPARING_LOCK})"))
        try:
            yield
        finally:
            await connection.invalidate()  # ends the session, and with it lock and settings
