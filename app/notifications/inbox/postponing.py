"""Mail and push of a snoozed notification wait until it is back in the inbox."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.models import Delivery, Notification, User
from app.models.delivery import is_pending
from app.models.notification import SNOOZED
from app.notifications.preferences.digest import next_digest


async def postpone(
    session: AsyncSession, user_id: int, which: ColumnElement[bool], until: datetime
) -> None:
    """Postpone the deliveries of the user's notifications that meet this condition, except those
    that were attempted. Their time to live begins at `until`. Deliveries for a digest go into the
    first digest after it.
    """
    user = (await session.execute(select(User).where(User.id == user_id))).scalar_one()
    later = until
    if user.digest_is_on:
        later = next_digest(
            until, zone=user.timezone, hour=user.digest_hour, frequency=user.digest_frequency
        )
    snoozed = select(Notification.id).where(Notification.user_id == user_id, which)
    waiting = update(Delivery).where(
        is_pending,
        Delivery.claimed_by.is_(None),
        Delivery.bundle_id.is_(None),
        Delivery.due_at > clock.now(),
        Delivery.notification_id.in_(snoozed),
    )
    due_at = case((Delivery.bundling == "digest", later), else_=until)
    postponed = waiting.values(due_at=due_at, queued_at=until, reason=SNOOZED)
    await session.execute(postponed.execution_options(synchronize_session=False))


async def resume(session: AsyncSession, user_id: int) -> None:
    """Make deliveries due that were postponed for notifications which are no longer snoozed: at
    once or, in a digest that is still ahead, with the next one.
    """
    now = clock.now()
    back = select(Notification.id).where(
        Notification.user_id == user_id, Notification.folder != SNOOZED
    )
    waiting = update(Delivery).where(
        Delivery.user_id == user_id,
        is_pending,
        Delivery.reason == SNOOZED,
        Delivery.claimed_by.is_(None),
        Delivery.notification_id.in_(back),
    )
    digest = select(User.digest_due_at).where(User.id == user_id).scalar_subquery()
    in_next = and_(Delivery.bundling == "digest", Delivery.due_at > now)
    due_at = case((in_next, func.coalesce(digest, now)), else_=now)
    resumed = waiting.values(due_at=due_at, queued_at=now, reason=None)
    await session.execute(resumed.execution_options(synchronize_session=False))
