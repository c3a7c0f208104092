"""A new database that is filled with the rows of another: complete, or not there at all.

On SQLite it is a draft that gets its name once it is complete, on PostgreSQL one transaction.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from alembic import command
from sqlalchemy import Connection, text

from app.backup.snapshot import ROWS_AT_ONCE, count_rows, sequence_of
from app.backup.values import Row, Table, convert, to_postgresql, to_sqlite
from app.database.migrations import config


@dataclass(frozen=True)
class Target:
    """A database under construction, in one transaction."""

    connection: Connection

    @property
    def is_sqlite(self) -> bool:
        return self.connection.dialect.name == "sqlite"

    def upgrade(self, revision: str = "head") -> None:
        """To the schema with this revision."""
        command.upgrade(config(self.connection), revision)

    def empty(self, tables: Sequence[Table]) -> None:
        """Deletes rows that the migrations have inserted."""
        for table in filter(self.count, reversed(tables)):
            self.connection.exec_driver_sql(f'DELETE FROM "{table.name}"')  # noqa: S608

    def fill(self, table: Table, rows: Iterable[Row]) -> None:
        if self.is_sqlite:
            self._insert(table, rows)
        else:
            self._copy(table, rows)

    def _insert(self, table: Table, rows: Iterable[Row]) -> None:
        converters = [to_sqlite(column.kind) for column in table.columns]
        placeholders = ", ".join("?" * len(table.columns))
        insert = f'INSERT INTO "{table.name}" ({_names(table)}) VALUES ({placeholders})'  # noqa: S608
        converted = (tuple(convert(row, converters)) for row in rows)
        while batch := list(islice(converted, ROWS_AT_ONCE)):
            self.connection.exec_driver_sql(insert, batch)

    def _copy(self, table: Table, rows: Iterable[Row]) -> None:
        converters = [to_postgresql(column.kind) for column in table.columns]
        raw: Any = self.connection.connection.driver_connection
        copying = f'COPY "{table.name}" ({_names(table)}) FROM STDIN'
        with raw.cursor() as cursor, cursor.copy(copying) as copy:
            for row in rows:
                copy.write_row(convert(row, converters))

    def continue_after(self, table: Table, last: int) -> None:
        """The next id of the table is above `last`."""
        if self.is_sqlite:
            values = {"name": table.name, "last": last}
            self._execute("DELETE FROM sqlite_sequence WHERE name = :name", values)
            self._execute("INSERT INTO sqlite_sequence VALUES (:name, :last)", values)
        elif last and (sequence := sequence_of(self.connection, table.name)):
            self._execute("SELECT setval(:sequence, :last)", {"sequence": sequence, "last": last})

    def _execute(self, statement: str, values: dict[str, Any]) -> None:
        self.connection.execute(text(statement), values)

    def count(self, table: Table) -> int:
        return count_rows(self.connection, table.name)


def _names(table: Table) -> str:
    return ", ".join(f'"{column.name}"' for column in table.columns)
