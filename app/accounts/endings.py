"""Tells every process that sessions or access tokens may have ended: by a poke after the commit,
and by a counter that changes in the same transaction, in case the poke is lost.

A second counter covers everything else that makes a cached user, session or token outdated:
triggers of the database (migration 0017) count visible changes of accounts and deleted rows.
"""

from functools import cache
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.broker.relay import SESSIONS
from app.database import Database, poke_after_commit
from app.database.upsert import insert_into
from app.models import EndingCount

ENDINGS, CHANGES = 1, 2


async def announce_ending(session: AsyncSession) -> None:
    """Call it in the transaction that ends a session or token, or suspends an account."""
    counted = insert_into(session, EndingCount).values(id=ENDINGS, count=1)
    more = {"count": EndingCount.count + 1}
    await session.execute(counted.on_conflict_do_update(index_elements=[EndingCount.id], set_=more))
    poke_after_commit(session, SESSIONS)


async def count_endings(db: Database) -> int:
    return sum(row.number for row in await db.fetch(_endings()))


async def count_all_changes(db: Database) -> int:
    """Endings and changes together."""
    [[count]] = await db.fetch(_all_changes())
    return count or 0


@cache
def _endings() -> Select[Any]:
    return select(EndingCount.count.label("number")).where(EndingCount.id == ENDINGS)


@cache
def _all_changes() -> Select[Any]:
    return select(func.sum(EndingCount.count))
