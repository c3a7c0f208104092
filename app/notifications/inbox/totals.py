"""A cache of counts: how many notifications an inbox holds, counted once and then kept up to date.

Counting 100,000 rows takes longer than reading a page of them, so each process keeps the result.

What is kept: for each user, the size of the whole inbox and its unread count up to a position
(`InboxCounts` in `CountedInboxes`). Other lists are counted for each request.

When it is valid: one statement counts what arrived after that position, in time proportional to that,
and reads what shows whether the kept counts still hold. They do unless the user's notifications have
changed, which gives the change a higher position, or rows of any user were removed, which raises
`RemovalCount` in the same transaction.

When it is thrown away: if the counts do not hold, or the reader sees an older state than the one kept,
the inbox is counted from the start, in time proportional to its size. Beyond INBOXES_KEPT, the inbox
that was read least recently is dropped. What an act counts is not kept, since the act may be rolled
back.
"""

from collections import OrderedDict
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Integer,
    Row,
    Select,
    TextClause,
    bindparam,
    func,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database, is_act
from app.database.short_reads import execute_aside
from app.models import Change, Notification, RemovalCount, SavedView
from app.notifications.inbox.feed import MOST_COUNTED, count_up_to, in_inbox, newest_clause, unread
from app.notifications.inbox.filters import BEYOND_ALL_POSITIONS, UNREAD_ONLY, Filter
from app.notifications.inbox.tallies import InboxVersion
from app.notifications.inbox.views import INBOX_VIEW, TABS, VIEWS

INBOXES_KEPT = 10_000
THE_ROW = 1
MOST_SKIPPED = MOST_COUNTED_AT_ONCE = 1_000


@dataclass(frozen=True)
class Totals:
    """How many notifications are in the inbox, match the filter, and are unread in the inbox.

    `position`, `removals` and `changed_at` are those of `InboxVersion` (tallies.py).
    """

    total: int
    filtered_count: int
    unread_count: int
    position: int
    removals: int = field(default=0, compare=False)
    changed_at: int = field(default=0, compare=False)

    @property
    def version(self) -> InboxVersion:
        return InboxVersion(self.position, self.removals, self.changed_at)


class OwnView(NamedTuple):
    """A view that the user saved."""

    id: int
    name: str
    query: str


@dataclass(frozen=True)
class Overview:
    """The numbers and views above a list. `tabs`: for each view of TABS its number, of unread
    notifications for the inbox and of all for the others; counting stops at 100. `own_views` are in
    the user's order.
    """

    totals: Totals
    tabs: dict[str, int]
    own_views: list[OwnView]


@dataclass(frozen=True)
class InboxCounts:
    """The counts of one inbox up to `position`, after this number of removals."""

    total: int = 0
    unread: int = 0
    position: int = 0
    removals: int = 0


NOTHING = InboxCounts()


class CountedInboxes:
    """The cache: the counts of the inboxes that were read most recently, by user id."""

    def __init__(self) -> None:
        self._counted = OrderedDict[int, InboxCounts]()

    def get(self, user_id: int) -> InboxCounts:
        return self._counted.get(user_id, NOTHING)

    def keep(self, user_id: int, counted: InboxCounts) -> None:
        self._counted[user_id] = counted
        self._counted.move_to_end(user_id)
        if len(self._counted) > INBOXES_KEPT:
            self._counted.popitem(last=False)


def reading(db: Database, wanted: Filter, first: int) -> AbstractAsyncContextManager[AsyncSession]:
    """A session for the totals of a list and its rows from index `first`: a short read, unless it would
    count or skip so many rows that other requests have to wait.
    """
    return db.short_read() if wanted.is_indexed and first < MOST_SKIPPED else db.read()


async def count_totals(session: AsyncSession, user_id: int, wanted: Filter) -> Totals:
    """All totals, in one statement; in a few more if the inbox must be counted from the start."""
    totals, _rows = await _read_totals(session, user_id, wanted)
    return totals


async def read_overview(session: AsyncSession, user_id: int, wanted: Filter) -> Overview:
    """The totals and the views, in as many statements as `count_totals`."""
    totals, rows = await _read_totals(session, user_id, wanted, has_views=True)
    tabs = {name: getattr(rows[0], name) for name in TABS}
    own = [OwnView(row.view_id, row.view_name, row.view_query) for row in rows if row.view_id]
    return Overview(totals, tabs, own)


async def _read_totals(
    session: AsyncSession, user_id: int, wanted: Filter, *, has_views: bool = False
) -> tuple[Totals, Sequence[Row[Any]]]:
    """The totals, and the rows that they were read from: more than one with `has_views`."""
    inboxes: CountedInboxes = session.info["counted_inboxes"]
    base = inboxes.get(user_id)
    rows = await _count_since(session, user_id, wanted, base, has_views)
    if base.position and not _still_holds(base, rows[0]):
        base = NOTHING
        rows = await _count_since(session, user_id, wanted, base, has_views)
    row = rows[0]
    counted = InboxCounts(
        base.total + row.total,
        base.unread + row.unread,
        max(row.newest, row.changed_at),
        row.removals,
    )
    # An act may be rolled back, and its position assigned to another.
    if not is_act(session):
        inboxes.keep(user_id, counted)
    totals = Totals(
        total=counted.total,
        filtered_count=await _filtered_count(session, user_id, wanted, counted, row),
        unread_count=counted.unread,
        position=counted.position,
        removals=counted.removals,
        changed_at=row.changed_at,
    )
    return totals, rows


