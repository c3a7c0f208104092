"""How many notifications an inbox holds, counted once and then kept up to date.

Counting 100,000 rows takes longer than reading a page of them. So each process remembers the counts
of recent visitors with the position up to which they hold, and from then on counts only what has
arrived since. They are counted anew after a change of the user's notifications, which has a higher
position, and after retention removed something, which raises a number in the same transaction. So
no count can differ from what the rows say.
"""

from collections import OrderedDict
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, TextClause, bindparam, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database, is_act
from app.database.upsert import insert_into
from app.models import Change, Notification, RemovalCount
from app.notifications.inbox.feed import MOST_COUNTED, in_inbox, newest_clause, unread
from app.notifications.inbox.filters import BEYOND_ALL_POSITIONS, Filter
from app.notifications.inbox.tallies import State
from app.notifications.inbox.views import INBOX_VIEW, TABS, VIEWS

INBOXES_KEPT = 10_000
THE_ROW = 1
MOST_SKIPPED = 1_000
UNREAD_ONLY = {"status": ("unread",)}


@dataclass(frozen=True)
class Totals:
    """Counts of the inbox, of the matching and of the unread notifications.

    `position` is that of the last change, `removals` retention's number.
    """

    total: int
    filtered_count: int
    unread_count: int
    position: int
    removals: int = field(default=0, compare=False)

    @property
    def state(self) -> State:
        return State(self.position, self.removals)


@dataclass(frozen=True)
class Counted:
    """The counts of the notifications up to `position`, when retention's number was `removals`."""

    total: int = 0
    unread: int = 0
    position: int = 0
    removals: int = 0


NOTHING = Counted()


class CountedInboxes:
    """What was counted for the users who looked last, by user id."""

    def __init__(self) -> None:
        self._counted = OrderedDict[int, Counted]()

    def get(self, user_id: int) -> Counted:
        return self._counted.get(user_id, NOTHING)

    def keep(self, user_id: int, counted: Counted) -> None:
        self._counted[user_id] = counted
        self._counted.move_to_end(user_id)
        if len(self._counted) > INBOXES_KEPT:
            self._counted.popitem(last=False)


def reading(db: Database, wanted: Filter, first: int) -> AbstractAsyncContextManager[AsyncSession]:
    """A short read, unless it would count or skip more rows than that allows: it holds up others."""
    is_counted = not wanted.chosen or wanted.chosen == UNREAD_ONLY
    return db.short_read() if is_counted and first < MOST_SKIPPED else db.read()


async def count_totals(session: AsyncSession, user_id: int, wanted: Filter) -> Totals:
    """All totals, in one statement; in two after a change of the user's notifications."""
    inboxes: CountedInboxes = session.info["counted_inboxes"]
    base = inboxes.get(user_id)
    row = await _count_since(session, user_id, wanted, base)
    if base.position and not _still_holds(base, row):
        base = NOTHING
        row = await _count_since(session, user_id, wanted, base)
    counted = Counted(
        base.total + row.total,
        base.unread + row.unread,
        max(row.newest, row.changed_at),
        row.removals,
    )
    # What an act has counted may be rolled back, and its position allotted again.
    if not is_act(session):
        inboxes.keep(user_id, counted)
    return Totals(
        total=counted.total,
        filtered_count=_filtered(wanted, counted, row),
        unread_count=counted.unread,
        position=counted.position,
        removals=counted.removals,
    )


async def note_removal(session: AsyncSession) -> None:
    """Has every inbox counted anew: notifications were removed, or changes that tell of them."""
    counted = insert_into(session, RemovalCount).values(id=THE_ROW, count=1)
    more = {"count": RemovalCount.count + 1}
    key = [RemovalCount.id]
    await session.execute(counted.on_conflict_do_update(index_elements=key, set_=more))


def _still_holds(base: Counted, row: Row[Any]) -> bool:
    return bool(row.removals == base.removals and row.changed_at <= base.position)


def _filtered(wanted: Filter, counted: Counted, row: Row[Any]) -> int:
    if wanted.found is not None:
        return len(wanted.found)
    if not wanted.chosen:
        return counted.total - int(row.outside)
    if wanted.chosen == UNREAD_ONLY:
        return counted.unread - int(row.outside)
    return int(row.matching)


async def _count_since(
    session: AsyncSession, user_id: int, wanted: Filter, base: Counted
) -> Row[Any]:
    """Counts what has arrived since `base`, and what matches `wanted` or lies outside of it."""
    rows: Select[Any]
    if not wanted.chosen or wanted.found is not None:
        rows = _counts(in_inbox)
    elif wanted.chosen == UNREAD_ONLY:
        rows = _counts(unread)
    else:
        rows = _counts(in_inbox).add_columns(_number_of(*wanted.clauses()).label("matching"))
    end = BEYOND_ALL_POSITIONS if wanted.up_to_position is None else wanted.up_to_position
    values = {"user_id": user_id, "since": base.position, "end": end}
    found: Row[Any] = (await session.execute(rows, values)).one()
    return found


@cache
def _counts(which: TextClause) -> Select[*tuple[Any, ...]]:
    """Built once, because every inbox runs it. `outside`: those of `which` that came after `end`."""
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


async def count_tabs(session: AsyncSession, user_id: int) -> dict[str, int]:
    """What stands at each view of TABS: the unread of the inbox, all of the others; counting stops at
    100.
    """
    row = (await session.execute(_tab_counts(), {"user_id": user_id})).one()
    return dict(row._mapping)


@cache
def _tab_counts() -> Select[*tuple[Any, ...]]:
    return select(*(_capped(name).label(name) for name in TABS))


def _capped(view: str) -> ColumnElement[int]:
    which = unread if view == INBOX_VIEW else VIEWS[view].clause
    rows = (
        select(text("1")).select_from(Notification).where(Notification.user_id == _user_id, which)
    )
    return select(func.count()).select_from(rows.limit(MOST_COUNTED).subquery()).scalar_subquery()


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
