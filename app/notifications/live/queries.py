"""The present bells of many people, for those who are connected; a page reads one (`bell.py`).

What the notices of an event have in common is read once, however many people have one.
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

# From here on, naming the connected costs more than reading all who were told.
MOST_NAMED = 50
PEOPLE_AT_ONCE = 5_000

# Also what is deleted and may be brought back; but nothing that was withdrawn.
reported = and_(~Notification.hidden, Notification.deleted_in.is_distinct_from(FOR_GOOD))

Statement = Select[*tuple[Any, ...]]

_log = logging.getLogger(__name__)


async def read_people(session: AsyncSession, people: Collection[int]) -> dict[int, Row[Any]]:
    """(id, language, timezone, unread, position) of those who are there; unread is capped."""
    rows = await session.execute(_people(), {"people": list(people)})
    return {row.id: row for row in rows}


async def read_newest(session: AsyncSession, people: Collection[int]) -> dict[int, list[Row[Any]]]:
    """(user_id, id, event_id, is_read) of everybody's newest 20 notices, the newest first."""
    newest: defaultdict[int, list[Row[Any]]] = defaultdict(list)
    for row in await session.execute(_newest(), {"people": list(people)}):
        newest[row.user_id].append(row)
    for rows in newest.values():
        rows.sort(key=lambda row: -row.event_id)
    return newest


async def read_facts(session: AsyncSession, events: Collection[int]) -> list[Row[Any]]:
    """What all notices of an event have in common, of those events that are there and readable."""
    if not events:
        return []
    try:
        return list(await session.execute(_facts(), {"events": list(events)}))
    except ValueError:  # one whose context is no JSON spoils the whole answer
        if len(events) == 1:
            _report(*events)
            return []
    each = [await read_facts(session, [one]) for one in events]
    return [row for rows in each for row in rows]


@lru_cache(1024)
def _report(event_id: int) -> None:
    """Once is enough."""
    _log.error("The facts of the event at %s cannot be read.", event_id)


async def read_told(
    session: AsyncSession, event_id: int, connected: Collection[int], *, also_deleted: bool = False
) -> list[Row[Any]]:
    """(user_id, id, language, timezone, unread) of the connected who were told of the event."""
    if len(connected) <= MOST_NAMED:
        named = {"event": event_id, "people": list(connected)}
        return list(await session.execute(_told_of(also_deleted), named))
    told = await session.execute(_told(also_deleted), {"event": event_id})
    return [row for row in told if row.user_id in connected]


async def read_unread(session: AsyncSession, people: Collection[int]) -> dict[int, int]:
    """How many notices each has not read, all of them counted."""
    counts: dict[int, int] = {}
    everybody = list(people)
    for start in range(0, len(everybody), PEOPLE_AT_ONCE):
        some = everybody[start : start + PEOPLE_AT_ONCE]
        rows = await session.execute(_unread(), {"people": some})
        counts |= {row.id: row.unread for row in rows}
    return counts


@cache
def _people() -> Statement:
    return select(
        User.id,
        User.language,
        User.timezone,
        unread_of(User.id).label("unread"),
        position_clause(User.id).label("position"),  # type: ignore[arg-type]
    ).where(User.id.in_(bindparam("people", expanding=True)))


@cache
def _newest() -> Statement:
    mine = aliased(Notification)
    newest = (
        select(mine.id)
        .where(mine.user_id == User.id, shown)
        .order_by(mine.event_id.desc())
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
        .where(User.id.in_(bindparam("people", expanding=True)))
    )


@cache
def _facts() -> Statement:
    return all_events().where(Event.id.in_(bindparam("events", expanding=True)))


@cache
def _told(also_deleted: bool) -> Statement:
    return (
        select(
            Notification.user_id,
            Notification.id,
            User.language,
            User.timezone,
            unread_of(Notification.user_id).label("unread"),
        )
        .join(User, User.id == Notification.user_id)
        .where(Notification.event_id == bindparam("event"), reported if also_deleted else shown)
    )


@cache
def _told_of(also_deleted: bool) -> Statement:
    return _told(also_deleted).where(Notification.user_id.in_(bindparam("people", expanding=True)))


@cache
def _unread() -> Statement:
    counted = select(func.count()).select_from(Notification)
    of_theirs = counted.where(Notification.user_id == User.id, unread).scalar_subquery()
    return select(User.id, of_theirs.label("unread")).where(
        User.id.in_(bindparam("people", expanding=True))
    )


def unread_of(user_id: InstrumentedAttribute[int]) -> ScalarSelect[int]:
    """How many notices the person of the enclosing row has not read; counting stops at 100."""
    mine = aliased(Notification)
    rows = select(text("1")).select_from(mine).where(mine.user_id == user_id, unread)
    counted = rows.limit(MOST_COUNTED).correlate(user_id.class_).subquery()
    return select(func.count()).select_from(counted).scalar_subquery()
