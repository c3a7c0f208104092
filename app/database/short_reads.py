"""Reads that take microseconds: by an index, and of a few rows.

On SQLite, to pass a statement to a thread and back costs twenty times what such a statement does, so
these run in the event loop's own thread, on connections that only read. In WAL mode no writer blocks
them. Where SQLite makes one wait all the same, it waits in a thread, where `execute_aside` runs what
may take longer.
"""

import asyncio
import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import Any, TypeVar, TypeVarTuple

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    NullPool,
    Result,
    Row,
    Select,
    create_engine,
    event,
)
from sqlalchemy.engine.result import IteratorResult, ResultMetaData
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.orm import DeclarativeBase, make_transient_to_detached
from sqlalchemy.orm.attributes import instance_dict, manager_of_class
from sqlalchemy.sql.compiler import SQLCompiler

from app.database.json_columns import read_json
from app.database.options import with_options
from app.faults import is_busy, primary_code
from app.process.cancellation import to_thread

Columns = TypeVarTuple("Columns")
Entity = TypeVar("Entity", bound=DeclarativeBase)

# How much memory a connection uses: 16 MB for its cache, and up to 256 MB of the file mapped.
MEMORY_PRAGMAS = (
    "PRAGMA cache_size=-16000",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA mmap_size=268435456",
)
PRAGMAS = ("PRAGMA query_only=ON", *MEMORY_PRAGMAS)
# The first SELECT fixes the transaction's view of the database; from then on nothing blocks it.
BEGIN = ("BEGIN", "SELECT 1 FROM sqlite_master LIMIT 1")
CONNECTIONS_KEPT = 4
# Those that wait for what is executed aside keep a connection each.
SESSIONS_AT_ONCE = 16
# Each takes a thread from those that the process has for everything.
ASIDE_AT_ONCE = 3
STATEMENTS_KEPT = 500
# Otherwise SQLAlchemy may reuse the compiled form of an equal statement with other values in it.
NEWLY_COMPILED = {"compiled_cache": None}


