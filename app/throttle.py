"""Rate limits: one counter row for each key, shared by all processes."""

from datetime import timedelta

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from app import clock
from app.database import Database
from app.errors import TooMany
from app.language import _
from app.models import Throttle
from app.settings import Settings

KEY_LENGTH = 200


async def throttle(db: Database, settings: Settings, key: str, *, limit: int, seconds: int) -> None:
    """Count one attempt for `key`. Raises TooMany beyond `limit` attempts within `seconds`.

    The window starts with the first attempt. Does nothing while RATE_LIMITS is off.
    """
    if not settings.rate_limits:
        return
    now = clock.now()
    insert = sqlite_insert if db.is_sqlite else postgresql_insert
    row = insert(Throttle).values(
        key=key[:KEY_LENGTH], count=1, resets_at=now + timedelta(seconds=seconds)
    )
    counted = row.on_conflict_do_update(
        index_elements=[Throttle.key], set_={"count": Throttle.count + 1}
    ).returning(Throttle.count, Throttle.resets_at)
    async with db.write() as session:
        await session.execute(delete(Throttle).where(Throttle.resets_at <= now))
        count, resets_at = (await session.execute(counted)).one()
    if count > limit:
        wait = max(1, round((resets_at - now).total_seconds()))
        raise TooMany(_("Too many attempts. Please try again later."), wait)
