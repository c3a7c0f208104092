"""The rate limit of notifying others. Raises TooMany."""

from app.database import Database
from app.models import User
from app.settings import Settings
from app.throttle import throttle


async def throttle_notifying(db: Database, settings: Settings, user: User) -> None:
    """Limits the acts by which one user notifies others, all together.

    Inviting, adding members and sending events have limits of their own; answering an invitation
    needs none.
    """
    await throttle(db, settings, f"notify:{user.id}", limit=60, seconds=60)
