"""Carries out a search: finds the newest MOST_FOUND notifications that match, for one request.

`narrow` puts their ids into the filter, from which count and page are then read. Nothing is kept
between requests except the statements.

A word may be in one notification or in a hundred thousand, and the planner cannot tell: SQLite keeps
no statistics of words, PostgreSQL none of prefixes. So the search takes the newest matching events
from the text index, as many as are likely to suffice, and looks up their notifications. If these are
too few and MOST_EVENTS is reached, it scans the user's notifications, newest first, and tests each
against the text index. On PostgreSQL, a search for very short prefixes tries the newest notifications
first.
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
# Matching events to look up at first and at most. This takes about 3 and 20 ms; a full scan takes 50.
FIRST_EVENTS = 1_200
MOST_EVENTS = 15_000
# Most notifications contain a word with such a short prefix, but PostgreSQL's index is slow to find it,
# because it reads the entry of every word with that prefix.
SHORT = 2
FIRST_ROWS = 2_000
MOST_ROWS = 8_000
STATEMENTS_KEPT = 100
# An expression cannot use an index of the column, so the scan follows the positions.
_SCANNED: ColumnElement[int] = literal_column("+notification.event_id")
# As a parameter, it would be rendered into the statement each time.
_COMMA: Any = literal_column("','")

Matches = Sequence[tuple[int, int]]


def reading_search(
    db: Database, wanted: Filter, first: int
) -> AbstractAsyncContextManager[AsyncSession]:
    """A session for `narrow`, and for the totals and rows of what it finds: a short read for a search,
    because the rest is then limited to MOST_FOUND ids.
    """
    return db.short_read() if wanted.search.texts else reading(db, wanted, first)


async def narrow(session: AsyncSession, wanted: Filter) -> Filter:
    """The filter with the ids of the newest MOST_FOUND matches of its search; unchanged without one."""
    if not wanted.search.texts:
        return wanted
    found = await _find_newest(await _Search.of(session, wanted))
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


async def _find_newest(search: _Search) -> Matches:
    """The (position, id) of each match, newest first."""
    is_postgresql = search.session.get_bind().dialect.name == "postgresql"
    if is_postgresql and _is_short(search.query):
        found = await _find_among_newest_rows(search)
        if found is not None:
            return found
    events = FIRST_EVENTS
    while events <= MOST_EVENTS:
        row = await search.row(search.statements.among_newest_events, most=events)
        found = _decode(row)
        if await _is_complete(search, row, found, events):
            return found
        events = _next_number_of_events(events, len(found))
    return _decode(await search.row(search.statements.by_scanning))


def _is_short(search: Query) -> bool:
    wanted = [term.phrase for term in search.texts if not term.is_excluded]
    return bool(wanted) and all(
        one.is_open and len(one.words) == 1 and len(one.words[0]) <= SHORT for one in wanted
    )


async def _find_among_newest_rows(search: _Search) -> Matches | None:
    """None if the newest MOST_ROWS notifications do not suffice."""
    rows = FIRST_ROWS
    while rows <= MOST_ROWS:
        row = await search.row(search.statements.among_newest_rows, most=rows)
        found = _decode(row)
        if len(found) == MOST_FOUND or row.looked_at < rows:
            return found
        rows = _extrapolate(rows, len(found))
    return None


def _decode(row: Row[Any]) -> Matches:
    """Sorted here, because SQLite's group_concat has no defined order (and before 3.44, no ORDER BY)."""
    numbers = msgspec.json.decode(f"[{row.found or ''}]", type=list[int])
    return sorted(zip(numbers[::2], numbers[1::2], strict=True), reverse=True)


async def _is_complete(search: _Search, row: Row[Any], found: Matches, events: int) -> bool:
    """Whether no older event has a notification among the newest MOST_FOUND matches."""
    if row.looked_at < events:
        return True
    if len(found) < MOST_FOUND:
        return False
    # Notifications of older events are further down, unless they came back to the top.
    [lowest, _id] = found[-1]
    above = await search.row(search.statements.come_back, lowest=lowest, oldest=row.oldest)
    return not above.has_come_back


