"""What a page knows when it acts: the position of the newest notification on it."""

from app.database import Database
from app.models import User
from app.notifications.inbox import feed


async def made_at(db: Database, user: User, notification_id: int) -> int:
    """The position at which the user's notification with this id was made."""
    async with db.read() as session:
        return await feed.made_at(session, user.id, notification_id)
