"""The positions of the streams: one row for each act, in commit order."""

from datetime import timedelta
from functools import cache

from sqlalchemy import Select, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.dml import ReturningInsert

from app import clock
from app.database import Database
from app.models import Change, Event

# A client that resumes from an older position has to read the inbox again.
CHANGES_KEPT = timedelta(days=7)


async def record_change(
    session: AsyncSession,
    kind: str,
    user_id: int | None = None,
    *,
    ids: list[int] | None = None,
    up_to: int | None = None,
    up_to_position: int | None = None,
) -> int:
    """Allot the next position of the streams to this act; returns it."""
    values = {
        "kind": kind,
        "user_id": user_id,
        "ids": ids,
        "up_to": up_to,
        "up_to_position": up_to_position,
        "created_at": clock.now(),
    }
    connection = await session.connection()
    return int((await connection.execute(_add(), values)).scalar_one())


@cache
def _add() -> ReturningInsert[int]:
    return insert(Change).returning(Change.id)


async def last_position(db: Database) -> int:
    """The last position allotted.

    Old changes are pruned, so after a quiet week it is found only among the events.
    """
    [last] = await db.fetch(_last())
    return max(position or 0 for position in last)


@cache
def _last() -> Select[*tuple[int, ...]]:
    return select(*(select(func.max(one)).scalar_subquery() for one in (Change.id, Event.id)))
