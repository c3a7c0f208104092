"""The positions of the streams: one row for each act, in commit order."""

from datetime import timedelta

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
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
) -> int:
    """Allot the next position of the streams to this act; returns it."""
    change = insert(Change).values(
        kind=kind, user_id=user_id, ids=ids, up_to=up_to, created_at=clock.now()
    )
    return int((await session.execute(change.returning(Change.id))).scalar_one())


async def last_position(session: AsyncSession) -> int:
    """The last position allotted.

    Old changes are pruned, so after a quiet week it is found only among the events.
    """
    ends = [select(func.max(one)).scalar_subquery() for one in (Change.id, Event.id)]
    return max(last or 0 for last in (await session.execute(select(*ends))).one())
