"""The earlier states of a notification that newer events have updated."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Event, Notification, Superseded
from app.notifications.events.notices import (
    OWN,
    Notice,
    as_notices,
    has_known_type,
    with_notice_facts,
)
from app.notifications.inbox.feed import find


async def read_history(session: AsyncSession, user_id: int, notification_id: int) -> list[Notice]:
    """The earlier states, newest first, without the present one. Raises NotFound."""
    await find(session, user_id, notification_id)
    return await read_earlier(session, user_id, notification_id)


async def read_earlier(
    session: AsyncSession, user_id: int, notification_id: int, most: int | None = None
) -> list[Notice]:
    """The same, at most `most` of it; empty for a notification that the user does not have."""
    rows = with_notice_facts(
        select(Notification.user_id, *OWN)
        .join(Superseded, Superseded.notification_id == Notification.id)
        .join(Event, Event.id == Superseded.event_id)
    )
    mine = Notification.id == notification_id, Notification.user_id == user_id
    newest_first = rows.where(*mine, has_known_type()).order_by(Superseded.event_id.desc())
    found = await session.execute(newest_first.limit(most))
    return as_notices(found.all())