class ShortReads:
    """The short reads of the database that `engine` connects to. Used in one thread."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = with_options(engine, isolation_level="AUTOCOMMIT")
        self._at_once = _engine(engine) if engine.dialect.name == "sqlite" else None
        self._connection: Connection | None = None
        self._connections = 0
        self._free: list[Connection] = []
        self._open = 0
        self._prepared = PreparedStatements()
        self._aside = asyncio.Semaphore(ASIDE_AT_ONCE)

    async def fetch(
        self, statement: Select[*Columns], values: Mapping[str, Any]
    ) -> Sequence[Row[*Columns]]:
        """The rows of one statement, outside any transaction. Errors of the database are passed on."""
        if self._at_once:
            try:
                return self._fetch_at_once(self._at_once, statement, values)
            except OperationalError as error:
                if not _must_wait(error):
                    raise
        async with self._engine.connect() as connection:
            return (await connection.execute(statement, values)).all()

    def begin(self, info: Mapping[str, Any]) -> "ShortSession | None":
        """A session for the statements of one transaction, to be closed by `end`; None if `read()`
        must be used instead. Other requests run between the statements, so each session has its own
        connection.
        """
        if self._at_once is None or self._open >= SESSIONS_AT_ONCE:
            return None
        try:
            connection = self._free.pop() if self._free else self._at_once.connect()
        except DBAPIError:
            return None
        try:
            for statement in BEGIN:
                _driver(connection).execute(statement)
        except sqlite3.Error:
            connection.close()
            return None
        self._open += 1
        return ShortSession(connection, self._prepared, self._aside, info)

    def end(self, session: "ShortSession", *, has_failed: bool) -> None:
        self._open -= 1
        connection = session.connected
        session.sync_session.close()
        if has_failed or len(self._free) >= CONNECTIONS_KEPT:
            connection.close()
        else:
            _driver(connection).rollback()
            self._free.append(connection)

    def version(self) -> tuple[int, int]:
        """On SQLite, a value that changes with every commit of any process; elsewhere a constant."""
        if self._at_once is None:
            return 0, 0
        try:
            driver = _driver(self._connected(self._at_once))
            [version] = driver.execute("PRAGMA data_version").fetchone()
        except (sqlite3.Error, DBAPIError):
            self.close()
            return self._connections, -1
        return self._connections, int(version)  # each connection counts for itself

    def close(self) -> None:
        if self._connection:
            self._connection.close()
        self._connection = None
        while self._free:
            self._free.pop().close()

    def _fetch_at_once(
        self, engine: Engine, statement: Select[*Columns], values: Mapping[str, Any]
    ) -> Sequence[Row[*Columns]]:
        try:
            return self._prepared.execute(self._connected(engine), statement, values).all()
        except DBAPIError:
            self.close()  # a connection that has failed may go on failing
            raise

    def _connected(self, engine: Engine) -> Connection:
        if self._connection is None:
            self._connection = engine.connect()
            self._connections += 1
        return self._connection


class PreparedStatements:
    """Remembers how SQLAlchemy compiled statements that are built once and run many times, and
    passes the compiled form directly to the driver.

    To run a statement, SQLAlchemy looks it up by a key as large as the statement and creates
    several objects. That takes far longer than a short read itself.
    """

    def __init__(self) -> None:
        self._kept = OrderedDict[Any, _Prepared | None]()
        self._lock = Lock()

    @property
    def count(self) -> int:
        return len(self._kept)

    def execute(self, connection: Connection, statement: Any, values: Any) -> Result[Any]:
        if connection.engine.dispatch.before_cursor_execute:  # a listener must see every statement
            return connection.execute(statement, values)
        is_known, prepared = self._look_up(statement)
        if not is_known:
            # Not prepared at first sight: it may belong to this request only.
            result = connection.execute(statement, values)
            if _is_always_the_same(result.context.compiled):
                self._keep(statement, None)
            return result
        if prepared:
            try:
                return prepared.run(_driver(connection), values)
            except sqlite3.Error as error:
                if primary_code(error) == sqlite3.SQLITE_INTERRUPT:
                    raise
                # Below, it fails with the error that callers expect.
        result = connection.execute(statement, values, execution_options=NEWLY_COMPILED)
        self._keep(statement, _Prepared.of(result.context.compiled, result._metadata))
        return result

    def _look_up(self, statement: Any) -> tuple[bool, "_Prepared | None"]:
        """Whether it has run before, and its prepared form if there is one by now."""
        with self._lock:
            if statement not in self._kept:
                return False, None
            self._kept.move_to_end(statement)
            return True, self._kept[statement]

    def _keep(self, statement: Any, prepared: "_Prepared | None") -> None:
        with self._lock:
            self._kept[statement] = prepared
            if len(self._kept) > STATEMENTS_KEPT:
                self._kept.popitem(last=False)


def _is_always_the_same(compiled: Any) -> bool:
    """Whether its SQL does not depend on the values, as that of `IN (?, ?)` does."""
    return not (compiled.post_compile_params or compiled.literal_execute_params)


@dataclass(frozen=True)
class _Prepared:
    """A compiled statement, its parameters in order (each with the converter of its values, if
    any), and the metadata that turns the driver's tuples into Rows.
    """

    compiled: SQLCompiler
    parameters: Sequence[tuple[str, Callable[[Any], Any] | None]]
    columns: ResultMetaData

    @classmethod
    def of(cls, compiled: Any, columns: ResultMetaData) -> "_Prepared":
        converted = compiled._bind_processors
        parameters = [(name, converted.get(name)) for name in compiled.positiontup]
        return cls(compiled, parameters, columns)

    def run(self, driver: sqlite3.Connection, values: Any) -> Result[Any]:
        given = self.compiled.construct_params(values)
        row = [
            given[name] if convert is None else convert(given[name])
            for name, convert in self.parameters
        ]
        rows = driver.execute(self.compiled.string, row).fetchall()
        return IteratorResult(self.columns, iter(rows))


class ShortSession(AsyncSession):
    """A session on a connection that answers at once. Statements that select only columns bypass
    the ORM, which would take several times as long.
    """

    def __init__(
        self,
        connected: Connection,
        prepared: PreparedStatements,
        aside: asyncio.Semaphore,
        info: Mapping[str, Any],
    ) -> None:
        super().__init__(expire_on_commit=False, info=dict(info))
        self.sync_session.bind = connected
        self.connected = connected
        self._prepared = prepared
        self._aside = aside

    async def execute(self, statement: Any, params: Any = None, **options: Any) -> Any:
        if _selects_columns(statement):
            return self._prepared.execute(self.connected, statement, params)
        return await super().execute(statement, params, **options)

    async def scalar(self, statement: Any, params: Any = None, **options: Any) -> Any:
        return (await self.execute(statement, params, **options)).scalar()

    async def execute_in_thread(self, statement: Any, values: Any) -> Sequence[Row[Any]]:
        async with self._aside:
            reading = partial(self._read, statement, values)
            return await to_thread(reading, _driver(self.connected).interrupt)

    def _read(self, statement: Any, values: Any) -> Sequence[Row[Any]]:
        return self._prepared.execute(self.connected, statement, values).all()


async def execute_aside(
    session: AsyncSession, statement: Select[*Columns], values: Mapping[str, Any] | None = None
) -> Sequence[Row[*Columns]]:
    """The rows of a statement that may take long. It must select columns. In a short read it runs in a
    thread, so that other requests continue, and in the same view of the database.
    """
    if isinstance(session, ShortSession):
        return await session.execute_in_thread(statement, values)
    return (await session.execute(statement, values)).all()


def _selects_columns(statement: Any) -> bool:
    """Whether the result has no entities. (`column_descriptions` would tell, in a tenth of a millisecond.)"""
    return isinstance(statement, Select) and all(
        isinstance(one, ColumnElement) for one in statement._raw_columns
    )


def _engine(engine: AsyncEngine) -> Engine:
    url = engine.url.set(drivername="sqlite")
    options = {"timeout": 0, "check_same_thread": False}
    reading = create_engine(
        url,
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        connect_args=options,
        json_deserializer=read_json,
    )
    event.listen(reading, "connect", _prepare)
    return reading


def _driver(connection: Connection) -> Any:
    return connection.connection.dbapi_connection


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    for pragma in PRAGMAS:
        connection.execute(pragma)


def _must_wait(error: OperationalError) -> bool:
    return isinstance(error.orig, sqlite3.Error) and is_busy(error.orig)


def columns_of(model: type[DeclarativeBase]) -> Sequence[Column[Any]]:
    """All columns of a model, for a short read that makes an `entity` of them."""
    return tuple(model.__table__.columns)  # type: ignore[arg-type]


def entity(model: type[Entity], values: Sequence[Any]) -> Entity:
    """An instance with these values of `columns_of(model)`, detached like one loaded by a session."""
    made: Entity = manager_of_class(model).new_instance()
    instance_dict(made).update(zip(model.__table__.columns.keys(), values, strict=True))
    make_transient_to_detached(made)
    return made
