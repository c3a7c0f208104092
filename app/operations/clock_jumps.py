"""Handles clocks that jump: nothing is deleted too early while the clock is ahead, and nothing
waits too long because it was.

A worker compares the clock with the time since the machine started, which never jumps, and stores
both in the database. After a jump ahead, nothing is permanently deleted for a day, or until the
clock is set back. Once it is, times that were written meanwhile are corrected: each time column of
the schema is either listed in AHEAD or in the past, and set to the present where it is not. That
also happens to `Delivery.queued_at`, which is ahead during a snooze: the end of the snooze sets it
again. A clock that jumps back without having been ahead may be wrong itself: then waiting
deliveries come due, and times in the past do not change.

The queue corrects its own times (app/broker/sqlite/statements.py).
"""

import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from advanced_alchemy.base import orm_registry
from advanced_alchemy.types import DateTimeUTC
from sqlalchemy import Column, and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.addresses import TIME_TO_CONFIRM
from app.database import Database
from app.database.upsert import insert_into
from app.models import (
    ClockReading,
    CronTick,
    Delivery,
    Invitation,
    Notification,
    Throttle,
    UploadReservation,
    User,
)
from app.models.delivery import is_pending
from app.notifications.channels.base import Channels
from app.notifications.channels.push.visibility import LASTS as VISIBLE_FOR
from app.notifications.delivery import claims
from app.notifications.preferences import digest
from app.projects.storage import LEASE as UPLOAD_LEASE
from app.teams.open_invitations import LIFETIME

# Smaller differences are ignored: clocks are adjusted a little all the time.
TOLERANCE = timedelta(minutes=1)
HARMLESS = timedelta(hours=1)
BELIEVED_AFTER = timedelta(days=1)
# A machine that was off for longer may have come back with a wrong date.
LONGEST_OFF = timedelta(days=7)
WEEK_OR_DAY = {"daily": timedelta(hours=25), "weekly": timedelta(days=7, hours=1)}
AT_ONCE = 500

# Columns that hold times in the future, and how far ahead they may be. None: a rule of its own
# below, or no limit.
AHEAD: Mapping[Any, timedelta | None] = {
    Delivery.due_at: None,
    User.digest_due_at: None,
    Notification.snoozed_until: None,
    Notification.earlier_snoozed_until: None,
    Invitation.expires_at: LIFETIME,
    User.pending_email_until: TIME_TO_CONFIRM,
    User.visible_until: VISIBLE_FOR,
    UploadReservation.expires_at: UPLOAD_LEASE,
    Throttle.resets_at: timedelta(hours=1),
    ClockReading.believed_at: BELIEVED_AFTER,
    CronTick.tick: TOLERANCE,
}

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Clock:
    """`jump` is how far the clock has jumped since the last look. Only while it `is_believed`, data
    that appears old may be deleted.
    """

    jump: timedelta
    is_believed: bool

    @property
    def is_steady(self) -> bool:
        return not self.jump


async def check_clock(db: Database, channels: Channels) -> Clock:
    """Looks at the clock, and corrects what was written while it was ahead once it is back."""
    async with db.exclusive() as session:
        reading = await session.get(ClockReading, 1)
        was_ahead = timedelta(seconds=reading.seconds_ahead if reading else 0)
        found = _compare(reading) if reading else Clock(timedelta(0), is_believed=True)
        await _remember(session, reading, found.jump)
    if found.jump:
        _log.warning("The clock has jumped by %s.", _words(found.jump))
    if found.jump < timedelta(0):
        await correct(db, channels, is_back=-found.jump <= was_ahead + TOLERANCE)
    if not found.is_believed:
        _log.warning("The clock is ahead: nothing is deleted for a day, or until it is set back.")
    return found


def _compare(reading: ClockReading) -> Clock:
    now, elapsed = clock.now(), clock.now() - reading.seen_at
    if reading.boot_id == boot_id():
        jump = elapsed - timedelta(seconds=uptime() - reading.uptime)
    else:
        jump = elapsed if elapsed < timedelta(0) or elapsed > LONGEST_OFF else timedelta(0)
    if abs(jump) < TOLERANCE:
        jump = timedelta(0)
    ahead = _ahead(reading, jump, now)
    return Clock(jump, is_believed=ahead <= HARMLESS)