def _still_holds(base: InboxCounts, row: Row[Any]) -> bool:
    """Whether nothing that `base` counts has changed or been removed, and this session sees all of it:
    another request may have counted it in a newer state of the database.
    """
    is_visible = base.position <= max(row.newest, row.changed_at)
    return bool(row.removals == base.removals and row.changed_at <= base.position and is_visible)


async def _filtered_count(
    session: AsyncSession, user_id: int, wanted: Filter, counted: InboxCounts, row: Row[Any]
) -> int:
    if wanted.found is not None:
        return len(wanted.found)
    if not wanted.chosen:
        return counted.total - int(row.outside)
    if wanted.chosen == UNREAD_ONLY:
        return counted.unread - int(row.outside)
    if wanted.is_indexed:
        return await _count_view(session, user_id, wanted.view.name) - int(row.outside)
    return int(row.matching)


async def _count_since(
    session: AsyncSession, user_id: int, wanted: Filter, base: InboxCounts, has_views: bool
) -> Sequence[Row[Any]]:
    """The counts of what arrived since `base`, and either of what matches `wanted` (`matching`) or of
    what came too late for it (`outside`). All are in the first row. With `has_views`, the rows have the
    columns of `_beside_views` too.
    """
    if not wanted.chosen or wanted.found is not None:
        rows = _counts_statement(in_inbox, has_views)
    elif wanted.is_indexed:
        which = unread if wanted.chosen == UNREAD_ONLY else wanted.view.clause
        rows = _counts_statement(which, has_views)
    else:
        matching = _number_of(*wanted.clauses()).label("matching")
        rows = _counts_statement(in_inbox, False).add_columns(matching)
        rows = _beside_views(rows) if has_views else rows
    end = BEYOND_ALL_POSITIONS if wanted.up_to_position is None else wanted.up_to_position
    values = {"user_id": user_id, "since": base.position, "end": end}
    if not base.position and await _is_large(session, user_id, INBOX_VIEW):
        return await execute_aside(session, rows, values)
    return (await session.execute(rows, values)).all()


@cache
def _counts_statement(which: TextClause, has_views: bool) -> Select[*tuple[Any, ...]]:
    """Built once, because every inbox runs it. `outside`: how many of `which` came after `end`."""
    if has_views:
        return _beside_views(_counts_statement(which, False))
    changed = select(func.max(Change.id)).where(Change.user_id == _user_id)
    removals = select(RemovalCount.count).where(RemovalCount.id == THE_ROW)
    return select(
        _number_of(in_inbox, Notification.position > _since).label("total"),
        _number_of(unread, Notification.position > _since).label("unread"),
        _number_of(which, Notification.position > _end).label("outside"),
        newest_clause(_user_id).label("newest"),
        *(
            func.coalesce(one.scalar_subquery(), 0).label(name)
            for name, one in {"changed_at": changed, "removals": removals}.items()
        ),
    )


_user_id: Any = bindparam("user_id")
_since: Any = bindparam("since")
_end: Any = bindparam("end")


def _number_of(*clauses: ColumnElement[bool] | TextClause) -> ColumnElement[int]:
    counted = select(func.count()).select_from(Notification)
    return counted.where(Notification.user_id == _user_id, *clauses).scalar_subquery()


async def _count_view(session: AsyncSession, user_id: int, view: str) -> int:
    """The number of notifications in the view."""
    size, values = _view_count(view), {"user_id": user_id}
    if await _is_large(session, user_id, view):
        [[count]] = await execute_aside(session, size, values)
    else:
        [[count]] = await session.execute(size, values)
    return int(count)


async def _is_large(session: AsyncSession, user_id: int, view: str) -> bool:
    """Whether the view is so large that it must be counted aside."""
    values = {"user_id": user_id, "most": MOST_COUNTED_AT_ONCE + 1}
    [[count]] = await session.execute(_view_count_up_to(view), values)
    return bool(count > MOST_COUNTED_AT_ONCE)


@cache
def _view_count_up_to(view: str) -> Select[int]:
    return count_up_to(bindparam("most", type_=Integer), _user_id, VIEWS[view].clause)


@cache
def _view_count(view: str) -> Select[int]:
    return select(_number_of(VIEWS[view].clause))


def _beside_views(counts: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """The counts, those of TABS, and a saved view in each row; one row without a view if there is none."""
    state = counts.add_columns(*(_tab_count(name).label(name) for name in TABS)).subquery("state")
    own = [getattr(SavedView, name).label(f"view_{name}") for name in OwnView._fields]
    return (
        select(*state.c, *own)
        .join_from(state, SavedView, SavedView.user_id == _user_id, isouter=True)
        .order_by(SavedView.rank, SavedView.id)
    )


def _tab_count(view: str) -> ColumnElement[int]:
    which = unread if view == INBOX_VIEW else VIEWS[view].clause
    return count_up_to(MOST_COUNTED, _user_id, which).scalar_subquery()


async def count_views(db: Database, user_id: int) -> dict[str, tuple[int, int]]:
    """How many notifications each view of TABS holds, and how many of them are unread."""
    [row] = await db.fetch(_view_counts(), user_id=user_id)
    return {name: (getattr(row, name), getattr(row, f"{name}_unread")) for name in TABS}


@cache
def _view_counts() -> Select[*tuple[Any, ...]]:
    counts = []
    for name in TABS:
        clause = VIEWS[name].clause
        is_unread = unread if name == INBOX_VIEW else Notification.read_at.is_(None)
        counts += [
            _number_of(clause).label(name),
            _number_of(clause, is_unread).label(f"{name}_unread"),
        ]
    return select(*counts)
