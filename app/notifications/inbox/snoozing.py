"""Until when a notification is snoozed, in its reader's time zone, and bringing back what is due."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.database import Database
from app.errors import Invalid
from app.language import N_, _
from app.models import Notification
from app.models.notification import WAITING
from app.notifications.inbox.acts import change, returning
from app.notifications.inbox.postponing import resume

# The choices with their labels.
PERIODS = {
    "hour": N_("In an hour"),
    "evening": N_("This evening"),
    "tomorrow": N_("Tomorrow morning"),
    "week": N_("Next week"),
}
TOMORROW_EVENING = N_("Tomorrow evening")
EVENING, MORNING = time(18), time(8)
MONDAY = 0
LONGEST = timedelta(days=5 * 366)
AT_ONCE = 500

_waiting = text(WAITING)


def label_of(period: str, end: datetime, zone: ZoneInfo) -> str:
    """The label of a period with this end, in the current language: when the evening has begun, the next
    one is tomorrow's.
    """
    today = clock.now().astimezone(zone).date()
    is_later = period == "evening" and end.astimezone(zone).date() > today
    return _(TOMORROW_EVENING if is_later else PERIODS[period])


def period_ends(period: str, zone: ZoneInfo) -> datetime:
    """When one of PERIODS ends (CONTRACT §6): 18:00, 08:00, Monday 08:00 in this zone, the next one
    where it is past.
    """
    now = clock.now().astimezone(zone)
    if period == "hour":
        return clock.now() + timedelta(hours=1)
    if period == "evening":
        return _next(now, EVENING)
    if period == "tomorrow":
        return _at(now + timedelta(days=1), MORNING)
    days = (MONDAY - now.weekday()) % 7
    monday = _at(now + timedelta(days=days), MORNING)
    return monday if monday > clock.now() else _at(now + timedelta(days=days + 7), MORNING)


def _next(now: datetime, hour: time) -> datetime:
    today = _at(now, hour)
    return today if today > clock.now() else _at(now + timedelta(days=1), hour)


def _at(day: datetime, hour: time) -> datetime:
    """This hour of the wall clock on that day, as UTC."""
    return datetime.combine(day.date(), hour, day.tzinfo).astimezone(UTC)


def read_end(fields: Mapping[str, str], zone: ZoneInfo) -> datetime:
    """The end that a form chose: a period in `for`, or the local time in `until`. Raises Invalid."""
    period = fields.get("for", "")
    if period in PERIODS:
        return period_ends(period, zone)
    try:
        local = datetime.fromisoformat(fields.get("until", ""))
    except ValueError:
        raise Invalid({"until": _("Choose how long to snooze.")}) from None
    return check_until(local.replace(tzinfo=local.tzinfo or zone))


def check_until(until: datetime) -> datetime:
    """The same time in UTC. Raises Invalid for a time that is past or too far ahead. Checks first,
    because a time near the year 9999 cannot be converted.
    """
    now = clock.now()
    if until <= now:
        raise Invalid({"until": _("This time is past. Choose a later one.")})
    if until > now + LONGEST:
        raise Invalid({"until": _("Choose a time within the next five years.")})
    return until.astimezone(UTC)


async def next_return(db: Database) -> datetime | None:
    """When the next snoozed notification comes back; None when none is snoozed."""
    [[due]] = await db.fetch(select(func.min(Notification.snoozed_until)).where(_waiting))
    return due


async def return_due(db: Database) -> int:
    """Return due notifications to the inbox, unread and on top, also on open pages. Returns how
    many.
    """
    returned = 0
    while True:
        async with db.act() as session:
            count = await _return_some(session)
        returned += count
        if count < AT_ONCE:
            return returned


async def _return_some(session: AsyncSession) -> int:
    due = select(Notification.user_id, Notification.id).where(
        _waiting, Notification.snoozed_until <= clock.now()
    )
    ids: defaultdict[int, list[int]] = defaultdict(list)
    rows = (await session.execute(due.order_by(Notification.snoozed_until).limit(AT_ONCE))).all()
    for user_id, notification_id in rows:
        ids[user_id].append(notification_id)
    for user_id, some in ids.items():
        await change(session, user_id, returning(), Notification.id.in_(some))
        # A process of the previous version did not record that their time to live begins only now.
        await resume(session, user_id)
    return len(rows)
