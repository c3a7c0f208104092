"""When a user was last seen: at a sign-in, or by a request with a session or an access token.

It is updated together with the last-used time of the session or token, so not on every request, and
outlives both.
"""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import User


async def note_seen(session: AsyncSession, user: User, now: datetime) -> None:
    seen = update(User).where(User.id == user.id).values(last_seen_at=now)
    await session.execute(seen.execution_options(synchronize_session=False))
