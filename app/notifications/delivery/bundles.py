"""Which waiting deliveries become one mail.

A bundle is fixed when its first delivery comes due and never changes again: an attempt that has
to be repeated sends the same mail, with the same Message-ID.
"""

from typing import Any

from sqlalchemy import and_, func, literal_column, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.models import Delivery, User

AT_ONCE = 1000

# Written out as the partial indexes have it: SQLite uses an index only where the words agree.
is_pending = Delivery.state == literal_column("'pending'")
is_loose = and_(
    is_pending, Delivery.bundle_id.is_(None), Delivery.gathering.in_(("bundle", "digest"))
)


async def tie(session: AsyncSession, channel: str) -> int:
    """Make one bundle of everything that waits for a person of whom something is due.

    A bundle takes along what is not due yet; a digest takes what was due at its hour. A digest
    waits until its person's next hour is written down, so that nothing joins it afterwards.
    Returns how many deliveries were tied; when there are many, more may be left.
    """
    first = _first_due(channel)
    tied = (
        update(Delivery)
        .where(
            Delivery.user_id == first.c.user_id,
            Delivery.gathering == first.c.gathering,
            Delivery.channel == channel,
            is_loose,
            or_(Delivery.gathering == "bundle", Delivery.due_at <= clock.now()),
        )
        .values(bundle_id=first.c.id, due_at=clock.now())
        .execution_options(synchronize_session=False)
    )
    return int((await session.execute(tied)).rowcount)  # type: ignore[attr-defined]


def _first_due(channel: str) -> Any:
    """The first due delivery of each mail to be."""
    now = clock.now()
    is_rolled = or_(User.digest_due_at.is_(None), User.digest_due_at > now)
    due = (
        select(Delivery.id, Delivery.user_id, Delivery.gathering)
        .join(User, User.id == Delivery.user_id)
        .where(
            Delivery.channel == channel,
            Delivery.due_at <= now,
            is_loose,
            or_(Delivery.gathering == "bundle", is_rolled),
        )
        .order_by(Delivery.due_at)
        .limit(AT_ONCE)
        .subquery("due")
    )
    first = select(due.c.user_id, due.c.gathering, func.min(due.c.id).label("id"))
    return first.group_by(due.c.user_id, due.c.gathering).subquery("first")
