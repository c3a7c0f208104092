"""How many notices each group of a list has, counted once and then kept up to date.

To group 100,000 rows takes longer than to read a page of them. So each process remembers the groups
that recent visitors saw with the position up to which they hold. From then on it adds what has arrived since
and counts the groups of what has changed; all of them anew if that is much, or rows were removed.
So no tally can differ from what the rows say.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache, partial
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import (
    Integer,
    Row,
    Select,
    SQLColumnExpression,
    bindparam,
    case,
    func,
    select,
    text,
)
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database, is_act
from app.database.constants import constants
from app.database.short_reads import execute_aside
from app.models import Change, Notification, Superseded
from app.models.notification import REGROUPED
from app.notifications.events.grouping import in_groups, key_for_reader, split_keys
from app.notifications.inbox.filters import Filter, FilterKey

# In all lists together, a megabyte for 5,000; a list by itself takes as much as ten groups. The lists
# that were looked at last stay.
GROUPS_KEPT, LIST_WEIGHT = 200_000, 10
# What a filter may ask of the notices themselves: so it matches others only once they change. What it
# asks of their events may change without them.
REMEMBERED = {"type", "status", "view"}
STATEMENTS_KEPT = 100
# With more that has changed or arrived, everything is counted anew, aside.
MOST_CHANGES, MOST_CHANGED, MOST_ARRIVED = 50, 200, 1_000
# So many groups may differ from what was counted before all are counted anew.
MOST_DIFFERENT = 500
MOST_ACTORS = 3
# Changes of what is no part of a tally, except of that of the saved, which is not remembered.
IRRELEVANT = ("saved", "unsaved", "refreshed")


class Tally(NamedTuple):
    """`position` is that of the newest notice of the group."""

    position: int
    notices: int
    unread: int


class People(NamedTuple):
    """The distinct actors of a group, at most MOST_ACTORS, newest first, and their number; and how many
    others there are besides the actor and the affected user of its newest notice.
    """

    actors: tuple[int, ...] = ()
    actor_count: int = 0
    other_actors: int = 0
    other_affected: int = 0


class InboxVersion(NamedTuple):
    """The position of the last change to a user's notifications or the last arrival, the number of
    removals, and the position of the last change: while all stay the same, so do all counts.
    """

    position: int
    removals: int
    changed_at: int


class SortedGroups:
    """Groups as they were counted, by columns, oldest first: an object for each would take several times
    as long to make.
    """

    def __init__(self, rows: Iterable[Sequence[Any]] = ()) -> None:
        """`rows`: (key, position, notices, unread) of each, in any order; fastest in that of their positions."""
        by_position = sorted(rows, key=itemgetter(1, 0))
        self.keys: Sequence[str] = [row[0] for row in by_position]
        self.positions: Sequence[int] = [row[1] for row in by_position]
        self.notices: Sequence[int] = [row[2] for row in by_position]
        self.unread: Sequence[int] = [row[3] for row in by_position]
        self._indexes = {key: index for index, key in enumerate(self.keys)}

    def __len__(self) -> int:
        return len(self.keys)

    def __contains__(self, key: str) -> bool:
        return key in self._indexes

    def get(self, key: str) -> Tally | None:
        index = self._indexes.get(key)
        if index is None:
            return None
        return Tally(self.positions[index], self.notices[index], self.unread[index])


@dataclass(frozen=True)
class ListTally:
    """The groups of a list by key, as they were at this version: those that were counted, with those of
    `changed` in their places; None stands for a group that is gone. So a group changes without a copy
    of all others.

    `people` is what the page remembers of a group until that changes.
    """

    counted: SortedGroups
    version: InboxVersion
    changed: dict[str, Tally | None] = field(default_factory=dict)
    people: dict[str, People] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many groups there are."""
        more = (bool(tally) - (key in self.counted) for key, tally in self.changed.items())
        return len(self.counted) + sum(more)

    def get(self, key: str) -> Tally | None:
        return self.changed[key] if key in self.changed else self.counted.get(key)

    def some(self, keys: Collection[str]) -> dict[str, Tally]:
        """Those of the groups with these keys that there are."""
        return {key: tally for key in keys if (tally := self.get(key))}

    def size_of(self, keys: Collection[str]) -> int:
        """How many notices the groups with these keys have."""
        return sum(tally.notices for tally in self.some(keys).values())

    def slice(self, first: int, most: int, left_out: Collection[str] = ()) -> dict[str, Tally]:
        """At most `most` groups from index `first` of the newest, some being left out by their keys."""
        changed = self.changed | dict.fromkeys(left_out)
        keys = self._newest(first + most, changed) if changed else self.counted.keys
        end = len(keys) - first
        chosen = keys[max(0, end - most) : end] if end > 0 else []
        return self.some(chosen[::-1])

    def _newest(self, most: int, changed: Mapping[str, Tally | None]) -> Sequence[str]:
        """The keys of at least the `most` newest groups, oldest first, with these as they are now."""
        oldest = max(0, len(self.counted) - most - len(changed))
        newest = zip(self.counted.positions[oldest:], self.counted.keys[oldest:], strict=True)
        kept = [one for one in newest if one[1] not in changed]
        now = [(tally.position, key) for key, tally in changed.items() if tally]
        return [key for _position, key in sorted(kept + now)]

    def with_groups(self, changed: dict[str, Tally | None], version: InboxVersion) -> "ListTally":
        """These groups replaced; None stands for a group that is gone."""
        people = {key: value for key, value in self.people.items() if key not in changed}
        return ListTally(self.counted, version, self.changed | changed, people)


