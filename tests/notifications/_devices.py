"""Devices that are only rows: nothing is ever sent there."""

from typing import Any

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database
from app.models import PushSubscription, User
from app.notifications.channels.push import devices
from app.notifications.channels.push.devices import DeviceKeys

FCM = "https://fcm.googleapis.com/fcm/send/"
KEYS = DeviceKeys("p256dh", "auth")


async def enable(db: Database, user: User, name: str, **said: Any) -> PushSubscription:
    async with db.write() as session:
        return await subscribe(session, user, name, **said)


async def subscribe(
    session: AsyncSession,
    user: User,
    name: str,
    *,
    session_id: int | None = None,
    vapid_key: str = "ours",
    called: str = "",
) -> PushSubscription:
    return await devices.subscribe(
        session,
        user,
        endpoint=FCM + name,
        keys=KEYS,
        vapid_key=vapid_key,
        name=called or name,
        session_id=session_id,
    )


async def change(db: Database, device: PushSubscription, **values: object) -> None:
    async with db.write() as session:
        this = update(PushSubscription).where(PushSubscription.id == device.id)
        await session.execute(this.values(**values))
