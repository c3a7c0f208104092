"""Records whether a user has a page in view, so that pushes to their devices can be skipped."""

from datetime import timedelta

from sqlalchemy import exists, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.models import PushSubscription, User

# A visible page reports about every 20 seconds; the rest allows for delays.
LASTS = timedelta(seconds=30)


async def note_visible(session: AsyncSession, user: User, *, is_visible: bool) -> bool:
    """Records that a page is in view or no longer is; returns whether pages should keep reporting.

    They should not while the user has no device. A single statement checks and updates.
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
