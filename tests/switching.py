"""One switch of a user's preferences, as a test turns it."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.models import User
from app.notifications.preferences.switches import change


async def set_switch(
    session: AsyncSession, user: User, type: str, channel: str, *, wanted: bool
) -> None:
    """Turns one type of event on or off on one channel."""
    await change(session, user, {"preferences": {type: {channel: wanted}}})
