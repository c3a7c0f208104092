"""What a notification said before newer events took the place of the older ones."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Event, Notification, Superseded
from app.notifications.events.notices import OWN, Notice, as_notices, with_notice_facts
from app.notifications.inbox.feed import find


async def read_history(session: AsyncSession, user_id: int, notification_id: int) -> list[Notice]:
    """The notification as it was, newest first; without as it is now. Raises NotFound."""
    await find(session, user_id, notification_id)
    rows = with_notice_facts(
        select(Notification.user_id, *OWN)
        .join(Superseded, Superseded.notification_id == Notification.id)
        .join(Event, Event.id == Superseded.event_id)
    )
    mine = Notification.id == notification_id, Notification.user_id == user_id
    found = await session.execute(rows.where(*mine).order_by(Superseded.event_id.desc()))
    return as_notices(found.all())
