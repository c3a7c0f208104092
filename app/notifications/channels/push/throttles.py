"""The rate limit of test pushes."""

from app.database import Database
from app.models import User
from app.settings import Settings
from app.throttle import throttle


async def throttle_tests(db: Database, settings: Settings, user: User) -> None:
    """Allows ten in ten minutes, to spare the browser vendors' push services. Raises TooMany."""
    await throttle(db, settings, f"push-test:{user.id}", limit=10, seconds=600)
