"""Carries out a search: finds the newest notifications that match, once for all that a page needs.

A word may be in a hundred thousand notifications or in one, and no database knows which: SQLite keeps
no statistics of words, and PostgreSQL none of what words begin with. So this looks at the newest
events that match, which are usually all or enough, and walks along the notifications where they are
not.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Row,
    Select,
    String,
    cast,
    func,
    literal,
    literal_column,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Notification
from app.notifications.inbox.feed import NEWEST_FIRST
from app.notifications.inbox.filters import Filter
from app.notifications.search.index import is_found, newest_events_found
from app.notifications.search.query import Query

MOST_FOUND = 1_000
# Looked up one by one, they take some three and some twenty milliseconds; a walk takes fifty.
FIRST_EVENTS = 1_200
MOST_EVENTS = 15_000
# What begins with one letter or two is found in most notifications, but not quickly in PostgreSQL's
# index, which has every such word by itself.
SHORT = 2
FIRST_ROWS = 2_000
MOST_ROWS = 8_000
# An expression, for which no index is used, so that the walk goes along the positions.
_WALKED: ColumnElement[int] = literal_column("+notification.event_id")


async def narrow(session: AsyncSession, wanted: Filter) -> Filter:
    """The filter with the newest MOST_FOUND of what its search finds; itself if it has no search."""
    if not wanted.search.texts:
        return wanted
    return replace(wanted, found=tuple(await _find(session, wanted)))


async def _find(session: AsyncSession, wanted: Filter) -> Sequence[int]:
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    if is_postgresql and _is_short(wanted.search):
        found = await _find_among_newest_rows(session, wanted)
        if found is not None:
            return found
    events = FIRST_EVENTS
    while events <= MOST_EVENTS:
        row = (await session.execute(_among_newest_events(wanted, events))).one()
        found = _ids(row)
        if await _is_complete(session, wanted, row, len(found), events):
            return found
        events = _more(events, len(found))
    return await _find_on_walk(session, wanted)


def _is_short(search: Query) -> bool:
    wanted = [term.phrase for term in search.texts if not term.is_excluded]
    return bool(wanted) and all(
        one.is_open and len(one.words) == 1 and len(one.words[0]) <= SHORT for one in wanted
    )


async def _find_among_newest_rows(session: AsyncSession, wanted: Filter) -> Sequence[int] | None:
    """None if there would be more than MOST_ROWS to look at."""
    rows = FIRST_ROWS
    while rows <= MOST_ROWS:
        row = (await session.execute(_among_newest_rows(wanted, rows))).one()
        found = _ids(row)
        if len(found) == MOST_FOUND or row.looked_at < rows:
            return found
        rows = _enough(rows, len(found))
    return None


def _among_newest_rows(wanted: Filter, most: int) -> Select[*tuple[Any, ...]]:
    newest = _others(wanted, Notification.id, Notification.position, Notification.event_id)
    looked_at = _looked_at(newest.order_by(*NEWEST_FIRST).limit(most))
    columns = looked_at.c
    found = (
        select(columns.id, columns.position)
        .where(is_found(wanted.search, wanted.user_id, columns.event_id))
        .order_by(columns.position.desc(), columns.id.desc())
    )
    return _beside_counts(looked_at, found)


def _among_newest_events(wanted: Filter, most: int) -> Select[*tuple[Any, ...]]:
    looked_at = _looked_at(newest_events_found(wanted.search, wanted.user_id, most))
    found = (
        _others(wanted, Notification.id, Notification.position)
        .where(Notification.event_id.in_(select(looked_at.c.event_id)))
        .order_by(*NEWEST_FIRST)
    )
    return _beside_counts(looked_at, found)


def _looked_at(rows: Select[Any]) -> CTE:
    return rows.cte("looked_at").prefix_with("MATERIALIZED")


def _beside_counts(looked_at: CTE, found: Select[Any]) -> Select[*tuple[Any, ...]]:
    """One row: the ids of what was found, in its order, and the lowest position of them, beside the
    number of what was looked at and its oldest event. A thousand rows take longer to read.
    """
    counts = select(
        func.count().label("looked_at"), func.min(looked_at.c.event_id).label("oldest")
    ).subquery("counts")
    rows = found.limit(MOST_FOUND).subquery("found")
    joined = select(
        func.aggregate_strings(cast(rows.c.id, String), ",").label("ids"),
        func.min(rows.c.position).label("lowest"),
    ).subquery("joined")
    return select(counts, joined).join_from(counts, joined, literal(True))


def _ids(row: Row[Any]) -> list[int]:
    return [int(one) for one in row.ids.split(",")] if row.ids else []


async def _is_complete(
    session: AsyncSession, wanted: Filter, row: Row[Any], found: int, events: int
) -> bool:
    """Whether no older event than these has a notification that belongs to the result."""
    if row.looked_at < events:
        return True
    if found < MOST_FOUND:
        return False
    # Older events stand below, except where a notification of one came back to the top.
    above = Notification.position >= row.lowest
    come_back = _others(wanted, literal(1)).where(above, row.oldest > _WALKED)
    return await session.scalar(come_back.limit(1)) is None


def _more(events: int, found: int) -> int:
    """How many events to look at next; beyond MOST_EVENTS where so many were looked at."""
    return MOST_EVENTS + 1 if events == MOST_EVENTS else min(_enough(events, found), MOST_EVENTS)


def _enough(looked_at: int, found: int) -> int:
    """How many may be enough if as many of them are found as of these."""
    enough = MOST_FOUND * looked_at * 5 // (4 * found) if found else MOST_EVENTS
    return max(enough, 2 * looked_at)


async def _find_on_walk(session: AsyncSession, wanted: Filter) -> Sequence[int]:
    """Along all notifications, newest first, until there are enough."""
    is_wanted = is_found(wanted.search, wanted.user_id, Notification.event_id)
    rows = _others(wanted, Notification.id).where(is_wanted).order_by(*NEWEST_FIRST)
    return (await session.scalars(rows.limit(MOST_FOUND))).all()


def _others(wanted: Filter, *columns: Any) -> Select[*tuple[Any, ...]]:
    """The user's notifications that match all but the words."""
    mine = Notification.user_id == wanted.user_id
    return select(*columns).select_from(Notification).where(mine, *wanted.clauses(with_words=False))
