"""Which waiting deliveries become one mail.

A bundle is fixed when its first delivery comes due and never changes again: an attempt that has
to be repeated sends the same mail, with the same Message-ID.
"""

from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.models import Account, Delivery

MAILS_AT_ONCE = 100


def is_loose() -> ColumnElement[bool]:
    """Waiting, and not yet part of a mail."""
    return and_(
        Delivery.state == "pending",
        Delivery.bundle_id.is_(None),
        Delivery.gathering.in_(("bundle", "digest")),
    )


async def tie(session: AsyncSession, channel: str) -> None:
    """Make one bundle of everything that waits for a person of whom something is due.

    A bundle takes along what is not due yet; a digest takes what was due at its hour. A digest
    waits until its person's next hour is written down, so that nothing joins it afterwards.
    """
    for user_id, gathering, first in (await session.execute(_due(channel))).all():
        await session.execute(_tied(channel, user_id, gathering, first))


def _due(channel: str) -> Any:
    now = clock.now()
    is_rolled = or_(Account.digest_due_at.is_(None), Account.digest_due_at > now)
    return (
        select(Delivery.user_id, Delivery.gathering, func.min(Delivery.id).label("first"))
        .join(Account, Account.id == Delivery.user_id)
        .where(
            Delivery.channel == channel,
            Delivery.due_at <= now,
            is_loose(),
            or_(Delivery.gathering == "bundle", is_rolled),
        )
        .group_by(Delivery.user_id, Delivery.gathering)
        .limit(MAILS_AT_ONCE)
    )


def _tied(channel: str, user_id: int, gathering: str, first: int) -> Any:
    now = clock.now()
    joins: list[ColumnElement[bool]] = [
        Delivery.user_id == user_id,
        Delivery.channel == channel,
        Delivery.gathering == gathering,
        is_loose(),
    ]
    if gathering == "digest":
        joins.append(Delivery.due_at <= now)
    return (
        update(Delivery)
        .where(*joins)
        .values(bundle_id=first, due_at=now)
        .execution_options(synchronize_session=False)
    )
