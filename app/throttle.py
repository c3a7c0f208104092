"""Rate limits: one counter row for each key, shared by all processes."""

from datetime import datetime, timedelta

from sqlalchemy import and_, delete, or_
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.database import Database
from app.database.upsert import insert_into
from app.errors import TooMany
from app.language import _
from app.models import Throttle
from app.settings import Settings
from app.telemetry.security_log import record
from app.web.reachability import is_throttled

KEY_LENGTH = 200
# What the clocks of hosts that share the database differ by without harm.
TOLERANCE = timedelta(minutes=1)


async def throttle(
    db: Database, settings: Settings, key: str, *, limit: int, seconds: int, user: str | None = None
) -> None:
    """Count one attempt for `key`. Raises TooMany beyond `limit` attempts within `seconds`.

    The window starts with the first attempt. Does nothing while rate limits are off. `user` is the
    user that the security log names.
    """
    if not is_throttled(settings):
        return
    now = clock.now()
    until = now + timedelta(seconds=seconds)
    async with db.write() as session:
        # A window that ends later than a new one would was begun while the clock was ahead.
        # TOLERANCE allows for windows begun by other hosts, whose clocks may be a little ahead of
        # ours.
        is_void = and_(Throttle.key == key[:KEY_LENGTH], Throttle.resets_at > until + TOLERANCE)
        await session.execute(delete(Throttle).where(or_(Throttle.resets_at <= now, is_void)))
        count, resets_at = await _count(session, key, until)
    if count > limit:
        record("throttled", user=user, limit=key.partition(":")[0])
        wait = max(1, round((resets_at - now).total_seconds()))
        raise TooMany(_("Too many attempts. Please try again later."), wait)


async def _count(session: AsyncSession, key: str, until: datetime) -> tuple[int, datetime]:
    """The number of attempts including this one, and when their window ends."""
    first = insert_into(session, Throttle).values(key=key[:KEY_LENGTH], count=1, resets_at=until)
    counted = first.on_conflict_do_update(
        index_elements=[Throttle.key], set_={"count": Throttle.count + 1}
    )
    row = await session.execute(counted.returning(Throttle.count, Throttle.resets_at))
    count, resets_at = row.one()
    return count, resets_at
