"""Reads that take microseconds: by an index, and of a few rows.

On SQLite, to pass a statement to a thread and back costs twenty times what such a statement does, so
these run in the event loop's own thread, on connections that only read. In WAL mode no writer blocks
them. Where SQLite makes one wait all the same, it waits in a thread.
"""

import sqlite3
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, TypeVarTuple

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    CursorResult,
    Engine,
    NullPool,
    Row,
    Select,
    create_engine,
    event,
)
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.orm import DeclarativeBase, make_transient_to_detached
from sqlalchemy.orm.attributes import instance_dict, manager_of_class

from app.database.json_columns import read_json
from app.database.options import with_options

Columns = TypeVarTuple("Columns")
Entity = TypeVar("Entity", bound=DeclarativeBase)

PRAGMAS = (
    "PRAGMA query_only=ON",
    "PRAGMA cache_size=-16000",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA mmap_size=268435456",
)
# With the first SELECT a transaction gets its view of the database. From then on nothing blocks it.
BEGIN = ("BEGIN", "SELECT 1 FROM sqlite_master LIMIT 1")
CONNECTIONS_KEPT = 4
STATEMENTS_KEPT = 500
# Where the names of the values stand in a key of SQLAlchemy's cache (ClauseElement._compile_w_cache).
PARAMETER_NAMES = 2
_WAITING = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL)


class ShortReads:
    """The short reads of the database that `engine` connects to. Used in one thread."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = with_options(engine, isolation_level="AUTOCOMMIT")
        self._at_once = _engine(engine) if engine.dialect.name == "sqlite" else None
        self._connection: Connection | None = None
        self._connections = 0
        self._free: list[Connection] = []
        self._compiled = CompiledStatements()

    async def fetch(
        self, statement: Select[*Columns], values: Mapping[str, Any]
    ) -> Sequence[Row[*Columns]]:
        """The rows of one statement, outside any transaction. Raises what the database raises."""
        if self._at_once:
            try:
                return self._fetch_at_once(self._at_once, statement, values)
            except OperationalError as error:
                if not _must_wait(error):
                    raise
        async with self._engine.connect() as connection:
            return (await connection.execute(statement, values)).all()

    def begin(self, info: Mapping[str, Any]) -> "ShortSession | None":
        """A session for the statements of one transaction, which `end` must end; None if they must
        run elsewhere. Between them others may run, so each session has a connection of its own.
        """
        if self._at_once is None:
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
        return ShortSession(connection, self._compiled, info)

    def end(self, session: "ShortSession", *, has_failed: bool) -> None:
        connection = session.connected
        session.sync_session.close()
        if has_failed or len(self._free) >= CONNECTIONS_KEPT:
            connection.close()
        else:
            _driver(connection).rollback()
            self._free.append(connection)

    def version(self) -> tuple[int, int]:
        """On SQLite, what differs once anyone has committed something; elsewhere always the same."""
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
            return self._compiled.execute(self._connected(engine), statement, values).all()
        except DBAPIError:
            self.close()  # a connection that has failed may go on failing
            raise

    def _connected(self, engine: Engine) -> Connection:
        if self._connection is None:
            self._connection = engine.connect()
            self._connections += 1
        return self._connection


class CompiledStatements:
    """The SQL of statements that are built once and run again and again.

    SQLAlchemy's own cache takes a statement for one that is like it, by a key as large as the
    statement. To hash and compare that takes a quarter of the time of a short read.
    """

    def __init__(self) -> None:
        self._kept = OrderedDict[Any, _Compiled]()

    @property
    def count(self) -> int:
        return len(self._kept)

    def execute(self, connection: Connection, statement: Any, values: Any) -> CursorResult[Any]:
        known = self._kept.get(statement)
        if known is None:
            # Seen for the first time, it may belong to this request only, and SQLAlchemy may know one like it.
            self._keep(statement)
            return connection.execute(statement, values)
        self._kept.move_to_end(statement)
        options = {"compiled_cache": known}
        return connection.execute(statement, values, execution_options=options)

    def _keep(self, statement: Any) -> None:
        self._kept[statement] = _Compiled()
        if len(self._kept) > STATEMENTS_KEPT:
            self._kept.popitem(last=False)


class _Compiled(dict[Any, Any]):
    """Takes the place of SQLAlchemy's cache for a single statement: of its keys only the names of the
    values differ.
    """

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(key[PARAMETER_NAMES], default)

    def __setitem__(self, key: Any, compiled: Any) -> None:
        super().__setitem__(key[PARAMETER_NAMES], compiled)


class ShortSession(AsyncSession):
    """A session on a connection that answers at once. What selects columns is left to that: with the
    part of the ORM, which makes entities, it would take several times as long.
    """

    def __init__(
        self, connected: Connection, compiled: CompiledStatements, info: Mapping[str, Any]
    ) -> None:
        super().__init__(expire_on_commit=False, info=dict(info))
        self.sync_session.bind = connected
        self.connected = connected
        self._compiled = compiled

    async def execute(self, statement: Any, params: Any = None, **options: Any) -> Any:
        if _selects_columns(statement):
            return self._compiled.execute(self.connected, statement, params)
        return await super().execute(statement, params, **options)

    async def scalar(self, statement: Any, params: Any = None, **options: Any) -> Any:
        return (await self.execute(statement, params, **options)).scalar()


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
    code = getattr(error.orig, "sqlite_errorcode", 0)
    return code & 0xFF in _WAITING


def columns_of(model: type[DeclarativeBase]) -> Sequence[Column[Any]]:
    """All columns of a model, for a short read that makes an `entity` of them."""
    return tuple(model.__table__.columns)  # type: ignore[arg-type]


def entity(model: type[Entity], values: Sequence[Any]) -> Entity:
    """An instance with these values of `columns_of(model)`, as a session would have left it."""
    made: Entity = manager_of_class(model).new_instance()
    instance_dict(made).update(zip(model.__table__.columns.keys(), values, strict=True))
    make_transient_to_detached(made)
    return made
