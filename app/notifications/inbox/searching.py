"""Carries out a search: finds the newest notifications that match, once for all that a page needs.

A word may be in a hundred thousand notifications or in one, and no database knows which: SQLite keeps
no statistics of words, and PostgreSQL none of what words begin with. So this looks at the newest
events that match, which are usually all or enough, and walks along the notifications where they are
not.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property, lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Integer,
    Row,
    Select,
    String,
    bindparam,
    cast,
    func,
    literal,
    literal_column,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.database import Database
from app.database.short_reads import execute_aside
from app.models import Notification
from app.notifications.inbox.feed import NEWEST_FIRST
from app.notifications.inbox.filters import Filter, FilterKey
from app.notifications.inbox.totals import reading
from app.notifications.search.index import (
    completions_of,
    is_found,
    newest_events_found,
    parameters_of,
)
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
STATEMENTS_KEPT = 100
# An expression, for which no index is used, so that the walk goes along the positions.
_WALKED: ColumnElement[int] = literal_column("+notification.event_id")
# As a parameter, it would be written into the statement anew each time that this runs.
_COMMA: Any = literal_column("','")

Found = Sequence[tuple[int, int]]


def reading_search(
    db: Database, wanted: Filter, first: int
) -> AbstractAsyncContextManager[AsyncSession]:
    """For `narrow`, and the totals and a slice of what that finds, which take no longer than those of
    the whole inbox.
    """
    return db.short_read() if wanted.search.texts else reading(db, wanted, first)


async def narrow(session: AsyncSession, wanted: Filter) -> Filter:
    """The filter with the newest MOST_FOUND of what its search finds; itself if it has no search."""
    if not wanted.search.texts:
        return wanted
    found = await _find(await _Search.of(session, wanted))
    return replace(wanted, found=tuple(id_ for _position, id_ in found))


@dataclass(frozen=True)
class _Search:
    session: AsyncSession
    query: Query
    statements: "_Statements"
    values: Mapping[str, Any]

    @classmethod
    async def of(cls, session: AsyncSession, wanted: Filter) -> "_Search":
        today = clock.now().astimezone(wanted.zone).date()
        others = wanted.without_words()
        statements = _statements(others.key, wanted.zone, wanted.up_to_position, today)
        completions = await completions_of(session, wanted.search)
        queries = parameters_of(wanted.search, wanted.user_id, completions)
        values = {"user_id": wanted.user_id, "most_found": MOST_FOUND, **queries}
        return cls(session, wanted.search, statements, values)

    async def row(self, statement: Select[*tuple[Any, ...]], **values: int) -> Row[Any]:
        [row] = await execute_aside(self.session, statement, {**self.values, **values})
        return row


async def _find(search: _Search) -> Found:
    """The position and the id of each, newest first."""
    is_postgresql = search.session.get_bind().dialect.name == "postgresql"
    if is_postgresql and _is_short(search.query):
        found = await _find_among_newest_rows(search)
        if found is not None:
            return found
    events = FIRST_EVENTS
    while events <= MOST_EVENTS:
        row = await search.row(search.statements.among_newest_events, most=events)
        found = _found(row)
        if await _is_complete(search, row, found, events):
            return found
        events = _more(events, len(found))
    return _found(await search.row(search.statements.on_walk))


def _is_short(search: Query) -> bool:
    wanted = [term.phrase for term in search.texts if not term.is_excluded]
    return bool(wanted) and all(
        one.is_open and len(one.words) == 1 and len(one.words[0]) <= SHORT for one in wanted
    )


async def _find_among_newest_rows(search: _Search) -> Found | None:
    """None if there would be more than MOST_ROWS to look at."""
    rows = FIRST_ROWS
    while rows <= MOST_ROWS:
        row = await search.row(search.statements.among_newest_rows, most=rows)
        found = _found(row)
        if len(found) == MOST_FOUND or row.looked_at < rows:
            return found
        rows = _enough(rows, len(found))
    return None


def _found(row: Row[Any]) -> Found:
    """Sorted here: SQLite promises no order of what it joins (before 3.44, it knows none)."""
    numbers = msgspec.json.decode(f"[{row.found or ''}]", type=list[int])
    return sorted(zip(numbers[::2], numbers[1::2], strict=True), reverse=True)


async def _is_complete(search: _Search, row: Row[Any], found: Found, events: int) -> bool:
    """Whether no older event than these has a notification that belongs to the result."""
    if row.looked_at < events:
        return True
    if len(found) < MOST_FOUND:
        return False
    # Older events stand below, except where a notification of one came back to the top.
    [lowest, _id] = found[-1]
    above = await search.row(search.statements.come_back, lowest=lowest, oldest=row.oldest)
    return not above.has_come_back


def _more(events: int, found: int) -> int:
    """How many events to look at next; beyond MOST_EVENTS where so many were looked at."""
    return MOST_EVENTS + 1 if events == MOST_EVENTS else min(_enough(events, found), MOST_EVENTS)


def _enough(looked_at: int, found: int) -> int:
    """How many may be enough if as many of them are found as of these."""
    enough = MOST_FOUND * looked_at * 5 // (4 * found) if found else MOST_EVENTS
    return max(enough, 2 * looked_at)


@lru_cache(STATEMENTS_KEPT)
def _statements(
    chosen: FilterKey, zone: ZoneInfo, up_to_position: int | None, _today: date
) -> "_Statements":
    """For any words and any user. A new day has new ones: it decides what the last week is."""
    return _Statements(Filter(dict(chosen), zone, up_to_position))


class _Statements:
    """Of the searches among some notifications. Each is built once: that takes as long as to run it.
    Each has one row: a thousand take longer to read, and wait for other threads a thousand times.
    """

    def __init__(self, others: Filter) -> None:
        self._others = others

    @cached_property
    def among_newest_rows(self) -> Select[*tuple[Any, ...]]:
        newest = self._rows(Notification.id, Notification.position, Notification.event_id)
        looked_at = _looked_at(newest.order_by(*NEWEST_FIRST).limit(_most))
        columns = looked_at.c
        found = (
            select(columns.id, columns.position)
            .where(is_found(columns.event_id))
            .order_by(columns.position.desc(), columns.id.desc())
        )
        return _beside_counts(looked_at, found)

    @cached_property
    def among_newest_events(self) -> Select[*tuple[Any, ...]]:
        looked_at = _looked_at(newest_events_found(_most))
        found = (
            self._rows(Notification.id, Notification.position)
            .where(Notification.event_id.in_(select(looked_at.c.event_id)))
            .order_by(*NEWEST_FIRST)
        )
        return _beside_counts(looked_at, found)

    @cached_property
    def come_back(self) -> Select[*tuple[Any, ...]]:
        above = Notification.position >= bindparam("lowest")
        rows = self._rows(literal(1)).where(above, bindparam("oldest", type_=BigInteger) > _WALKED)
        return select(rows.exists().label("has_come_back"))

    @cached_property
    def on_walk(self) -> Select[*tuple[Any, ...]]:
        """Along all notifications, newest first, until there are enough."""
        rows = self._rows(Notification.id, Notification.position)
        found = rows.where(is_found(Notification.event_id)).order_by(*NEWEST_FIRST)
        return _joined(found)

    def _rows(self, *columns: Any) -> Select[*tuple[Any, ...]]:
        """The user's notifications that match all but the words."""
        rows = select(*columns).select_from(Notification)
        return rows.where(Notification.user_id == bindparam("user_id"), *self._others.clauses())


_most: Any = bindparam("most", type_=Integer)


def _looked_at(rows: Select[Any]) -> CTE:
    return rows.cte("looked_at").prefix_with("MATERIALIZED")


def _beside_counts(looked_at: CTE, found: Select[Any]) -> Select[*tuple[Any, ...]]:
    """What was found, beside the number of what was looked at and its oldest event."""
    counts = select(
        func.count().label("looked_at"), func.min(looked_at.c.event_id).label("oldest")
    ).subquery("counts")
    joined = _joined(found).subquery("joined")
    return select(*counts.c, *joined.c).join_from(counts, joined, literal(True))


def _joined(found: Select[Any]) -> Select[str]:
    """The position and the id of each of the first MOST_FOUND, one after the other."""
    rows = found.limit(bindparam("most_found", type_=Integer)).subquery("found")
    position, id_ = (cast(one, String) for one in (rows.c.position, rows.c.id))
    both = position.concat(_COMMA).concat(id_)
    return select(func.aggregate_strings(both, _COMMA).label("found"))
