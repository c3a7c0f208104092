"""The ways of reaching people outside the app. Add a channel here.

A channel is a function that inserts the deliveries of one event, set-based, in the same act.
"""

from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Event
from app.notifications.catalogue import EMAIL, EventType
from app.notifications.channels.email import add_email_deliveries

CHANNELS = {EMAIL: add_email_deliveries}


async def add_deliveries(session: AsyncSession, event: Event, kind: EventType) -> None:
    """One row per recipient, channel and address that is wanted."""
    for add in CHANNELS.values():
        await add(session, event, kind)
