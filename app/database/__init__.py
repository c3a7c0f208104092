"""The database and its three kinds of transactions: `read()`, `act()` and `write()`.

An act makes changes that appear on streams, which need positions in commit order. So acts run one
at a time: on SQLite each begins with BEGIN IMMEDIATE, on PostgreSQL with an advisory lock as its
first statement. `write()` is for changes that appear on no stream, such as last-used times and
settled deliveries. None of them may contain anything slow.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from sqlalchemy import Connection, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

from app.broker.relay import CHANGES

POKES = "pokes"
ACT_LOCK = 6_205_977
PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA busy_timeout=10000",
    "PRAGMA cache_size=-16000",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA mmap_size=268435456",
)


class Database:
    """The application's database.

    `poke` is called with a relay topic after a commit that other processes must know of.
    `info` becomes the `session.info` of every session: the parts of the installation that domain
    functions need, such as the signer and the channels.
    """

    def __init__(
        self,
        url: str,
        *,
        poke: Callable[[str], None] = lambda _topic: None,
        info: Mapping[str, Any] | None = None,
        echo: bool = False,
    ) -> None:
        self.engine = _engine(url, echo=echo)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self._poke = poke
        given = dict(info or {})
        self._reading = async_sessionmaker(self.engine, expire_on_commit=False, info=given)
        writing = self.engine.execution_options(sqlite_begin="BEGIN IMMEDIATE")
        self._writing = async_sessionmaker(writing, expire_on_commit=False, info=given)
        self._one_writer = asyncio.Lock()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A read-only session with a consistent view of the database."""
        async with self._reading() as session:
            yield session

    @asynccontextmanager
    async def act(self) -> AsyncIterator[AsyncSession]:
        """A transaction whose changes appear on streams. Commits at the end, or rolls back."""
        async with self.write() as session:
            if not self.is_sqlite:
                await session.execute(text(f"SELECT pg_advisory_xact_lock({ACT_LOCK})"))
            poke_after_commit(session, CHANGES)
            yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """A transaction whose changes appear on no stream. Commits at the end, or rolls back."""
        async with AsyncExitStack() as stack:
            if self.is_sqlite:
                # SQLite makes a blocked writer sleep for up to 100 ms; this lock wakes it sooner.
                await stack.enter_async_context(self._one_writer)
            session = await stack.enter_async_context(self._writing())
            await stack.enter_async_context(session.begin())
            yield session
        for topic in session.info.get(POKES, ()):
            self._poke(topic)

    async def close(self) -> None:
        await self.engine.dispose()


def poke_after_commit(session: AsyncSession, topic: str) -> None:
    """Pokes `topic` after the session's transaction has committed."""
    session.info.setdefault(POKES, set()).add(topic)


def _engine(url: str, *, echo: bool) -> AsyncEngine:
    if make_url(url).get_backend_name() != "sqlite":
        return create_async_engine(url, echo=echo, pool_pre_ping=True)
    engine = create_async_engine(url, echo=echo, pool_size=8, max_overflow=8)
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # Turns off the driver's implicit BEGIN: `_begin_sqlite` begins the transaction.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("sqlite_begin", "BEGIN"))
