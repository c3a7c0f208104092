"""A task may be cancelled at any moment of a read, as when a page is left while its stream opens."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from psycopg import AsyncConnection
from sqlalchemy import QueuePool, select

from app.database import Database
from app.database.short_reads import execute_aside
from app.models import User

NAMES = select(User.username)


async def read(db: Database) -> None:
    async with db.read() as session:
        await session.execute(NAMES)


async def read_aside(db: Database) -> None:
    async with db.short_read() as session:
        await execute_aside(session, NAMES)


async def write(db: Database) -> None:
    async with db.write() as session:
        await session.execute(NAMES)


async def fetch(db: Database) -> None:
    await db.fetch(NAMES)


def _hesitating(call: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """The driver lets other tasks run when the loop was busy."""

    async def hesitate(*given: Any) -> None:
        await asyncio.sleep(0)
        await call(*given)

    return hesitate


@pytest.mark.parametrize("use", [read, read_aside, write, fetch])
async def test_a_cancelled_one_has_returned_its_connection(
    db: Database, monkeypatch: pytest.MonkeyPatch, use: Callable[[Database], Awaitable[None]]
) -> None:
    for name in ("set_autocommit", "set_read_only", "set_isolation_level"):
        monkeypatch.setattr(AsyncConnection, name, _hesitating(getattr(AsyncConnection, name)))
    pool = db.engine.pool
    assert isinstance(pool, QueuePool)

    for turns in range(40):
        await use(db)
        task = asyncio.ensure_future(use(db))
        for _turn in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        assert pool.checkedout() == 0, turns
        assert db._short_reads._open == 0, turns
