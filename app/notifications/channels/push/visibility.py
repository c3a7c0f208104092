"""Whether somebody is looking at a page just now, so that their devices can stay quiet."""

from datetime import timedelta

from sqlalchemy import exists, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.models import PushSubscription, User

# A page says so about every 20 seconds; it may be late.
LASTS = timedelta(seconds=30)


async def note_visible(session: AsyncSession, user: User, *, is_visible: bool) -> bool:
    """A page has come into view, still is, or has left it; returns whether that is worth saying.

    It is not while the person has no device that could stay quiet. One statement.
    """
    now = clock.now()
    has_device = exists().where(PushSubscription.user_id == user.id)
    noted = (
        update(User)
        .where(User.id == user.id, has_device)
        .values(visible_until=now + LASTS if is_visible else now)
        .execution_options(synchronize_session=False)
    )
    return bool((await session.execute(noted)).rowcount)  # type: ignore[attr-defined]