class TalliedLists:
    """The tallies of the lists that were looked at last, by user and filter."""

    def __init__(self) -> None:
        self._kept = OrderedDict[tuple[int, FilterKey], ListTally]()
        self._size = 0

    def get(self, user_id: int, wanted: Filter) -> ListTally | None:
        key = user_id, wanted.key
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def keep(self, user_id: int, wanted: Filter, tally: ListTally) -> None:
        key = user_id, wanted.key
        self._drop(self._kept.pop(key, None))
        self._kept[key] = tally
        self._size += tally.count + LIST_WEIGHT
        while self._size > GROUPS_KEPT and len(self._kept) > 1:
            self._drop(self._kept.popitem(last=False)[1])

    def _drop(self, tally: ListTally | None) -> None:
        self._size -= tally.count + LIST_WEIGHT if tally else 0


def tallied(key: SQLColumnExpression[str], *clauses: Any) -> Select[*tuple[Any, ...]]:
    """Rows (group_key, position, notices, unread) of the notifications that meet these conditions, by
    this key.
    """
    is_unread = case((Notification.read_at.is_(None), 1), else_=0)
    return (
        select(
            key.label("group_key"),
            func.max(Notification.position).label("position"),
            func.count().label("notices"),
            func.sum(is_unread).label("unread"),
        )
        .where(*clauses)
        .group_by(text("1"))
    )


def has_remembered_groups(wanted: Filter) -> bool:
    """Whether the groups of what is wanted are remembered."""
    return wanted.chosen.keys() <= REMEMBERED and wanted.view.name != "saved"


def reading_groups(db: Database, wanted: Filter) -> AbstractAsyncContextManager[AsyncSession]:
    """A short read, if `execute_aside` runs everything that may take long."""
    is_short = wanted.is_indexed and has_remembered_groups(wanted)
    return db.short_read() if is_short else db.read()


async def tally_groups(
    session: AsyncSession, user_id: int, wanted: Filter, version: InboxVersion
) -> ListTally:
    """The groups of what is wanted, by a filter with remembered groups.

    `version` is that of the totals in this session.
    """
    end, whole = wanted.up_to_position, replace(wanted, up_to_position=None)
    tally = await _present(session, user_id, whole, version)
    if end is None or end >= version.position:
        return tally
    newer = await _newer(session, user_id, whole, end)
    if newer is None:
        return await _count_all(session, user_id, wanted, version)
    keys = [key for key, one in tally.some(newer).items() if one.notices > newer[key].notices]
    counted = await _count(session, user_id, wanted, keys, tally.size_of(keys))
    return tally.with_groups(dict.fromkeys(newer) | counted, version)


async def _present(
    session: AsyncSession, user_id: int, wanted: Filter, version: InboxVersion
) -> ListTally:
    lists: TalliedLists = session.info["tallied_lists"]
    known = lists.get(user_id, wanted)
    if known and known.version == version:
        return known
    tally = await _catch_up(session, user_id, wanted, known, version) if known else None
    if tally is None:
        tally = await _count_all(session, user_id, wanted, version)
    # What an act has counted may be rolled back, and its position allotted again.
    if not is_act(session):
        lists.keep(user_id, wanted, tally)
    return tally


async def _count_all(
    session: AsyncSession, user_id: int, wanted: Filter, version: InboxVersion
) -> ListTally:
    mine = Notification.user_id == user_id, *wanted.clauses()
    groups = tallied(key_for_reader(user_id), *mine).order_by(text("position"))
    rows = await execute_aside(session, groups)
    return ListTally(await asyncio.to_thread(SortedGroups, rows), version)


