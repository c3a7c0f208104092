"""A cache of groups: how many notices each group of a list has, counted once and then kept up to date.

Grouping 100,000 rows takes longer than reading a page of them, so each process keeps the result.

What is kept: a `ListTally`, the tallies of all groups of a list, by user and filter (`TalliedLists`).
Only lists filtered by CACHED_FIELDS are kept, because there a notification can begin or cease to match
only through a change to itself. A filter on events has its groups counted each time (groups.py).

When it is valid: a `ListTally` carries the `InboxVersion` of the user's notifications that it was counted
in. A reader passes the `InboxVersion` of its own transaction. If both are equal, the tally is used as it is.
If not, the groups of arrived notifications are added to, and the groups of changed ones are counted
again. This takes time in proportion to what arrived and to the size of the changed groups.

When it is thrown away: all groups are counted again, in time proportional to the length of the list,
if rows were removed, if the reader sees an older state than the one kept, or if more has happened
than MOST_CHANGES and the limits beside it allow. Beyond GROUPS_KEPT, the list that was read least
recently is dropped. What an act counts is not kept, since the act may be rolled back.
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

# The limit for all lists together: 5,000 groups take a megabyte. A list itself counts as ten groups.
GROUPS_KEPT, LIST_WEIGHT = 200_000, 10
# The filter fields that read only columns of the notification. What others read from its event can
# change without a change to the notification.
CACHED_FIELDS = {"type", "status", "view"}
STATEMENTS_KEPT = 100
# All groups are counted again after more changes, changed notifications or arrivals than these.
MOST_CHANGES, MOST_CHANGED, MOST_ARRIVED = 50, 200, 1_000
# All groups are counted again once this many have been replaced one by one.
MOST_DIFFERENT = 500
MOST_ACTORS = 3
# Kinds of change that affect no tally: the view "saved" is not kept.
IRRELEVANT = ("saved", "unsaved", "refreshed")


class Tally(NamedTuple):
    """The counts of one group, and the position of its newest notice."""

    position: int
    notices: int
    unread: int


class People(NamedTuple):
    """Who acted in a group: the ids of its latest MOST_ACTORS distinct actors, newest first, and the
    number of all. `other_actors` and `other_affected` are the numbers of actors and of affected users
    besides those of the newest notice.
    """

    actors: tuple[int, ...] = ()
    actor_count: int = 0
    other_actors: int = 0
    other_affected: int = 0


class InboxVersion(NamedTuple):
    """What a user's counts depend on: while it stays the same, so do they.

    `position`: of the user's last arrival or change. `removals`: how many rows were ever removed, of
    any user. `changed_at`: the position of the last change.
    """

    position: int
    removals: int
    changed_at: int


class SortedGroups:
    """All groups of a list as they were counted, oldest first. Stored by column, because creating an
    object for each group takes several times as long.
    """

    def __init__(self, rows: Iterable[Sequence[Any]] = ()) -> None:
        """`rows`: (key, position, notices, unread), in any order; fastest if sorted by position."""
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
    """The groups of a list at this version. Immutable, except that groups.py adds to `people`.

    `changed` has the groups that replace those of `counted`, by key; None for one that is gone. So a
    new version shares `counted` with the one before and copies only what has changed since.

    `people` has who acted in a group, by key, until the group changes.
    """

    counted: SortedGroups
    version: InboxVersion
    changed: dict[str, Tally | None] = field(default_factory=dict)
    people: dict[str, People] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """The number of groups."""
        more = (bool(tally) - (key in self.counted) for key, tally in self.changed.items())
        return len(self.counted) + sum(more)

    def get(self, key: str) -> Tally | None:
        return self.changed[key] if key in self.changed else self.counted.get(key)

    def some(self, keys: Collection[str]) -> dict[str, Tally]:
        """The groups with these keys, as far as they exist."""
        return {key: tally for key in keys if (tally := self.get(key))}

    def size_of(self, keys: Collection[str]) -> int:
        """The number of notices in the groups with these keys."""
        return sum(tally.notices for tally in self.some(keys).values())

    def slice(self, first: int, most: int, left_out: Collection[str] = ()) -> dict[str, Tally]:
        """At most `most` groups, newest first, from index `first`, without those with the keys `left_out`."""
        changed = self.changed | dict.fromkeys(left_out)
        keys = self._newest(first + most, changed) if changed else self.counted.keys
        end = len(keys) - first
        chosen = keys[max(0, end - most) : end] if end > 0 else []
        return self.some(chosen[::-1])

    def _newest(self, most: int, changed: Mapping[str, Tally | None]) -> Sequence[str]:
        """The keys of at least the `most` newest groups, oldest first, after `changed` is applied."""
        oldest = max(0, len(self.counted) - most - len(changed))
        newest = zip(self.counted.positions[oldest:], self.counted.keys[oldest:], strict=True)
        kept = [one for one in newest if one[1] not in changed]
        now = [(tally.position, key) for key, tally in changed.items() if tally]
        return [key for _position, key in sorted(kept + now)]

    def with_groups(self, changed: dict[str, Tally | None], version: InboxVersion) -> "ListTally":
        """A copy in which these groups are replaced; None for a group that is gone."""
        people = {key: value for key, value in self.people.items() if key not in changed}
        return ListTally(self.counted, version, self.changed | changed, people)


class TalliedLists:
    """The cache: the lists that were read most recently, by user and filter."""

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


def select_tallies(key: SQLColumnExpression[str], *clauses: Any) -> Select[*tuple[Any, ...]]:
    """Rows (group_key, position, notices, unread): the notifications that meet `clauses`, grouped by `key`."""
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


def has_cached_groups(wanted: Filter) -> bool:
    """Whether the groups of this list are kept."""
    return wanted.chosen.keys() <= CACHED_FIELDS and wanted.view.name != "saved"


def reading_groups(db: Database, wanted: Filter) -> AbstractAsyncContextManager[AsyncSession]:
    """A session for the groups of this list: a short read if its slow statements run by `execute_aside`."""
    is_short = wanted.is_indexed and has_cached_groups(wanted)
    return db.short_read() if is_short else db.read()


async def tally_groups(
    session: AsyncSession, user_id: int, wanted: Filter, version: InboxVersion
) -> ListTally:
    """All groups of a list for which `has_cached_groups`; `version` is that of this session.

    The list is kept without `up_to_position`. If the filter has one, the groups of newer notifications
    are counted again without these.
    """
    end, whole = wanted.up_to_position, replace(wanted, up_to_position=None)
    tally = await _current_tally(session, user_id, whole, version)
    if end is None or end >= version.position:
        return tally
    newer = await _groups_since(session, user_id, whole, end)
    if newer is None:
        return await _count_all_groups(session, user_id, wanted, version)
    keys = [key for key, one in tally.some(newer).items() if one.notices > newer[key].notices]
    counted = await _count_groups(session, user_id, wanted, keys, tally.size_of(keys))
    return tally.with_groups(dict.fromkeys(newer) | counted, version)


async def _current_tally(
    session: AsyncSession, user_id: int, wanted: Filter, version: InboxVersion
) -> ListTally:
    lists: TalliedLists = session.info["tallied_lists"]
    known = lists.get(user_id, wanted)
    if known and known.version == version:
        return known
    tally = await _updated_tally(session, user_id, wanted, known, version) if known else None
    if tally is None:
        tally = await _count_all_groups(session, user_id, wanted, version)
    # An act may be rolled back, and its position assigned to another.
    if not is_act(session):
        lists.keep(user_id, wanted, tally)
    return tally


async def _count_all_groups(
    session: AsyncSession, user_id: int, wanted: Filter, version: InboxVersion
) -> ListTally:
    mine = Notification.user_id == user_id, *wanted.clauses()
    groups = select_tallies(key_for_reader(user_id), *mine).order_by(text("position"))
    rows = await execute_aside(session, groups)
    return ListTally(await asyncio.to_thread(SortedGroups, rows), version)


async def _updated_tally(
    session: AsyncSession, user_id: int, wanted: Filter, known: ListTally, version: InboxVersion
) -> ListTally | None:
    """`known` brought up to this version; None if all groups must be counted again."""
    if len(known.changed) > MOST_DIFFERENT:
        return None
    if version.removals != known.version.removals or version.position < known.version.position:
        return None
    last = known.version.position
    ids = await _changed_since(session, user_id, last) if version.changed_at > last else []
    if ids is None:
        return None
    arrived = await _groups_since(session, user_id, wanted, last)
    if arrived is None:
        return None
    counted: dict[str, Tally | None] = {
        key: _with_arrived(known.get(key), tally) for key, tally in arrived.items()
    }
    if ids:  # overrides what arrived: a notification that came back is in both
        keys = await _keys_of(session, user_id, ids)
        most = known.size_of(keys) + len(ids)
        counted |= await _count_groups(session, user_id, wanted, keys, most)
    return known.with_groups(counted, version)


async def _changed_since(session: AsyncSession, user_id: int, position: int) -> list[int] | None:
    """The ids of the notifications that changed after `position`; None if they are too many, or if a
    change concerns every group.
    """
    values = {"user_id": user_id, "since": position}
    changes = (await session.execute(_changes_statement(), values)).all()
    if len(changes) > MOST_CHANGES or any(_concerns_all_groups(change) for change in changes):
        return None
    ids = [one for change in changes for one in change.ids]
    return ids if len(ids) <= MOST_CHANGED else None


@cache
def _changes_statement() -> Select[str, list[int] | None, int | None]:
    mine = select(Change.kind, Change.ids, Change.up_to).where(Change.user_id == _user_id)
    since = mine.where(Change.id > _since, Change.kind.not_in(constants(IRRELEVANT)))
    return since.limit(MOST_CHANGES + 1)


def _concerns_all_groups(change: Any) -> bool:
    return change.up_to is not None or change.kind == REGROUPED


def _with_arrived(old: Tally | None, arrived: Tally) -> Tally:
    notices, unread = (old.notices, old.unread) if old else (0, 0)
    return Tally(arrived.position, notices + arrived.notices, unread + arrived.unread)


async def _groups_since(
    session: AsyncSession, user_id: int, wanted: Filter, position: int
) -> dict[str, Tally] | None:
    """Groups of the matching notifications that arrived after `position`; None for more than
    MOST_ARRIVED notifications.
    """
    values = {"user_id": user_id, "since": position, "most": MOST_ARRIVED + 1}
    groups = _by_key(await session.execute(_groups_since_statement(wanted.key), values))
    return groups if sum(one.notices for one in groups.values()) <= MOST_ARRIVED else None


@lru_cache(STATEMENTS_KEPT)
def _groups_since_statement(chosen: FilterKey) -> Select[*tuple[Any, ...]]:
    newer = select(Notification.id).where(*_came_since, *Filter(dict(chosen)).clauses())
    newest = newer.order_by(Notification.position.desc()).limit(bindparam("most", type_=Integer))
    return select_tallies(key_for_reader(), Notification.id.in_(newest))


async def _keys_of(session: AsyncSession, user_id: int, ids: Collection[int]) -> set[str]:
    """The keys of the groups that these notifications are in, or were in before a newer event replaced
    theirs. (With DISTINCT, SQLite would scan all groups.)
    """
    mine = Notification.user_id == user_id, Notification.id.in_(ids)
    now = await session.scalars(select(key_for_reader()).where(*mine))
    former = select(Superseded.group_key).where(Superseded.notification_id.in_(ids))
    return {*now, *await session.scalars(former.distinct())}


async def _count_groups(
    session: AsyncSession, user_id: int, wanted: Filter, keys: Collection[str], most: int
) -> dict[str, Tally | None]:
    """The groups with these keys, counted again; None for one that is gone.

    `most`: they have at most this many notices, which decides whether they are counted aside.
    """
    counted: dict[str, Tally | None] = dict.fromkeys(keys)
    mine = Notification.user_id == user_id, *wanted.clauses()
    ungrouped, stored = split_keys(keys)
    for some, key in ((ungrouped, key_for_reader()), (stored, Notification.group_key)):
        if some:
            groups = select_tallies(key, *mine, in_groups(some))
            is_long = most > MOST_ARRIVED
            execute = partial(execute_aside, session) if is_long else session.execute
            counted |= _by_key(await execute(groups))
    return counted


def _by_key(rows: Iterable[Row[*tuple[Any, ...]]]) -> dict[str, Tally]:
    return {key: Tally(position, notices, unread) for key, position, notices, unread in rows}


_user_id: Any = bindparam("user_id")
_since: Any = bindparam("since")
_came_since = Notification.user_id == _user_id, Notification.position > _since
