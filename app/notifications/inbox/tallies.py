"""How many notices each group of an inbox has, counted once and then kept up to date.

To group 100,000 rows takes longer than to read a page of them. So each process remembers the groups
of recent visitors with the position up to which they hold. From then on it counts only the groups of
what has arrived or changed since; all of them anew if that is much, or rows were removed.
So no tally can differ from what the rows say.
"""

from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Collection, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Select, bindparam, case, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database, is_act
from app.models import Change, Notification, RemovalCount, Superseded
from app.models.notification import REGROUPED
from app.notifications.events.grouping import in_groups, key_for_reader, split_keys
from app.notifications.inbox.feed import in_inbox, position_clause
from app.notifications.inbox.filters import Filter

# In all inboxes together, a megabyte for 5,000. The inboxes that were looked at last stay.
GROUPS_KEPT = 200_000
# With more that has changed, counting everything anew is no slower.
MOST_CHANGES, MOST_GROUPS = 50, 200
# Of so few notices the groups are counted in a millisecond or two.
MOST_COUNTED_AT_ONCE = 2_000
MOST_ACTORS = 3
# Changes of what is no part of a tally.
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


class State(NamedTuple):
    """The position of the last change to a user's notifications, and the number of removals: while
    both stay the same, so do all counts.
    """

    position: int
    removals: int


@dataclass(frozen=True)
class InboxTally:
    """The groups of an inbox by key, as they were in this state. `order` has (position, key) of each,
    oldest first, and `size` is the number of their notices; `people` is what the page remembers of a
    group until that changes.
    """

    groups: dict[str, Tally]
    order: list[tuple[int, str]]
    size: int
    state: State
    people: dict[str, People] = field(default_factory=dict)

    @classmethod
    def of(cls, groups: dict[str, Tally], state: State) -> "InboxTally":
        order = sorted((tally.position, key) for key, tally in groups.items())
        return cls(groups, order, sum(tally.notices for tally in groups.values()), state)

    def slice(self, first: int, most: int, left_out: Collection[str] = ()) -> dict[str, Tally]:
        """At most `most` groups from index `first` of the newest, some being left out by their keys."""
        order = [one for one in self.order if one[1] not in left_out] if left_out else self.order
        end = len(order) - first
        chosen = order[max(0, end - most) : end] if end > 0 else []
        return {key: self.groups[key] for _position, key in reversed(chosen)}

    def with_groups(self, counted: Mapping[str, Tally | None], state: State) -> "InboxTally":
        """These groups replaced; None stands for a group that is gone."""
        groups, order, size = dict(self.groups), list(self.order), self.size
        for key, tally in counted.items():
            if old := groups.pop(key, None):
                del order[bisect_left(order, (old.position, key))]
                size -= old.notices
            if tally:
                groups[key] = tally
                insort(order, (tally.position, key))
                size += tally.notices
        people = {key: value for key, value in self.people.items() if key not in counted}
        return InboxTally(groups, order, size, state, people)


class TalliedInboxes:
    """The tallies of the users who looked last, by user id."""

    def __init__(self) -> None:
        self._kept = OrderedDict[int, InboxTally]()
        self._size = 0

    def get(self, user_id: int) -> InboxTally | None:
        return self._kept.get(user_id)

    def keep(self, user_id: int, inbox: InboxTally) -> None:
        self._drop(self._kept.pop(user_id, None))
        self._kept[user_id] = inbox
        self._size += len(inbox.groups)
        while self._size > GROUPS_KEPT and len(self._kept) > 1:
            self._drop(self._kept.popitem(last=False)[1])

    def _drop(self, inbox: InboxTally | None) -> None:
        self._size -= len(inbox.groups) if inbox else 0


def tallied(*clauses: Any) -> Select[*tuple[Any, ...]]:
    """Rows (group_key, position, notices, unread) of the notifications that meet these conditions."""
    is_unread = case((Notification.read_at.is_(None), 1), else_=0)
    return (
        select(
            key_for_reader().label("group_key"),
            func.max(Notification.position).label("position"),
            func.count().label("notices"),
            func.sum(is_unread).label("unread"),
        )
        .where(*clauses)
        .group_by(text("1"))
    )


