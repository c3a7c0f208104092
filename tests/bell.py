"""What a user sees in the bell."""

from app.database import Database
from app.models import User
from app.notifications.inbox import feed


async def bell_of(db: Database, user: User) -> list[str]:
    """The sentences of the newest notifications, newest first."""
    async with db.read() as session:
        return [notice.text for notice in await feed.newest(session, user.id)]
