"""The rate limits of teams. Each raises TooMany."""

from app.database import Database
from app.models import User
from app.settings import Settings
from app.throttle import throttle


async def throttle_invitations(db: Database, settings: Settings, user: User) -> None:
    """Limit how many people one user invites or adds: more than anyone would by hand."""
    await throttle(db, settings, f"invite:{user.id}", limit=60, seconds=3600)


async def throttle_events(db: Database, settings: Settings, user: User) -> None:
    await throttle(db, settings, f"ingest:{user.id}", limit=60, seconds=60)