async def reading_groups(
    db: Database, user_id: int, wanted: Filter
) -> AbstractAsyncContextManager[AsyncSession]:
    """A short read if the groups of the inbox need no counting, or few: it holds up others."""
    inboxes: TalliedInboxes = db.info["tallied_inboxes"]
    known = inboxes.get(user_id)
    if wanted.chosen or known is None:
        return db.read()
    if known.size <= MOST_COUNTED_AT_ONCE:
        return db.short_read()
    [state] = await db.fetch(_state(), user_id=user_id)
    return db.short_read() if known.state == tuple(state) else db.read()


@cache
def _state() -> Select[int, int]:
    removals = select(RemovalCount.count).scalar_subquery()
    user_id: Any = bindparam("user_id")
    return select(position_clause(user_id), func.coalesce(removals, 0))


async def tally_inbox(
    session: AsyncSession, user_id: int, state: State, up_to_position: int | None
) -> InboxTally:
    """The groups of the user's inbox; of its notices up to this position, if it is given.

    `state` is that of the totals in this session.
    """
    inbox = await _present(session, user_id, state)
    if up_to_position is None or up_to_position >= state.position:
        return inbox
    newer = Notification.position > up_to_position
    keys = await _keys(session, user_id, in_inbox, newer)
    older = Notification.position <= up_to_position
    if keys is None:
        return await _count_all(session, user_id, state, older)
    return inbox.with_groups(await _count(session, user_id, keys, older), state)


async def _present(session: AsyncSession, user_id: int, state: State) -> InboxTally:
    inboxes: TalliedInboxes = session.info["tallied_inboxes"]
    known = inboxes.get(user_id)
    if known and known.state == state:
        return known
    inbox = await _catch_up(session, user_id, known, state) if known else None
    if inbox is None:
        inbox = await _count_all(session, user_id, state)
    # What an act has counted may be rolled back, and its position allotted again.
    if not is_act(session):
        inboxes.keep(user_id, inbox)
    return inbox


async def _count_all(
    session: AsyncSession, user_id: int, state: State, *clauses: Any
) -> InboxTally:
    rows = await session.execute(tallied(Notification.user_id == user_id, in_inbox, *clauses))
    return InboxTally.of({row[0]: Tally(*row[1:]) for row in rows}, state)


async def _catch_up(
    session: AsyncSession, user_id: int, known: InboxTally, state: State
) -> InboxTally | None:
    """What was `known`, brought up to this state; None where all must be counted anew."""
    if state.removals != known.state.removals or state.position < known.state.position:
        return None
    last = known.state.position
    since = Change.user_id == user_id, Change.id > last, Change.kind.not_in(IRRELEVANT)
    changes = (
        await session.execute(
            select(Change.kind, Change.ids, Change.up_to).where(*since).limit(MOST_CHANGES + 1)
        )
    ).all()
    if len(changes) > MOST_CHANGES or any(_concerns_all(change) for change in changes):
        return None
    ids = [one for change in changes for one in change.ids]
    if len(ids) > MOST_GROUPS:
        return None
    arrived = await _keys(session, user_id, in_inbox, Notification.position > last)
    changed = await _keys(session, user_id, Notification.id.in_(ids)) if ids else set()
    former = select(Superseded.group_key).where(Superseded.notification_id.in_(ids))
    if ids and changed is not None:
        changed |= set(await session.scalars(former.distinct()))
    if arrived is None or changed is None:
        return None
    return known.with_groups(await _count(session, user_id, arrived | changed), state)


def _concerns_all(change: Any) -> bool:
    return change.up_to is not None or change.kind == REGROUPED


async def _keys(session: AsyncSession, user_id: int, *clauses: Any) -> set[str] | None:
    """The keys of the groups of these notifications; None if there are more than MOST_GROUPS.

    DISTINCT would make SQLite walk all groups.
    """
    keys = select(key_for_reader()).where(Notification.user_id == user_id, *clauses)
    found = (await session.scalars(keys.limit(MOST_GROUPS + 1))).all()
    return set(found) if len(found) <= MOST_GROUPS else None


async def _count(
    session: AsyncSession, user_id: int, keys: Collection[str], *clauses: Any
) -> dict[str, Tally | None]:
    counted: dict[str, Tally | None] = dict.fromkeys(keys)
    for some in filter(None, split_keys(keys)):
        rows = tallied(Notification.user_id == user_id, in_inbox, in_groups(some), *clauses)
        counted |= {row[0]: Tally(*row[1:]) for row in await session.execute(rows)}
    return counted
