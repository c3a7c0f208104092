"""Test pushes, which users send to one of their devices to check that push works."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.broker.relay import CHANGES
from app.database import poke_after_commit
from app.models import Delivery, PushSubscription, User
from app.notifications.channels.push.device_addresses import address_of, is_for_name
from app.notifications.channels.push.message import TEST
from app.notifications.channels.push.responses import UNSUBSCRIBED
from app.notifications.events.event_type import PUSH


async def add(session: AsyncSession, device: PushSubscription) -> Delivery:
    """Queues a test for the device, and pokes the worker after the commit to send it at once."""
    poke_after_commit(session, CHANGES)
    test = Delivery(
        channel=PUSH,
        address=address_of(device),
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
    """Tests since `since` that found their device unsubscribed, which deleted the device.

    Devices that the user removed are not included: `forget` deletes their tests.
    """
    lost = select(Delivery).where(
        _by(user),
        Delivery.failure == UNSUBSCRIBED,
        Delivery.subscription_id.is_(None),
        Delivery.created_at > since,
    )
    return (await session.scalars(lost.order_by(Delivery.id))).all()


async def forget(session: AsyncSession, user: User, name: str) -> None:
    """Deletes all tests of the device with this name, including one in progress and those from
    before the device was lost and subscribed again.
    """
    await session.execute(delete(Delivery).where(_by(user), is_for_name(name)))


def _by(user: User) -> ColumnElement[bool]:
    return and_(
        Delivery.user_id == user.id, Delivery.channel == PUSH, Delivery.transactional == TEST
    )
