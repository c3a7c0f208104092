"""When the digest of a person is due, and what waits for it.

`User.digest_due_at` is the next one, NULL while digests are off. Mail that waits for it has the
same `due_at`; whatever moves the one moves the other in the same act.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.database import Database
from app.models import Delivery, User
from app.models.notification import is_unbundled
from app.notifications.events.catalogue import EMAIL
from app.zones import zone as zone_called

FREQUENCIES = DAILY, WEEKLY = "daily", "weekly"
AT_ONCE = 500
SECOND = timedelta(seconds=1)


def next_digest(after: datetime, *, zone: str, hour: int, frequency: str) -> datetime:
    """The first moment later than `after` at which the hour begins there; weekly on Mondays. UTC.

    An hour that the clocks skip begins when they have skipped it, one that they repeat begins
    the first time. Without a zone, or with an unknown one, it is the hour in UTC.
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
    # The hour is skipped: with one offset it lies before the skip, with the other after it.
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
    """Call it in the act that changes the person's digest or zone: their waiting mail follows.

    With digests off it goes at once; with digests on, at the next one. Mail that has been
    attempted, and a digest that is due already, stay as they are: nothing is lost or sent twice.
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


async def roll(db: Database) -> int:
    """Write down the next digest of everyone whose digest is due; returns of how many.

    After hours without a worker that is one digest, not one for each that was missed.
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
    """Another worker may have been faster, the person may have changed the hour: then not."""
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
