"""The positions of the streams: one row for each act, in commit order."""

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.models import Change


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
