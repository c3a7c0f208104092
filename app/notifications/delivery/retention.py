"""Retention: how long rows are kept. Unread, saved and snoozed notifications are never removed."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute

from app import clock
from app.database import Database
from app.mail.limits import KEPT as MAILINGS_KEPT
from app.models import (
    Change,
    CleanUp,
    Delivery,
    Event,
    Mailing,
    Notification,
    RemovedDevice,
    Superseded,
)
from app.models.notification import SNOOZED
from app.notifications.events.positions import CHANGES_KEPT
from app.notifications.inbox.acts import UNDO_FOR

# A batch keeps the write lock for a few milliseconds; other writers can write in between.
BATCH = 500
RUNS_KEPT = timedelta(days=90)
# After this long without a visit, a browser's subscription has expired by itself.
REMOVALS_KEPT = timedelta(days=90)


async def clean_up(db: Database, retention_days: int) -> dict[str, int]:
    """Remove notifications read, and transactional messages settled, more than `retention_days`
    ago; changes older than 7 days; and events of that age without a notification.

    Returns how many of each, and keeps the numbers for administrators.
    """
    now = clock.now()
    expired = clock.days_ago(retention_days)
    removed = {
        "notifications": await _remove(db, Notification, _notifications_read_before(expired)),
        "deleted": await purge_deleted(db),
        "transactional": await _remove(db, Delivery, _transactional_settled_before(expired)),
        "changes": await _remove_before(db, Change.created_at, now - CHANGES_KEPT),
        "events": await _remove(db, Event, _events_without_notification(now - CHANGES_KEPT)),
    }
    await _remove_before(db, CleanUp.finished_at, now - RUNS_KEPT)
    await _remove_before(db, RemovedDevice.removed_at, now - REMOVALS_KEPT)
    await _remove_before(db, Mailing.mailed_at, now - MAILINGS_KEPT)
    async with db.write() as session:
        session.add(CleanUp(removed=removed))
    return removed


def _notifications_read_before(limit: datetime) -> Select[int]:
    return select(Notification.id).where(
        Notification.read_at < limit,
        Notification.deleted_at.is_(None),
        Notification.folder != SNOOZED,
        ~Notification.is_saved,
    )


def _transactional_settled_before(limit: datetime) -> Select[int]:
    return select(Delivery.id).where(
        Delivery.notification_id.is_(None), Delivery.settled_at < limit
    )


def _events_without_notification(limit: datetime) -> Select[int]:
    """Created before `limit`, and in the history of no notification either."""
    return select(Event.id).where(
        Event.created_at < limit,
        ~select(Notification.id).where(Notification.event_id == Event.id).exists(),
        ~select(Superseded.id).where(Superseded.event_id == Event.id).exists(),
    )


async def purge_deleted(db: Database) -> int:
    """Permanently remove notifications that were deleted too long ago to be restored."""
    return await _remove_before(db, Notification.deleted_at, clock.now() - UNDO_FOR)


async def _remove_before(db: Database, moment: InstrumentedAttribute[Any], limit: datetime) -> int:
    model: type[Any] = moment.class_  # type: ignore[assignment]
    return await _remove(db, model, select(model.id).where(moment < limit))


async def _remove(db: Database, model: type[DeclarativeBase], which: Select[int]) -> int:
    removed = 0
    table = model.__table__
    while True:
        async with db.exclusive() as session:
            batch = delete(table).where(table.c.id.in_(which.limit(BATCH)))  # type: ignore[arg-type]
            count = (await session.execute(batch)).rowcount  # type: ignore[attr-defined]
        removed += count
        if count < BATCH:
            return int(removed)
        await asyncio.sleep(0.01)
