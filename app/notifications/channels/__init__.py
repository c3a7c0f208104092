"""The ways of reaching people outside the app. Add a channel here."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Event
from app.notifications.channels.base import Channel
from app.notifications.channels.email.channel import Email
from app.notifications.channels.push.channel import Push
from app.notifications.events.catalogue import EventType
from app.settings import Settings

# Its keys and its push services concern also those who subscribe.
browser_push = Push()
_all: list[Channel] = [Email(), browser_push]
CHANNELS = {channel.name: channel for channel in _all}


def configure(settings: Settings) -> None:
    """Called once at start: how long deliveries wait, and what else the settings say of them."""
    for channel in CHANNELS.values():
        channel.configure(settings)


async def add_deliveries(session: AsyncSession, event: Event, kind: EventType) -> None:
    """One row per recipient, channel and address that is wanted."""
    for channel in CHANNELS.values():
        await channel.add_deliveries(session, event, kind)


def close() -> None:
    """Called once at the end, where deliveries were sent."""
    for channel in CHANNELS.values():
        channel.close()
