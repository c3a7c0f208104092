"""The pool of connections to PostgreSQL, and how one that has died is noticed."""

import select
from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.database.hold import SHARE, replaced
from app.database.json_columns import read_json
from app.faults import BUSY_SECONDS
from app.process.postgresql_connections import BEGINNING, CONNECTING

# All queries of a transaction see the same state of the database, as on SQLite.
SNAPSHOT = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


def open_engine(url: str, connections: int, *, echo: bool) -> AsyncEngine:
    """A pool of at most `connections`. A request waits for a free one for BUSY_SECONDS."""
    engine = create_async_engine(
        url,
        echo=echo,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=BUSY_SECONDS,
        connect_args=CONNECTING,
        json_deserializer=read_json,
        use_native_hstore=False,
    )
    event.listen(engine.sync_engine, "connect", _begin)
    event.listen(engine.sync_engine, "checkout", _require_alive)
    return engine


def _begin(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute(BEGINNING)
    cursor.execute(SHARE)
    (is_shared,) = cursor.fetchone()
    cursor.close()
    connection.commit()
    if not is_shared:
        connection.close()
        raise replaced()


def _require_alive(connection: Any, _record: Any, _fairy: Any) -> None:
    """Has the pool replace a connection that the server has closed.

    On an idle connection there is nothing to read unless the server has closed it. Asking the
    kernel takes microseconds; asking the server (`pool_pre_ping`) would cost every request a round
    trip.
    """
    if connection.closed or _has_news(connection.driver_connection.fileno()):
        raise DisconnectionError


def _has_news(descriptor: int) -> bool:
    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN)
    return bool(waiting.poll(0))
