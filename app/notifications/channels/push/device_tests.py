"""Pushes that people have sent to a device of theirs, to see whether they arrive there."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.models import Delivery, PushSubscription, User
from app.notifications.channels.push.message import TEST
from app.notifications.events.catalogue import PUSH


async def add(session: AsyncSession, device: PushSubscription) -> Delivery:
    """Have a test sent there. Poke the relay after the commit, so that it leaves at once."""
    test = Delivery(
        channel=PUSH,
        address=f"{device.name} #{device.id}",
        letter=TEST,
        user_id=device.user_id,
        subscription_id=device.id,
        due_at=clock.now(),
    )
    session.add(test)
    await session.flush()
    return test


async def last(session: AsyncSession, user: User) -> dict[int, Delivery]:
    """What became of the newest test of each device."""
    newest = select(func.max(Delivery.id)).where(_by(user)).group_by(Delivery.subscription_id)
    rows = await session.scalars(select(Delivery).where(Delivery.id.in_(newest)))
    return {row.subscription_id: row for row in rows if row.subscription_id}


async def left_behind(session: AsyncSession, user: User, since: datetime) -> Sequence[Delivery]:
    """Failed tests of devices that are no more, for whatever reason; what a person removes leaves
    none.
    """
    left = select(Delivery).where(
        _by(user),
        Delivery.state == "failed",
        Delivery.subscription_id.is_(None),
        Delivery.created_at > since,
    )
    return (await session.scalars(left.order_by(Delivery.id))).all()


async def forget(session: AsyncSession, user: User, name: str) -> None:
    """All of the device of this name: also those from before it was lost and came back, and one
    that is on its way.
    """
    its = Delivery.address.startswith(f"{name} #", autoescape=True)
    await session.execute(delete(Delivery).where(_by(user), its))


def _by(user: User) -> ColumnElement[bool]:
    return and_(Delivery.user_id == user.id, Delivery.channel == PUSH, Delivery.letter == TEST)
