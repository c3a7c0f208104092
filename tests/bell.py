"""What a user sees in the bell."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database
from app.models import User
from app.notifications.events.notices import Notice
from app.notifications.inbox import feed
from app.notifications.inbox.feed import position_clause
from app.notifications.inbox.filters import Filter


async def newest_notices(
    session: AsyncSession, user_id: int, most: int = feed.PER_PAGE
) -> list[Notice]:
    """Those of the inbox, newest first."""
    return await feed.read_slice(session, user_id, Filter(), 0, most, most)


async def bell_of(db: Database, user: User) -> list[str]:
    """The sentences of the newest notifications, newest first."""
    async with db.read() as session:
        return [notice.text for notice in await newest_notices(session, user.id)]


async def position_within(session: AsyncSession, user: User) -> int:
    """The user's position as this transaction sees it."""
    return await session.scalar(select(position_clause(user.id))) or 0
