"""One connection to a SQLite file that other processes write as well; each statement commits."""

import asyncio
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiosqlite

from app.faults import BUSY_SECONDS, is_busy


class SqliteFile:
    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection: aiosqlite.Connection | None = None

    async def open(self, schema: str) -> None:
        """Open the file and run the script `schema`. Opening twice does no harm."""
        if self._connection:
            return
        connection = await aiosqlite.connect(self.path, isolation_level=None, timeout=BUSY_SECONDS)
        try:
            await _prepare(connection, schema)
        except BaseException:
            await connection.close()
            raise
        self._connection = connection

    async def rows(self, statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """The rows that the statement returns, after its commit."""
        if not self._connection:
            raise RuntimeError(f"{self.path} is not open.")
        return [tuple(row) for row in await self._connection.execute_fetchall(statement, values)]

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection:
            await connection.close()


async def _prepare(connection: aiosqlite.Connection, schema: str) -> None:
    async with asyncio.timeout(BUSY_SECONDS):
        while True:
            try:
                await connection.executescript(schema)
                return
            except sqlite3.OperationalError as error:
                # SQLite's own timeout does not apply to every process that switches a new file to
                # WAL at the same time.
                if not is_busy(error):
                    raise
                await asyncio.sleep(BUSY_SECONDS / 1000)
