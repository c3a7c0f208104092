"""Reads the bells of many connected users at once; a page reads a single one (`inbox/bell.py`).

The facts that the notifications of an event share are read once for all its users.
"""

import logging
from collections import defaultdict
from collections.abc import Collection
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import Row, ScalarSelect, Select, and_, bindparam, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, aliased

from app.models import Event, Notification, User
from app.models.notification import FOR_GOOD
from app.notifications.events.notices import all_events
from app.notifications.inbox.feed import MOST_COUNTED, PER_PAGE, position_clause, shown, unread

# Beyond this many, a list of ids costs more than reading all recipients of the event.
MOST_IDS = 50
USERS_AT_ONCE = 5_000

# Includes deleted ones, which can be restored, but not hidden or withdrawn ones.
published = and_(~Notification.hidden, Notification.deleted_in.is_distinct_from(FOR_GOOD))

Statement = Select[*tuple[Any, ...]]

_log = logging.getLogger(__name__)


async def read_users(session: AsyncSession, users: Collection[int]) -> dict[int, Row[Any]]:
    """(id, language, timezone, unread, position) of those that exist; unread stops at 100."""
    rows = await session.execute(_users(), {"users": list(users)})
    return {row.id: row for row in rows}


async def read_newest(session: AsyncSession, users: Collection[int]) -> dict[int, list[Row[Any]]]:
    """(user_id, id, event_id, is_read) of each user's newest 20 notifications, newest first."""
    newest: defaultdict[int, list[Row[Any]]] = defaultdict(list)
    for row in await session.execute(_newest(), {"users": list(users)}):
        newest[row.user_id].append(row)
    for rows in newest.values():
        rows.sort(key=lambda row: -row.event_id)
    return newest


async def read_facts(session: AsyncSession, events: Collection[int]) -> list[Row[Any]]:
    """The rows of `all_events` for those events that exist and can be read."""
    if not events:
        return []
    try:
        return list(await session.execute(_facts(), {"events": list(events)}))
    except ValueError:  # a single context that is not JSON spoils the whole result
        if len(events) == 1:
            _report_unreadable(*events)
            return []
    each = [await read_facts(session, [one]) for one in events]
    return [row for rows in each for row in rows]


@lru_cache(1024)
def _report_unreadable(event_id: int) -> None:
    """Cached, so that each event is logged once."""
    _log.error("The context of the event at %s cannot be read.", event_id)


async def read_recipients(
    session: AsyncSession, event_id: int, connected: Collection[int], *, also_deleted: bool = False
) -> list[Row[Any]]:
    """(user_id, id, language, timezone, unread) of the event's recipients among `connected`."""
    if len(connected) <= MOST_IDS:
        values = {"event": event_id, "users": list(connected)}
        return list(await session.execute(_recipients_among(also_deleted), values))
    recipients = await session.execute(_recipients(also_deleted), {"event": event_id})
    return [row for row in recipients if row.user_id in connected]


async def read_unread(session: AsyncSession, users: Collection[int]) -> dict[int, int]:
    """How many unread notifications each user has, without a limit."""
    counts: dict[int, int] = {}
    everyone = list(users)
    for start in range(0, len(everyone), USERS_AT_ONCE):
        some = everyone[start : start + USERS_AT_ONCE]
        rows = await session.execute(_unread(), {"users": some})
        counts |= {row.id: row.unread for row in rows}
    return counts


@cache
def _users() -> Statement:
    return select(
        User.id,
        User.language,
        User.timezone,
        unread_of(User.id).label("unread"),
        position_clause(User.id).label("position"),  # type: ignore[arg-type]
    ).where(User.id.in_(bindparam("users", expanding=True)))


@cache
def _newest() -> Statement:
    own = aliased(Notification)
    newest = (
        select(own.id)
        .where(own.user_id == User.id, shown)
        .order_by(own.event_id.desc())
        .limit(PER_PAGE)
        .correlate(User)
    )
    return (
        select(
            Notification.user_id,
            Notification.id,
            Notification.event_id,
            Notification.read_at.is_not(None).label("is_read"),
        )
        .select_from(User)
        .join(Notification, Notification.id.in_(newest))
        .where(User.id.in_(bindparam("users", expanding=True)))
    )


@cache
def _facts() -> Statement:
    return all_events().where(Event.id.in_(bindparam("events", expanding=True)))


@cache
def _recipients(also_deleted: bool) -> Statement:
    return (
        select(
            Notification.user_id,
            Notification.id,
            User.language,
            User.timezone,
            unread_of(Notification.user_id).label("unread"),
        )
        .join(User, User.id == Notification.user_id)
        .where(Notification.event_id == bindparam("event"), published if also_deleted else shown)
    )


@cache
def _recipients_among(also_deleted: bool) -> Statement:
    among = Notification.user_id.in_(bindparam("users", expanding=True))
    return _recipients(also_deleted).where(among)


@cache
def _unread() -> Statement:
    counted = select(func.count()).select_from(Notification)
    own = counted.where(Notification.user_id == User.id, unread).scalar_subquery()
    return select(User.id, own.label("unread")).where(
        User.id.in_(bindparam("users", expanding=True))
    )


def unread_of(user_id: InstrumentedAttribute[int]) -> ScalarSelect[int]:
    """A subquery: unread notifications of the enclosing row's user; counting stops at 100."""
    own = aliased(Notification)
    rows = select(text("1")).select_from(own).where(own.user_id == user_id, unread)
    counted = rows.limit(MOST_COUNTED).correlate(user_id.class_).subquery()
    return select(func.count()).select_from(counted).scalar_subquery()
