"""Reads a database as it is at one moment, while others write to it.

On SQLite it is a read transaction of the write-ahead log, on PostgreSQL one REPEATABLE READ
transaction. Neither blocks a writer.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Engine, MetaData, create_engine, event, inspect, text
from sqlalchemy.engine import make_url

from app.backup.values import (
    JSON,
    Column,
    Row,
    Table,
    convert,
    from_postgresql,
    from_sqlite,
    kind_of,
)
from app.notifications.search import index

ROWS_AT_ONCE = 1000
# Tables about the database or the machine itself, and the search index, which the first start
# rebuilds.
LEFT_OUT = {"alembic_version", "clock_reading", "generated_key", *index.TABLES}
QUEUE = "saq_"  # on PostgreSQL, the queue's tables lie beside ours
UNLIMITED = (
    "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET timezone = 'UTC'"
)


@contextmanager
def reading(database_url: str) -> Iterator["Snapshot"]:
    """The database as it is now, until the block ends."""
    engine = open_engine(database_url, isolation_level="REPEATABLE READ")
    try:
        with engine.connect() as connection, connection.begin():
            yield Snapshot(connection)
    finally:
        engine.dispose()


def open_engine(database_url: str, **for_postgresql: str) -> Engine:
    """An engine without the time limits that the application's connections have."""
    url = make_url(database_url)
    if url.get_backend_name() != "sqlite":
        engine = create_engine(url, **for_postgresql)
        event.listen(engine, "connect", _begin_without_limits)
        return engine
    engine = create_engine(url.set(drivername="sqlite"))
    event.listen(engine, "connect", _begin_by_ourselves)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return engine


def _begin_without_limits(connection: Any, _record: Any) -> None:
    connection.execute(UNLIMITED)
    connection.commit()


def _begin_by_ourselves(connection: Any, _record: Any) -> None:
    connection.isolation_level = None


@dataclass(frozen=True)
class Snapshot:
    """The state in which one transaction sees the database."""

    connection: Connection

    @property
    def revision(self) -> str | None:
        """The revision of the schema; None if there is none."""
        return MigrationContext.configure(self.connection).get_current_revision()

    def tables(self) -> list[Table]:
        """Those to keep; a table comes after the ones it refers to."""
        found = MetaData()
        found.reflect(self.connection, only=lambda name, _found: is_kept(name))
        sequences = last_ids(self.connection, [table.name for table in found.sorted_tables])
        return [
            Table(
                str(table.name),
                tuple(Column(str(column.name), kind_of(column.type)) for column in table.columns),
                sequences.get(table.name),
            )
            for table in found.sorted_tables
        ]

    def rows(self, table: Table) -> Iterator[Row]:
        is_sqlite = self.connection.dialect.name == "sqlite"
        converter = from_sqlite if is_sqlite else from_postgresql
        converters = [converter(column.kind) for column in table.columns]
        chosen = ", ".join(_chosen(column, is_sqlite=is_sqlite) for column in table.columns)
        streaming = self.connection.execution_options(yield_per=ROWS_AT_ONCE)
        for row in streaming.exec_driver_sql(f'SELECT {chosen} FROM "{table.name}"'):  # noqa: S608
            yield convert(row, converters)

    def count(self, table: Table) -> int:
        return count_rows(self.connection, table.name)


def is_kept(table: str) -> bool:
    return table not in LEFT_OUT and not table.startswith((QUEUE, "sqlite_"))


def _chosen(column: Column, *, is_sqlite: bool) -> str:
    return f'"{column.name}"' + ("::text" if column.kind == JSON and not is_sqlite else "")


def count_rows(connection: Connection, table: str) -> int:
    return int(connection.exec_driver_sql(f'SELECT count(*) FROM "{table}"').scalar_one())  # noqa: S608


def last_ids(connection: Connection, tables: list[str]) -> dict[str, int]:
    """By table: the last id that was ever allocated, 0 if none was."""
    if connection.dialect.name == "sqlite":
        numbered = connection.execute(text("SELECT name, seq FROM sqlite_sequence")).all()
        used = {str(name): int(last) for name, last in numbered}
        names = [name for name in tables if _is_numbered(connection, name)]
        return {name: used.get(name, 0) for name in names}
    sequences = {name: sequence_of(connection, name) for name in tables}
    return {name: _last(connection, one) for name, one in sequences.items() if one}


def _is_numbered(connection: Connection, table: str) -> bool:
    named = text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :name")
    return "AUTOINCREMENT" in str(connection.execute(named, {"name": table}).scalar_one()).upper()


def sequence_of(connection: Connection, table: str) -> str | None:
    """The sequence of the table's ids on PostgreSQL, as SQL names it."""
    if "id" not in {column["name"] for column in inspect(connection).get_columns(table)}:
        return None
    found = text("SELECT pg_get_serial_sequence(:table, 'id')")
    return connection.execute(found, {"table": f'"{table}"'}).scalar_one()  # type: ignore[no-any-return]


def _last(connection: Connection, sequence: str) -> int:
    state = connection.exec_driver_sql(f"SELECT last_value, is_called FROM {sequence}").one()  # noqa: S608
    return int(state.last_value) if state.is_called else 0
