"""Mail as a channel: one delivery for each recipient with a confirmed address."""

from datetime import timedelta

from sqlalchemy import and_, insert, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.models import Account, Delivery, Event, Notification, Preference
from app.notifications.catalogue import EMAIL, EventType
from app.notifications.preferences import wants

# An ordinary mail waits this long for being read in the app first (EMAIL_DELAY_SECONDS).
MOMENT = Delivery.__table__.c.due_at.type
DELAY = timedelta(seconds=120)


async def add_email_deliveries(session: AsyncSession, event: Event, kind: EventType) -> None:
    now = clock.now()
    due = now if kind.is_high else now + DELAY
    rows = (
        select(
            Notification.id,
            Notification.user_id,
            literal(EMAIL),
            Account.email,
            literal("alone" if kind.is_high else "bundle"),
            literal("pending"),
            literal(0),
            literal(due, MOMENT),
            literal(now, MOMENT),
        )
        .join(Account, Account.id == Notification.user_id)
        .join(
            Preference,
            and_(Preference.user_id == Account.id, Preference.type == kind.name),
            isouter=True,
        )
        .where(
            Notification.event_id == event.id,
            Account.email_confirmed_at.is_not(None),
            wants(kind, EMAIL),
        )
    )
    columns = [
        "notification_id",
        "user_id",
        "channel",
        "address",
        "gathering",
        "state",
        "attempts",
        "due_at",
        "created_at",
    ]
    await session.execute(insert(Delivery).from_select(columns, rows))
