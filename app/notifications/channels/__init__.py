"""The channels: ways of reaching people outside the app. A new one is a line in CHANNELS."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.database.upsert import insert_into
from app.models import Delivery, Event
from app.notifications.channels.base import Channel, Channels, Parts, channels_of
from app.notifications.channels.email.channel import Email
from app.notifications.channels.push.channel import Push
from app.notifications.events.event_type import EventType

CHANNELS: tuple[type[Channel], ...] = (
    Email,
    Push,
)


def open_channels(parts: Parts) -> Channels:
    """Every channel by name. Raises SettingError for an invalid setting."""
    return {one.description.name: one.open(parts) for one in CHANNELS}


async def add_deliveries(session: AsyncSession, event: Event, event_type: EventType) -> None:
    """Add a delivery for each recipient, channel and address: one statement per channel.

    There may be one already, of the event that this one supersedes.
    """
    for channel in channels_of(session).values():
        rows = channel.deliveries(event, event_type)
        columns = [column.name for column in rows.selected_columns]
        added = insert_into(session, Delivery).from_select(columns, rows)
        await session.execute(added.on_conflict_do_nothing())
