"""When a user's digest is due, and which mail waits for it.

`User.digest_due_at` is when the next digest is due, NULL while digests are off. Mail that waits for
it has the same `due_at`; both always change in the same act.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.database import Database
from app.models import Delivery, User
from app.models.delivery import is_unbundled
from app.notifications.events.event_type import EMAIL
from app.zones import zone as zone_called

FREQUENCIES = DAILY, WEEKLY = "daily", "weekly"
AT_ONCE = 500
SECOND = timedelta(seconds=1)


def next_digest(after: datetime, *, zone: str, hour: int, frequency: str) -> datetime:
    """The first time later than `after` that `hour` begins in `zone`, in UTC; weekly on Mondays.

    An hour that daylight saving skips begins right after the skip; an hour that it repeats begins
    the first time. Without a zone, or with an unknown one, the hour is in UTC.
    """
    there, step = zone_called(zone), timedelta(days=1)
    day = after.astimezone(there).date()
    if frequency == WEEKLY:
        day, step = day - timedelta(days=day.weekday()), timedelta(days=7)
    while (moment := _begin(day, hour, there)) <= after:
        day += step
    return moment


def _begin(day: date, hour: int, there: ZoneInfo) -> datetime:
    wall = datetime.combine(day, time(hour), there)
    moment = wall.astimezone(UTC)
    if _reads(moment, there) == wall.replace(tzinfo=None):
        return moment
    # Daylight saving skips this hour. One offset puts it before the skip and the other after, so
    # search between the two for the end of the skip.
    before = wall.replace(fold=1).astimezone(UTC)
    while moment - before > SECOND:
        middle = before + (moment - before) // 2
        if _reads(middle, there) < wall.replace(tzinfo=None):
            before = middle
        else:
            moment = middle
    return moment.replace(microsecond=0)


def _reads(moment: datetime, there: ZoneInfo) -> datetime:
    return moment.astimezone(there).replace(tzinfo=None)


async def reschedule(session: AsyncSession, account: User) -> None:
    """Move a user's waiting mail, in the act that changes their digest or time zone.

    With digests off it is due at once; with digests on, with the next one. Mail that has been
    attempted, and a digest that is already due, do not move: nothing is lost or sent twice.
    """
    now = clock.now()
    account.digest_due_at = _next(account, now) if account.digest_is_on else None
    if account.digest_due_at is None:
        waits, becomes = Delivery.bundling == "digest", ("bundle", now)
    else:
        waits = or_(Delivery.bundling == "bundle", Delivery.due_at > now)
        becomes = ("digest", account.digest_due_at)
    await session.flush()
    moved = (
        update(Delivery)
        .where(Delivery.user_id == account.id, Delivery.channel == EMAIL, is_unbundled, waits)
        .values(bundling=becomes[0], due_at=becomes[1])
    )
    await session.execute(moved.execution_options(synchronize_session=False))


async def schedule_next(db: Database) -> int:
    """Schedule the next digest of every user whose digest is due; returns how many users.

    After hours without a worker, a user gets one digest, not one for each that was missed.
    """
    count = 0
    while due := await _due(db):
        count += await _move_on(db, due)
    return count


async def _due(db: Database) -> Sequence[User]:
    due = select(User).where(User.digest_due_at <= clock.now()).limit(AT_ONCE)
    async with db.read() as session:
        return (await session.scalars(due)).all()


async def _move_on(db: Database, due: Sequence[User]) -> int:
    """Leaves out users whose digest another worker or a change of the hour has already moved."""
    now, count = clock.now(), 0
    moves: dict[tuple[datetime | None, datetime], list[int]] = {}
    for account in due:
        moves.setdefault((account.digest_due_at, _next(account, now)), []).append(account.id)
    async with db.act() as session:
        for (old, new), ids in moves.items():
            move = update(User).where(User.id.in_(ids), User.digest_due_at == old)
            moved = await session.execute(
                move.values(digest_due_at=new).execution_options(synchronize_session=False)
            )
            count += moved.rowcount  # type: ignore[attr-defined]
    return count


def _next(account: User, after: datetime) -> datetime:
    return next_digest(
        after,
        zone=account.timezone,
        hour=account.digest_hour,
        frequency=account.digest_frequency,
    )