def _ahead(reading: ClockReading, jump: timedelta, now: datetime) -> timedelta:
    """How far the clock is ahead of the one that was believed."""
    is_over = reading.believed_at is not None and now >= reading.believed_at and not jump
    before = timedelta(0) if is_over else timedelta(seconds=reading.seconds_ahead)
    ahead = before + jump
    return ahead if ahead > TOLERANCE else timedelta(0)


async def _remember(session: AsyncSession, reading: ClockReading | None, jump: timedelta) -> None:
    now = clock.now()
    if reading is None:  # or another worker has begun at the same moment
        first = {"seen_at": now, "uptime": uptime(), "boot_id": boot_id(), "seconds_ahead": 0.0}
        insert = insert_into(session, ClockReading).values(id=1, **first)
        await session.execute(insert.on_conflict_do_nothing())
        return
    ahead = _ahead(reading, jump, now)
    reading.seconds_ahead = ahead.total_seconds()
    if jump > HARMLESS or (jump > timedelta(0) and reading.believed_at is None):
        reading.believed_at = now + BELIEVED_AFTER
    elif not ahead:
        reading.believed_at = None
    reading.seen_at, reading.uptime, reading.boot_id = now, uptime(), boot_id()


def uptime() -> float:
    """Seconds since the machine started, including those in which it was suspended."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def boot_id() -> str:
    with suppress(OSError):  # not on Linux
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return ""


def _words(jump: timedelta) -> str:
    return f"{'-' if jump < timedelta(0) else '+'}{timedelta(seconds=round(abs(jump.total_seconds())))}"


async def correct(db: Database, channels: Channels, *, is_back: bool) -> None:
    """Corrects times that are further ahead of the clock than they can be.

    `is_back`: the clock was ahead, and is right again. Otherwise it may be behind, and only short
    leases and pauses are corrected, which does no harm if it is.
    """
    for column, longest in _columns():
        if is_back or timedelta(0) < longest <= HARMLESS:
            await _limit(db, column, longest)
    await _reschedule_digests(db)
    for channel in channels.values():
        await _hurry(db, channel.name, channel.delay)


def _columns() -> Sequence[tuple[Column[Any], timedelta]]:
    """Each column with a moment, and how far ahead it may be."""
    rules = {column.property.columns[0]: longest for column, longest in AHEAD.items()}
    limits = [(column, rules.get(column, timedelta(0))) for column in moments()]
    return [(column, longest) for column, longest in limits if longest is not None]


def moments() -> Sequence[Column[Any]]:
    tables = orm_registry.metadata.sorted_tables
    return [
        each for table in tables for each in table.columns if isinstance(each.type, DateTimeUTC)
    ]


async def _limit(db: Database, column: Column[Any], longest: timedelta) -> None:
    latest = clock.now() + longest
    async with db.read() as session:  # holds up no writer
        if not (await session.execute(select(1).where(column > latest).limit(1))).first():
            return
    async with db.exclusive() as session:
        await session.execute(
            update(column.table).where(column > latest).values({column.name: latest})
        )


async def _reschedule_digests(db: Database) -> None:
    now = clock.now()
    is_late = or_(
        *(
            and_(User.digest_frequency == frequency, User.digest_due_at > now + longest)
            for frequency, longest in WEEK_OR_DAY.items()
        )
    )
    late = select(User).where(User.digest_is_on, is_late).limit(AT_ONCE)
    while True:
        async with db.act() as session:
            users = (await session.scalars(late)).all()
            for user in users:
                await digest.reschedule(session, user)
        if len(users) < AT_ONCE:
            return


async def _hurry(db: Database, channel: str, delay: timedelta) -> None:
    """Makes deliveries due that would wait longer than new ones: a pause that began while the clock
    was ahead cannot be distinguished from others. A claimed delivery comes due when its lease ends,
    unless its worker renews that.
    """
    now = clock.now()
    waits = and_(Delivery.channel == channel, is_pending, Delivery.bundling != "digest")
    unclaimed = and_(waits, Delivery.claimed_by.is_(None), Delivery.due_at > now + delay)
    claimed = and_(waits, Delivery.claimed_by.is_not(None), Delivery.due_at > now + claims.LEASE)
    async with db.act() as session:
        await session.execute(update(Delivery).where(unclaimed).values(due_at=now))
        await session.execute(update(Delivery).where(claimed).values(due_at=now + claims.LEASE))
