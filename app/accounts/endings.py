"""Tells every process that sessions or access tokens may have ended: by a poke after the commit,
and by a counter that changes with it, in case the poke is lost.
"""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.broker.relay import SESSIONS
from app.database import poke_after_commit
from app.database.upsert import insert_into
from app.models import EndingCount

THE_ROW = 1


async def announce_ending(session: AsyncSession) -> None:
    counted = insert_into(session, EndingCount).values(id=THE_ROW, count=1)
    more = {"count": EndingCount.count + 1}
    await session.execute(counted.on_conflict_do_update(index_elements=[EndingCount.id], set_=more))
    poke_after_commit(session, SESSIONS)


async def count_endings(session: AsyncSession) -> int:
    return await session.scalar(select(EndingCount.count)) or 0