async def _catch_up(
    session: AsyncSession, user_id: int, wanted: Filter, known: ListTally, version: InboxVersion
) -> ListTally | None:
    """What was `known`, brought up to this version; None where all must be counted anew."""
    if len(known.changed) > MOST_DIFFERENT:
        return None
    if version.removals != known.version.removals or version.position < known.version.position:
        return None
    last = known.version.position
    changes: Sequence[Row[Any, Any, Any]] = ()
    if version.changed_at > last:
        changes = (await session.execute(_changes(), {"user_id": user_id, "since": last})).all()
    if len(changes) > MOST_CHANGES or any(_concerns_all(change) for change in changes):
        return None
    ids = [one for change in changes for one in change.ids]
    arrived = await _newer(session, user_id, wanted, last)
    if len(ids) > MOST_CHANGED or arrived is None:
        return None
    counted: dict[str, Tally | None] = {
        key: _with_arrived(known.get(key), tally) for key, tally in arrived.items()
    }
    if ids:  # also those of what has come back, which is among what arrived
        keys = await _keys(session, user_id, ids)
        counted |= await _count(session, user_id, wanted, keys, known.size_of(keys) + len(ids))
    return known.with_groups(counted, version)


@cache
def _changes() -> Select[str, list[int] | None, int | None]:
    mine = select(Change.kind, Change.ids, Change.up_to).where(Change.user_id == _user_id)
    since = mine.where(Change.id > _since, Change.kind.not_in(constants(IRRELEVANT)))
    return since.limit(MOST_CHANGES + 1)


def _concerns_all(change: Any) -> bool:
    return change.up_to is not None or change.kind == REGROUPED


def _with_arrived(old: Tally | None, arrived: Tally) -> Tally:
    notices, unread = (old.notices, old.unread) if old else (0, 0)
    return Tally(arrived.position, notices + arrived.notices, unread + arrived.unread)


async def _newer(
    session: AsyncSession, user_id: int, wanted: Filter, position: int
) -> dict[str, Tally] | None:
    """The groups that those formed which are wanted and came after this position; None if more than
    MOST_ARRIVED did.
    """
    values = {"user_id": user_id, "since": position, "most": MOST_ARRIVED + 1}
    groups = _by_key(await session.execute(_newer_groups(wanted.key), values))
    return groups if sum(one.notices for one in groups.values()) <= MOST_ARRIVED else None


@lru_cache(STATEMENTS_KEPT)
def _newer_groups(chosen: FilterKey) -> Select[*tuple[Any, ...]]:
    newer = select(Notification.id).where(*_is_newer, *Filter(dict(chosen)).clauses())
    newest = newer.order_by(Notification.position.desc()).limit(bindparam("most", type_=Integer))
    return tallied(key_for_reader(), Notification.id.in_(newest))


async def _keys(session: AsyncSession, user_id: int, ids: Collection[int]) -> set[str]:
    """The keys of the groups that these notifications are in, or were in before they were about
    newer events. (DISTINCT would make SQLite walk all groups.)
    """
    mine = Notification.user_id == user_id, Notification.id.in_(ids)
    now = await session.scalars(select(key_for_reader()).where(*mine))
    former = select(Superseded.group_key).where(Superseded.notification_id.in_(ids))
    return {*now, *await session.scalars(former.distinct())}


async def _count(
    session: AsyncSession, user_id: int, wanted: Filter, keys: Collection[str], most: int
) -> dict[str, Tally | None]:
    """The groups with these keys, which have at most this many notices; None for one that is gone."""
    counted: dict[str, Tally | None] = dict.fromkeys(keys)
    mine = Notification.user_id == user_id, *wanted.clauses()
    ungrouped, stored = split_keys(keys)
    for some, key in ((ungrouped, key_for_reader()), (stored, Notification.group_key)):
        if some:
            groups = tallied(key, *mine, in_groups(some))
            is_long = most > MOST_ARRIVED
            execute = partial(execute_aside, session) if is_long else session.execute
            counted |= _by_key(await execute(groups))
    return counted


def _by_key(rows: Iterable[Row[*tuple[Any, ...]]]) -> dict[str, Tally]:
    return {key: Tally(position, notices, unread) for key, position, notices, unread in rows}


_user_id: Any = bindparam("user_id")
_since: Any = bindparam("since")
_is_newer = Notification.user_id == _user_id, Notification.position > _since
