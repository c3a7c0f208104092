"""A relay through PostgreSQL's LISTEN and NOTIFY, and a watch over the database for lost pokes.

Transactions that contain a NOTIFY commit one after the other, so pokes are sent after the act, on
the relay's own connection, and all that are waiting go out together.
"""

import asyncio
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier

from app.broker.postgresql.server import connect
from app.broker.relay import POLL_SECONDS
from app.broker.server_relay import SILENT_SECONDS, Loop, ServerRelay

# Changes whenever a transaction that has written something ends.
SNAPSHOT = "SELECT pg_current_snapshot()::text"
SEND = "SELECT pg_notify(%s, message) FROM unnest(%s::text[]) AS message"


class PostgresRelay(ServerRelay):
    """A relay between the processes whose tables are in the same schema. Keeps one connection."""

    most_bytes = 7_900  # PostgreSQL takes payloads of less than 8,000 bytes

    def __init__(self, database_url: str, *, poll_seconds: float = POLL_SECONDS) -> None:
        super().__init__()
        self._poll_seconds = poll_seconds
        self._database_url = database_url

    def _loops(self) -> list[tuple[str, Loop]]:
        return [("PostgreSQL", self._serve)]

    async def _serve(self) -> None:
        async with await connect(self._database_url) as connection:
            try:
                await self._hear_and_send(connection)
            finally:
                self._stop_hearing()

    async def _hear_and_send(self, connection: AsyncConnection[Any]) -> None:
        channel, watch = await _channel(connection), PostgresWatch(connection)
        await connection.execute(SQL("LISTEN {}").format(Identifier(channel)))
        await watch.sees_change()
        self._begin_hearing()
        loop = asyncio.get_running_loop()
        next_look = loop.time() + self._poll_seconds
        while True:
            await self._wait(connection, next_look - loop.time())
            async with asyncio.timeout(SILENT_SECONDS):
                if self._unsent:
                    await self._send_waiting(lambda some: connection.execute(SEND, [channel, some]))
                if loop.time() >= next_look:
                    next_look = loop.time() + self._poll_seconds
                    if await watch.sees_change():
                        self._database_has_changed()
                async for notice in connection.notifies(timeout=0):
                    self._receive(notice.payload)

    async def _wait(self, connection: AsyncConnection[Any], seconds: float) -> None:
        """Until there is something to read or to send, or it is time to look."""
        loop, descriptor = asyncio.get_running_loop(), connection.fileno()
        loop.add_reader(descriptor, self._has_unsent.set)
        try:
            async with asyncio.timeout(max(0, seconds)):
                await self._has_unsent.wait()
        except TimeoutError:
            pass
        finally:
            loop.remove_reader(descriptor)
            self._has_unsent.clear()


class PostgresWatch:
    """Notices transactions of any process that have written something to the server."""

    def __init__(self, connection: AsyncConnection[Any]) -> None:
        self._connection = connection
        self._snapshot = ""

    async def sees_change(self) -> bool:
        """Whether there was one since the last look; at first True."""
        row = await (await self._connection.execute(SNAPSHOT)).fetchone()
        assert row
        seen, self._snapshot = self._snapshot, row[0]
        return seen != self._snapshot


async def watch_postgres(database_url: str, on_change: Callable[[], None]) -> None:
    """Calls `on_change` within about a second of a change; ends only with an error."""
    async with await connect(database_url) as connection:
        watch = PostgresWatch(connection)
        while True:
            async with asyncio.timeout(SILENT_SECONDS):
                if await watch.sees_change():
                    on_change()
            await asyncio.sleep(POLL_SECONDS)


async def _channel(connection: AsyncConnection[Any]) -> str:
    """The installation's channel. Several installations may share a database."""
    row = await (await connection.execute("SELECT current_schema()")).fetchone()
    assert row
    return f"clippyfront_{sha256(str(row[0]).encode()).hexdigest()[:16]}"
