"""Test pushes, which users send to a device of theirs to see whether pushes arrive there."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.models import Delivery, PushSubscription, User
from app.notifications.channels.push.message import TEST
from app.notifications.channels.push.responses import UNSUBSCRIBED
from app.notifications.events.catalogue import PUSH


async def add(session: AsyncSession, device: PushSubscription) -> Delivery:
    """Send a test to the device. Poke the relay after the commit, so that it leaves at once."""
    test = Delivery(
        channel=PUSH,
        address=f"{device.name} #{device.id}",
        transactional=TEST,
        user_id=device.user_id,
        subscription_id=device.id,
        due_at=clock.now(),
    )
    session.add(test)
    await session.flush()
    return test


async def last(session: AsyncSession, user: User) -> dict[int, Delivery]:
    """The newest test of each device, by the device's id."""
    newest = select(func.max(Delivery.id)).where(_by(user)).group_by(Delivery.subscription_id)
    rows = await session.scalars(select(Delivery).where(Delivery.id.in_(newest)))
    return {row.subscription_id: row for row in rows if row.subscription_id}


async def of_lost_devices(session: AsyncSession, user: User, since: datetime) -> Sequence[Delivery]:
    """Tests that found their device unsubscribed, so that it is no longer in the list. A device
    that its user removed leaves none.
    """
    lost = select(Delivery).where(
        _by(user),
        Delivery.failure == UNSUBSCRIBED,
        Delivery.subscription_id.is_(None),
        Delivery.created_at > since,
    )
    return (await session.scalars(lost.order_by(Delivery.id))).all()


async def forget(session: AsyncSession, user: User, name: str) -> None:
    """Forget all tests of the device of this name, one that is on its way included, and those from
    before the device was lost and came back.
    """
    its = Delivery.address.startswith(f"{name} #", autoescape=True)
    await session.execute(delete(Delivery).where(_by(user), its))


def _by(user: User) -> ColumnElement[bool]:
    return and_(
        Delivery.user_id == user.id, Delivery.channel == PUSH, Delivery.transactional == TEST
    )