def _next_number_of_events(events: int, found: int) -> int:
    """How many events to look up next; more than MOST_EVENTS after MOST_EVENTS."""
    if events == MOST_EVENTS:
        return MOST_EVENTS + 1
    return min(_extrapolate(events, found), MOST_EVENTS)


def _extrapolate(looked_at: int, found: int) -> int:
    """Extrapolates from the hit rate how many rows to read next, with a quarter to spare."""
    enough = MOST_FOUND * looked_at * 5 // (4 * found) if found else MOST_EVENTS
    return max(enough, 2 * looked_at)


@lru_cache(STATEMENTS_KEPT)
def _statements(
    chosen: FilterKey, zone: ZoneInfo, up_to_position: int | None, _today: date
) -> "_Statements":
    """For any words and any user. Not for another day, because "the last week" depends on it."""
    return _Statements(Filter(dict(chosen), zone, up_to_position))


class _Statements:
    """The statements of all searches with the same other conditions.

    Each is built once, because building it takes as long as running it. Each returns one row, because
    a thousand take longer to read and may wait for another thread a thousand times.
    """

    def __init__(self, others: Filter) -> None:
        self._others = others

    @cached_property
    def among_newest_rows(self) -> Select[*tuple[Any, ...]]:
        newest = self._rows(Notification.id, Notification.position, Notification.event_id)
        looked_at = _materialized(newest.order_by(*NEWEST_FIRST).limit(_most))
        columns = looked_at.c
        found = (
            select(columns.id, columns.position)
            .where(is_found(columns.event_id))
            .order_by(columns.position.desc(), columns.id.desc())
        )
        return _beside_counts(looked_at, found)

    @cached_property
    def among_newest_events(self) -> Select[*tuple[Any, ...]]:
        looked_at = _materialized(newest_events_found(_most))
        found = (
            self._rows(Notification.id, Notification.position)
            .where(Notification.event_id.in_(select(looked_at.c.event_id)))
            .order_by(*NEWEST_FIRST)
        )
        return _beside_counts(looked_at, found)

    @cached_property
    def come_back(self) -> Select[*tuple[Any, ...]]:
        above = Notification.position >= bindparam("lowest")
        rows = self._rows(literal(1)).where(above, bindparam("oldest", type_=BigInteger) > _SCANNED)
        return select(rows.exists().label("has_come_back"))

    @cached_property
    def by_scanning(self) -> Select[*tuple[Any, ...]]:
        """Scans all notifications, newest first, until there are enough."""
        rows = self._rows(Notification.id, Notification.position)
        found = rows.where(is_found(Notification.event_id)).order_by(*NEWEST_FIRST)
        return _in_one_text(found)

    def _rows(self, *columns: Any) -> Select[*tuple[Any, ...]]:
        """The user's notifications that meet all conditions but the words."""
        rows = select(*columns).select_from(Notification)
        return rows.where(Notification.user_id == bindparam("user_id"), *self._others.clauses())


_most: Any = bindparam("most", type_=Integer)


def _materialized(rows: Select[Any]) -> CTE:
    return rows.cte("looked_at").prefix_with("MATERIALIZED")


def _beside_counts(looked_at: CTE, found: Select[Any]) -> Select[*tuple[Any, ...]]:
    """One row: the matches, the number of rows that were looked at, and the oldest of their events."""
    counts = select(
        func.count().label("looked_at"), func.min(looked_at.c.event_id).label("oldest")
    ).subquery("counts")
    joined = _in_one_text(found).subquery("joined")
    return select(*counts.c, *joined.c).join_from(counts, joined, literal(True))


def _in_one_text(found: Select[Any]) -> Select[str]:
    """The position and the id of each of the first MOST_FOUND matches, separated by commas."""
    rows = found.limit(bindparam("most_found", type_=Integer)).subquery("found")
    position, id_ = (cast(one, String) for one in (rows.c.position, rows.c.id))
    both = position.concat(_COMMA).concat(id_)
    return select(func.aggregate_strings(both, _COMMA).label("found"))
