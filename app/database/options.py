"""Execution options for every connection of an engine, without leaking connections on cancellation."""

from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine


def with_options(engine: AsyncEngine, **options: Any) -> AsyncEngine:
    """An engine with the same pool, whose connections begin with these execution options.

    SQLAlchemy takes a connection from the pool before it sets its isolation level. If the task is
    cancelled in between, an engine with its own options would leak the connection until the garbage
    collector finds it.
    """

    def begin(connection: Connection) -> None:
        try:
            connection.execution_options(**options)
        except BaseException:
            connection.close()
            raise

    other = engine.execution_options()
    event.listen(other.sync_engine, "engine_connect", begin)
    return other
