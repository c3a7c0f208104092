"""One engine, two ways in: `read()` looks, `act()` changes.

An act is one transaction that other people may see on their streams, so acts are allotted
their positions in commit order: on SQLite every act begins with BEGIN IMMEDIATE, on PostgreSQL
with one advisory lock as its first statement. Bookkeeping that shows on no stream (last-used
stamps, settling deliveries) uses `write()`. Nothing slow happens inside any of them.
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

    `poke` is called with a relay topic after a commit that other processes must hear of.
    `info` is what every session carries in `session.info`: the parts of the installation that
    domain verbs need, such as the signer and the channels.
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
        """A session that sees one state of the database and changes nothing."""
        async with self._reading() as session:
            yield session

    @asynccontextmanager
    async def act(self) -> AsyncIterator[AsyncSession]:
        """A transaction whose changes show on streams; committed at the end, or not at all."""
        async with self.write() as session:
            if not self.is_sqlite:
                await session.execute(text(f"SELECT pg_advisory_xact_lock({ACT_LOCK})"))
            poke_after_commit(session, CHANGES)
            yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """A transaction for bookkeeping that shows on no stream."""
        async with AsyncExitStack() as stack:
            if self.is_sqlite:
                # SQLite's own waiting sleeps up to 100 ms; queueing here first keeps it rare.
                await stack.enter_async_context(self._one_writer)
            session = await stack.enter_async_context(self._writing())
            await stack.enter_async_context(session.begin())
            yield session
        for topic in session.info.get(POKES, ()):
            self._poke(topic)

    async def close(self) -> None:
        await self.engine.dispose()


def poke_after_commit(session: AsyncSession, topic: str) -> None:
    """Poke `topic` once this session's transaction has committed."""
    session.info.setdefault(POKES, set()).add(topic)


def _engine(url: str, *, echo: bool) -> AsyncEngine:
    if make_url(url).get_backend_name() != "sqlite":
        return create_async_engine(url, echo=echo, pool_pre_ping=True)
    engine = create_async_engine(url, echo=echo, pool_size=8, max_overflow=8)
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver's own implicit BEGIN is switched off: `_begin_sqlite` says which one is meant.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("sqlite_begin", "BEGIN"))
