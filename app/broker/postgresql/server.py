"""How queue and relay connect to PostgreSQL."""

from typing import Any

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from app.process.postgresql_connections import BEGINNING, CONNECTING, connection_info

# An enqueue that fails is made up for (a row is the truth), one that hangs holds up a request.
POOL_SECONDS = 5.0
# After so long the pool gives up reconnecting, until a connection is asked for.
RECONNECT_SECONDS = 2.0
IDLE_SECONDS = 60.0


def open_pool(database_url: str, size: int) -> AsyncConnectionPool[AsyncConnection[Any]]:
    """A pool of at most `size` connections; not connected yet."""
    return AsyncConnectionPool(
        connection_info(database_url),
        kwargs={"autocommit": True, **CONNECTING},
        configure=_begin,
        min_size=1,
        max_size=size,
        open=False,
        check=AsyncConnectionPool.check_connection,
        timeout=POOL_SECONDS,
        max_idle=IDLE_SECONDS,
        reconnect_timeout=RECONNECT_SECONDS,
        num_workers=1,
    )


async def connect(database_url: str) -> AsyncConnection[Any]:
    url = connection_info(database_url)
    connection = await AsyncConnection.connect(url, autocommit=True, **CONNECTING)
    await _begin(connection)
    return connection


async def _begin(connection: AsyncConnection[Any]) -> None:
    await connection.execute(BEGINNING.encode())
