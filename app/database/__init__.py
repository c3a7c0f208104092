"""The database and its transactions: `read()`, `act()`, `exclusive()` and `write()`; and `fetch()`
for a short read without one.

An act makes changes that appear on streams, which need positions in commit order. So acts run one
at a time: on SQLite each begins with BEGIN IMMEDIATE, on PostgreSQL with an advisory lock as its
first statement. The others are for changes that appear on no stream: `exclusive()` runs one at a
time too; `write()` is for last-used times, settled deliveries and the like, where a condition in the
statement decides what it changes. None of them may contain anything slow.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, TypeVarTuple

from sqlalchemy import Connection, Row, Select, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

from app.broker.relay import CHANGES
from app.database import checkpoints, postgresql
from app.database.hold import share_file
from app.database.json_columns import read_json
from app.database.options import with_options
from app.database.short_reads import MEMORY_PRAGMAS, ShortReads
from app.faults import BUSY_SECONDS, busy, fault_of, is_lost, uncertain

POKES = "pokes"
ACT_LOCK = 6_205_977
# How long a request waits for a note (see `note`), and how many notes may be under way.
NOTE_SECONDS = 0.5
NOTES_AT_ONCE = 16
PRAGMAS = (
    # First, so that the others wait as well.
    f"PRAGMA busy_timeout={BUSY_SECONDS * 1000:.0f}",
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",
    "PRAGMA foreign_keys=ON",
    *MEMORY_PRAGMAS,
    *checkpoints.PRAGMAS,
)

Columns = TypeVarTuple("Columns")

_log = logging.getLogger(__name__)


class Database:
    """The application's database.

    `poke` is called with a relay topic after a commit that other processes must know of.
    `info` becomes the `session.info` of every session: the parts of the installation that domain
    functions need, such as the signer and the channels. To PostgreSQL at most `connections` are
    open at a time.
    """

    def __init__(
        self,
        url: str,
        *,
        poke: Callable[[str], None] = lambda _topic: None,
        info: Mapping[str, Any] | None = None,
        connections: int = 5,
        echo: bool = False,
    ) -> None:
        self.engine = _engine(url, connections, echo=echo)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self._hold: int | None = None
        self._checkpoints = checkpoints.Checkpoints()
        if self.is_sqlite:
            event.listen(self.engine.sync_engine, "do_connect", self._share)
        self._poke = poke
        given = self.info = dict(info or {})
        reading = (
            self.engine if self.is_sqlite else with_options(self.engine, **postgresql.SNAPSHOT)
        )
        self._reading = async_sessionmaker(reading, expire_on_commit=False, info=given)
        writing = self.engine.execution_options(sqlite_begin="BEGIN IMMEDIATE")
        self._writing = async_sessionmaker(writing, expire_on_commit=False, info=given)
        self._short_reads = ShortReads(self.engine)
        self._commits = 0
        self._one_writer = asyncio.Lock()
        self._notes = set[asyncio.Task[None]]()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A read-only session with a consistent view of the database."""
        async with self._reading() as session:
            yield session

    @asynccontextmanager
    async def short_read(self) -> AsyncIterator[AsyncSession]:
        """Like `read()`, for a few statements that take microseconds: they hold up all other requests."""
        short = self._short_reads.begin(self.info)
        if short is None:
            async with self.read() as session:
                yield session
            return
        has_failed = True
        try:
            yield short
            has_failed = False
        finally:
            self._short_reads.end(short, has_failed=has_failed)

    async def fetch(self, statement: Select[*Columns], **values: Any) -> Sequence[Row[*Columns]]:
        """The rows of one statement that takes microseconds, for which `read()` is too much work.

        Build the statement once, with bind parameters that `values` names.
        """
        return await self._short_reads.fetch(statement, values)

    def version(self) -> tuple[int, ...]:
        """A value that changes with every commit of this process and, on SQLite, of any process."""
        return self._commits, *self._short_reads.version()

    @asynccontextmanager
    async def act(self) -> AsyncIterator[AsyncSession]:
        """A transaction whose changes appear on streams. Commits at the end; rolls back on an
        error.
        """
        async with self.exclusive() as session:
            poke_after_commit(session, CHANGES)
            yield session

    @asynccontextmanager
    async def exclusive(self) -> AsyncIterator[AsyncSession]:
        """A `write()` that runs alone: no act and no other of these meanwhile.

        For a change that depends on rows it has read, or that locks many rows: on PostgreSQL, two
        at once would overlook each other's changes or deadlock. On SQLite every transaction that
        writes runs alone.
        """
        async with self.write() as session:
            if not self.is_sqlite:
                await session.execute(text(f"SELECT pg_advisory_xact_lock({ACT_LOCK})"))
            yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """A transaction whose changes appear on no stream. Commits at the end, or rolls back.

        Raises Unavailable if other write transactions take longer than BUSY_SECONDS, and if the
        database is lost while it commits.
        """
        async with AsyncExitStack() as stack:
            if self.is_sqlite:
                await stack.enter_async_context(self._turn())
            session = await stack.enter_async_context(self._writing())
            async with _committing(session):
                yield session
            self._note_commit(session)

    def _note_commit(self, session: AsyncSession) -> None:
        """Pokes before the connection is released, which takes a while."""
        self._commits += 1
        self._checkpoints.committed()
        for topic in session.info.get(POKES, ()):
            self._poke(topic)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """SQLite makes a blocked transaction sleep for up to 100 ms; this lock wakes it sooner."""
        try:
            async with asyncio.timeout(BUSY_SECONDS):
                await self._one_writer.acquire()
        except TimeoutError:
            raise busy() from None
        try:
            yield
        finally:
            self._one_writer.release()

    async def note(self, change: Callable[[AsyncSession], Awaitable[object]]) -> None:
        """Writes something that must not make a request fail or wait for long, such as a last-used
        time. Waits for it at most NOTE_SECONDS; it goes on meanwhile. If the disk or the database
        refuses it, the note is dropped and logged; beyond NOTES_AT_ONCE it is dropped at once.
        """
        if len(self._notes) >= NOTES_AT_ONCE:
            return
        noting = asyncio.create_task(self._note(change))
        self._notes.add(noting)
        noting.add_done_callback(self._notes.discard)
        await asyncio.wait({noting}, timeout=NOTE_SECONDS)

    async def _note(self, change: Callable[[AsyncSession], Awaitable[object]]) -> None:
        try:
            async with self.write() as session:
                await change(session)
        except Exception as error:
            _log.warning("A note was dropped: %s", fault_of(error) or repr(error))

    def _share(self, _dialect: Any, _record: Any, arguments: Any, _options: Any) -> None:
        """Before the first connection, locks the file, so that no process replaces it while in use."""
        if self._hold is None:
            path = Path(arguments[0])
            self._hold = share_file(path)
            self._checkpoints.open(path)

    async def server_version(self) -> str:
        """Such as "SQLite 3.40.1" or "PostgreSQL 15.4"."""
        query = "SELECT sqlite_version()" if self.is_sqlite else "SHOW server_version"
        async with self.read() as session:
            [version] = str(await session.scalar(text(query))).split()[:1]
        return f"{'SQLite' if self.is_sqlite else 'PostgreSQL'} {version}"

    async def close(self) -> None:
        await asyncio.gather(*self._notes)
        await self._checkpoints.close()
        self._short_reads.close()
        await self.engine.dispose()
        if self._hold is not None:
            os.close(self._hold)
            self._hold = None


@asynccontextmanager
async def _committing(session: AsyncSession) -> AsyncIterator[None]:
    is_complete = False
    try:
        async with session.begin():
            yield
            is_complete = True
    except Exception as error:
        if is_complete and is_lost(error):
            raise uncertain() from error
        raise


def poke_after_commit(session: AsyncSession, topic: str) -> None:
    """Pokes `topic` after the session's transaction has committed."""
    session.info.setdefault(POKES, set()).add(topic)


def is_act(session: AsyncSession) -> bool:
    return CHANGES in session.info.get(POKES, ())


def _engine(url: str, connections: int, *, echo: bool) -> AsyncEngine:
    if make_url(url).get_backend_name() != "sqlite":
        return postgresql.open_engine(url, connections, echo=echo)
    engine = create_async_engine(
        url, echo=echo, pool_size=8, max_overflow=8, json_deserializer=read_json
    )
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
