"""The channels: ways of reaching people outside the app. A new one is a line in CHANNELS."""

from functools import lru_cache

from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.dml import UpdateBase

from app.database.upsert import dialect_of, insert_on
from app.models import Delivery, Event
from app.notifications.channels.base import Channel, Channels, Parts, channels_of
from app.notifications.channels.email.channel import Email
from app.notifications.channels.push.channel import Push
from app.notifications.events.audience import ids_of
from app.notifications.events.event_type import EventType

# Cached statements of the fan-out, by event type and channel: more than there are combinations.
INSERTIONS_KEPT = 500

CHANNELS: tuple[type[Channel], ...] = (
    Email,
    Push,
)


def open_channels(parts: Parts) -> Channels:
    """Every channel by name. Raises SettingError for an invalid setting."""
    return {one.description.name: one.open(parts) for one in CHANNELS}


async def add_deliveries(session: AsyncSession, event: Event, event_type: EventType) -> None:
    """Add a delivery for each recipient, channel and address: one statement per channel.

    A delivery may exist already if this event supersedes an earlier one; it stays.
    """
    connection = await session.connection()
    for channel in channels_of(session).values():
        insertion = _insertion(dialect_of(session), channel, event_type)
        await connection.execute(insertion, ids_of(event))


@lru_cache(INSERTIONS_KEPT)
def _insertion(dialect: str, channel: Channel, event_type: EventType) -> UpdateBase:
    """Cached, because building it takes longer than running it for a few recipients."""
    rows = channel.deliveries(event_type)
    columns = [column.name for column in rows.selected_columns]
    return insert_on(dialect, Delivery).from_select(columns, rows).on_conflict_do_nothing()
