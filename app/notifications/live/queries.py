"""Queries about many connected users, in short statements for some of them at a time. A page reads
its own bell by `inbox/bell.py`.

The facts that the notifications of an event share are read once for all its users.
"""

import logging
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from functools import cache, lru_cache
from operator import attrgetter
from typing import Any

from sqlalchemy import Row, ScalarSelect, Select, and_, bindparam, func, or_, select, text
from sqlalchemy.orm import InstrumentedAttribute, aliased

from app.database import Database
from app.database.id_lists import ids_in
from app.models import Event, Notification, User
from app.models.notification import FOR_GOOD, IN_INBOX
from app.notifications.events.grouping import is_ungrouped
from app.notifications.events.notices import all_events
from app.notifications.inbox.feed import MOST_COUNTED, PER_PAGE, in_inbox, position_clause, unread

# Such a batch takes one or two milliseconds, during which the process serves no other request.
USERS_AT_ONCE = 250

# Includes deleted ones, which can be restored, but not hidden or withdrawn ones.
published = and_(~Notification.hidden, Notification.changed_in.is_distinct_from(FOR_GOOD))

Statement = Select[*tuple[Any, ...]]
Rows = Sequence[Row[*tuple[Any, ...]]]

_log = logging.getLogger(__name__)


async def read_positions(db: Database, users: Collection[int]) -> dict[int, int]:
    """The position of the last change to each user's notifications, for those that exist."""
    return {row.id: row.position for row in await db.fetch(_positions(), users=users)}


async def read_bells(db: Database, users: Collection[int]) -> dict[int, Rows]:
    """The bell of each user that exists, with the newest 20 notifications, newest first.

    Rows (user_id, language, timezone, unread, position, id, event_id, sort_key, is_read, is_arranged),
    those from `id` to `is_read` None in the only row of a user who has none, or whose list only
    the server can arrange (`Bell.is_arranged`). `unread` stops at 100. One statement, so that count,
    position and notifications agree.
    """
    bells: defaultdict[int, list[Row[*tuple[Any, ...]]]] = defaultdict(list)
    for row in await db.fetch(_bells(), users=users):
        bells[row.user_id].append(row)
    for rows in bells.values():
        rows.sort(key=attrgetter("sort_key", "id"), reverse=True)
    return dict(bells)


async def read_events(db: Database, events: Collection[int]) -> list[Row[Any]]:
    """The rows of `all_events` for those events that exist and can be read."""
    if not events:
        return []
    try:
        return list(await db.fetch(_facts(), events=events))
    except ValueError:  # a single context that is not JSON spoils the whole result
        if len(events) == 1:
            _report_unreadable(*events)
            return []
    each = [await read_events(db, [one]) for one in events]
    return [row for rows in each for row in rows]


@lru_cache(1024)
def _report_unreadable(event_id: int) -> None:
    """Cached, so that each event is logged once."""
    _log.error("The context of the event at %s cannot be read.", event_id)


async def read_languages(db: Database, users: Collection[int]) -> dict[int, str]:
    """The languages of those users that exist."""
    return {row.id: row.language for row in await db.fetch(_languages(), users=users)}


async def read_unread(db: Database, users: Collection[int]) -> dict[int, int]:
    """How many unread notifications each user has, without a limit."""
    counts: dict[int, int] = {}
    for some in in_parts(users, USERS_AT_ONCE):
        counts |= {row.id: row.unread for row in await db.fetch(_unread(), users=some)}
    return counts


async def read_recipients(db: Database, event_id: int) -> Rows:
    """Rows (user_id, id, language, timezone, unread, is_shown, is_ungrouped) of at most USERS_AT_ONCE
    recipients; `unread` stops at 100, and `is_shown` is false for notifications that could be restored.
    """
    return await db.fetch(_recipients(), event=event_id)


async def read_recipients_among(db: Database, event_id: int, users: Collection[int]) -> Rows:
    """As `read_recipients`, of these users."""
    return await db.fetch(_recipients_among(), event=event_id, users=users)


def in_parts(users: Collection[int], most: int) -> Iterator[Sequence[int]]:
    listed = list(users)
    return (listed[start : start + most] for start in range(0, len(listed), most))


@cache
def _positions() -> Statement:
    position: Any = position_clause(User.id)  # type: ignore[arg-type]
    return select(User.id, position.label("position")).where(User.id.in_(ids_in("users")))


@cache
def _bells() -> Statement:
    """Materialized, or SQLite would count a user's unread notifications for each row again."""
    position: Any = position_clause(User.id)  # type: ignore[arg-type]
    user = (
        select(
            User.id,
            User.language,
            User.timezone,
            or_(User.grouping, User.urgent_first).label("is_arranged"),
            unread_of(User.id).label("unread"),
            position.label("position"),
        )
        .where(User.id.in_(ids_in("users")))
        .cte("reader")
        .prefix_with("MATERIALIZED")
    )
    own = aliased(Notification)
    newest = (
        select(own.id)
        .where(own.user_id == user.c.id, ~user.c.is_arranged, in_inbox)
        .order_by(own.position.desc(), own.id.desc())
        .limit(PER_PAGE)
        .correlate(user)
    )
    return select(
        user.c.id.label("user_id"),
        user.c.language,
        user.c.timezone,
        user.c.unread,
        user.c.position,
        Notification.id,
        Notification.event_id,
        Notification.position.label("sort_key"),
        Notification.read_at.is_not(None).label("is_read"),
        user.c.is_arranged,
    ).join_from(user, Notification, Notification.id.in_(newest), isouter=True)


@cache
def _facts() -> Statement:
    return all_events().where(Event.id.in_(ids_in("events")))


@cache
def _languages() -> Statement:
    return select(User.id, User.language).where(User.id.in_(ids_in("users")))


@cache
def _recipients() -> Statement:
    return _of_event().limit(USERS_AT_ONCE)


@cache
def _recipients_among() -> Statement:
    return _of_event().where(Notification.user_id.in_(ids_in("users")))


def _of_event() -> Statement:
    return (
        select(
            Notification.user_id,
            Notification.id,
            User.language,
            User.timezone,
            unread_of(Notification.user_id).label("unread"),
            and_(Notification.deleted_at.is_(None), Notification.folder == IN_INBOX).label(
                "is_shown"
            ),
            is_ungrouped(Notification.user_id, Notification.type).label("is_ungrouped"),
        )
        .join(User, User.id == Notification.user_id)
        .where(
            Notification.event_id == bindparam("event"),
            # A notification that was updated by this event is published by its own change.
            Notification.updated_at.is_(None),
            published,
        )
    )


@cache
def _unread() -> Statement:
    counted = select(func.count()).select_from(Notification)
    own = counted.where(Notification.user_id == User.id, unread).scalar_subquery()
    return select(User.id, own.label("unread")).where(User.id.in_(ids_in("users")))


def unread_of(user_id: InstrumentedAttribute[int]) -> ScalarSelect[int]:
    """A subquery: unread notifications of the enclosing row's user; counting stops at 100."""
    own = aliased(Notification)
    rows = select(text("1")).select_from(own).where(own.user_id == user_id, unread)
    counted = rows.limit(MOST_COUNTED).correlate(user_id.class_).subquery()
    return select(func.count()).select_from(counted).scalar_subquery()
