"""How queue and relay connect to PostgreSQL."""

from typing import Any

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from app.process.postgresql_connections import BEGINNING, CONNECTING, connection_info

# A failed enqueue does no harm, because the rows are the source of truth and a worker finds them
# later; one that hangs would hold up a request.
POOL_SECONDS = 5.0
# After this long the pool stops trying to reconnect until a connection is requested.
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
