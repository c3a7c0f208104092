"""Which waiting deliveries become one mail.

A bundle is fixed when its first delivery comes due and never changes again: each further attempt
sends the same mail, with the same Message-ID.
"""

from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.models import Delivery, User
from app.models.delivery import is_unbundled

BATCH = 1000


async def bundle_due(session: AsyncSession, channel: str) -> int:
    """Combine the waiting deliveries of each user with a due delivery.

    A bundle includes deliveries that are not due yet; a digest only those that are due. A digest is
    made only after the user's next one has been scheduled: new deliveries then go into the next.
    Returns how many deliveries were combined; if there are many, some may be left for another call.
    """
    first = _first_due(channel)
    bundled = (
        update(Delivery)
        .where(
            Delivery.user_id == first.c.user_id,
            Delivery.bundling == first.c.bundling,
            Delivery.channel == channel,
            is_unbundled,
            or_(Delivery.bundling == "bundle", Delivery.due_at <= clock.now()),
        )
        .values(bundle_id=first.c.id, due_at=clock.now())
        .execution_options(synchronize_session=False)
    )
    return int((await session.execute(bundled)).rowcount)  # type: ignore[attr-defined]


def _first_due(channel: str) -> Any:
    """The delivery with which each new bundle begins: (user_id, bundling, id)."""
    now = clock.now()
    next_is_scheduled = or_(User.digest_due_at.is_(None), User.digest_due_at > now)
    due = (
        select(Delivery.id, Delivery.user_id, Delivery.bundling)
        .join(User, User.id == Delivery.user_id)
        .where(
            Delivery.channel == channel,
            Delivery.due_at <= now,
            is_unbundled,
            or_(Delivery.bundling == "bundle", next_is_scheduled),
        )
        .order_by(Delivery.due_at)
        .limit(BATCH)
        .subquery()
    )
    first = select(due.c.user_id, due.c.bundling, func.min(due.c.id).label("id"))
    return first.group_by(due.c.user_id, due.c.bundling).subquery()
