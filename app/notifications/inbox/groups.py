"""Pages of groups: notices of one type about one subject, which share a row of the list.

`read_group_page` is to a grouped list what `feed.read_slice` is to a plain one. A group has all of its
notices that match the view and the filter, however old; the filter `group_key` lists them.

A row needs its counts, its newest notice (the head), and the people who acted. Counts and people come
from the cache (tallies.py) if it keeps the list. Otherwise one statement counts the groups of all
matching notifications, and people are read for each page; so is the head in either case.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Row, Select, and_, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.database.id_lists import ids_in
from app.database.short_reads import execute_aside
from app.models import Event, Notification, User
from app.notifications.events.grouping import in_groups, key_for_reader
from app.notifications.events.notices import Group, Notice, as_notices, notices_of
from app.notifications.events.sentences import isolated_summary, team_phrase_of_group
from app.notifications.inbox.feed import NEWEST_FIRST
from app.notifications.inbox.filters import BEYOND_ALL_POSITIONS, Filter, FilterKey
from app.notifications.inbox.open_rows import RemovedRow
from app.notifications.inbox.tallies import (
    MOST_ACTORS,
    STATEMENTS_KEPT,
    People,
    Tally,
    has_cached_groups,
    select_tallies,
    tally_groups,
)
from app.notifications.inbox.totals import Totals
from app.values.faces import Face
from app.values.numbers import GREATEST_ID

_user_id: Any = bindparam("user_id")
# People are read from this many of the newest notices of a group.
PARTS_READ = 1_000


@dataclass(frozen=True)
class GroupPage:
    """`notices` are the heads of the groups on the page, newest first, each with its `group`; `count`
    is the number of groups on all pages. `on_top` are the heads of the groups above the list, which
    `count` leaves out.
    """

    notices: list[Notice]
    count: int
    on_top: list[Notice] = field(default_factory=list)


async def read_group_page(
    session: AsyncSession,
    user_id: int,
    wanted: Filter,
    first: int,
    most: int,
    totals: Totals,
    keys_on_top: Sequence[str] = (),
) -> GroupPage:
    """At most `most` of the groups that match `wanted`, newest first, from index `first` (from 0).

    `session` was opened by `reading_groups`; `totals` were read in it, for any filter. The groups with
    `keys_on_top` stand above the first page of the whole inbox, and on no page.
    """
    if has_cached_groups(wanted):
        tally = await tally_groups(session, user_id, wanted, totals.version)
        on_top = tally.some(keys_on_top) if first == 0 else {}
        tallies = on_top | tally.slice(first, most, keys_on_top)
        count, known = tally.count - len(keys_on_top), tally.people
    else:
        tallies, count = await _page_of_tallies(session, user_id, wanted, first, most)
        known = {}
    if not tallies:
        return GroupPage([], count)
    heads = await _read_heads(session, user_id, wanted, tallies)
    people = await _people(session, user_id, wanted, heads, tallies, known)
    faces = await _faces(session, heads, people.values())
    notices = _notices(heads, tallies, people, faces)
    above = [one for one in notices if one.group_key in keys_on_top]
    return GroupPage(notices[len(above) :], count, above)


async def count_groups(session: AsyncSession, user_id: int, wanted: Filter, totals: Totals) -> int:
    """The number of groups that match; `totals` were read in the same session."""
    if has_cached_groups(wanted):
        return (await tally_groups(session, user_id, wanted, totals.version)).count
    return await _number_of_groups(session, user_id, wanted)


async def add_groups(
    session: AsyncSession,
    user_id: int,
    wanted: Filter,
    rows: Sequence[Notice | RemovedRow],
    totals: Totals,
) -> list[Notice | RemovedRow]:
    """The rows of a grouped list that is open in a browser, with their groups as they are now.

    If the notice of a row has left its group, the row gets the group's present head, which another row
    may have as well.
    """
    columns = select(Notification.id, key_for_reader().label("group_key"))
    mine = columns.where(Notification.user_id == user_id)
    these = mine.where(Notification.id.in_([row.id for row in rows]))
    keys = {row.id: row.group_key for row in await session.execute(these)}
    tallies = await _tallies_by_key(session, user_id, wanted, set(keys.values()), totals)
    heads = await _read_heads(session, user_id, wanted, tallies)
    people = await _people(session, user_id, wanted, heads, tallies, {})
    faces = await _faces(session, heads, people.values())
    notices = {one.group_key: one for one in _notices(heads, tallies, people, faces)}
    return [notices.get(keys.get(row.id, ""), row) for row in rows]


async def _tallies_by_key(
    session: AsyncSession, user_id: int, wanted: Filter, keys: Set[str], totals: Totals
) -> dict[str, Tally]:
    if has_cached_groups(wanted):
        return (await tally_groups(session, user_id, wanted, totals.version)).some(keys)
    rows = select_tallies(
        key_for_reader(user_id), Notification.user_id == user_id, *wanted.clauses(), in_groups(keys)
    )
    return {row[0]: Tally(*row[1:]) for row in await session.execute(rows)}


async def _page_of_tallies(
    session: AsyncSession, user_id: int, wanted: Filter, first: int, most: int
) -> tuple[dict[str, Tally], int]:
    groups = select_tallies(
        key_for_reader(user_id), Notification.user_id == user_id, *wanted.clauses()
    ).cte("groups")
    newest_first = groups.c.position.desc(), groups.c.group_key.desc()
    rows = (
        await session.execute(
            select(groups, func.count().over().label("all"))
            .order_by(*newest_first)
            .offset(min(first, GREATEST_ID))
            .limit(most)
        )
    ).all()
    if not rows and first:
        return {}, await _number_of_groups(session, user_id, wanted)
    tallies = {row.group_key: Tally(row.position, row.notices, row.unread) for row in rows}
    return tallies, rows[0].all if rows else 0


async def _number_of_groups(session: AsyncSession, user_id: int, wanted: Filter) -> int:
    groups = select_tallies(
        key_for_reader(user_id), Notification.user_id == user_id, *wanted.clauses()
    ).subquery()
    return await session.scalar(select(func.count()).select_from(groups)) or 0


async def _read_heads(
    session: AsyncSession, user_id: int, wanted: Filter, tallies: Mapping[str, Tally]
) -> list[Row[Any]]:
    """The newest notice of each group; any of them if several came back together, at one position."""
    rows = _cached_heads(wanted.key) if has_cached_groups(wanted) else _heads(wanted)
    positions = {tally.position for tally in tallies.values()}
    values = {"user_id": user_id, "positions": positions}
    heads: dict[str, Row[Any]] = {}
    for row in await session.execute(rows, values):
        if (tally := tallies.get(row.group_key)) and tally.position == row.position:
            heads.setdefault(row.group_key, row)
    return [heads[key] for key in tallies if key in heads]


@lru_cache(STATEMENTS_KEPT)
def _cached_heads(chosen: FilterKey) -> Select[Any]:
    """Built once, because building it takes longer than running it."""
    return _heads(Filter(dict(chosen)))


def _heads(wanted: Filter) -> Select[Any]:
    return (
        notices_of(_user_id)
        .where(
            *wanted.clauses(),
            Notification.position.in_(ids_in("positions")),
        )
        .order_by(*NEWEST_FIRST)
    )


async def _people(
    session: AsyncSession,
    user_id: int,
    wanted: Filter,
    heads: Sequence[Row[Any]],
    tallies: Mapping[str, Tally],
    known: dict[str, People],
) -> dict[str, People]:
    """The people of each group, by key. Adds those that it reads to `known`, which the cache keeps."""
    people = {
        head.group_key: _people_of_one(head)
        for head in heads
        if tallies[head.group_key].notices == 1
    }
    people |= {head.group_key: known[head.group_key] for head in heads if head.group_key in known}
    if missing := {head.group_key: head for head in heads if head.group_key not in people}:
        parts = sum(min(tallies[key].notices, PARTS_READ) for key in missing)
        are_many = parts > PARTS_READ
        found = await _read_people(session, user_id, wanted, missing, are_many=are_many)
        known |= found
        people |= found
    return people


def _people_of_one(head: Row[Any]) -> People:
    return People() if head.actor_id is None else People((head.actor_id,), 1)


async def _read_people(
    session: AsyncSession,
    user_id: int,
    wanted: Filter,
    heads: Mapping[str, Row[Any]],
    *,
    are_many: bool,
) -> dict[str, People]:
    ids = [head.id for head in heads.values()]
    end = BEYOND_ALL_POSITIONS if wanted.up_to_position is None else wanted.up_to_position
    people = (
        _cached_people(wanted.key) if has_cached_groups(wanted) else _people_among(wanted.clauses())
    )
    values = {"user_id": user_id, "heads": ids, "end": end}
    if are_many:
        rows = await execute_aside(session, people, values)
    else:
        rows = (await session.execute(people, values)).all()
    return _as_people(rows, heads)


def _as_people(
    rows: Iterable[Row[*tuple[Any, ...]]], heads: Mapping[str, Row[Any]]
) -> dict[str, People]:
    """`rows` are those of `_people_among`."""
    actors: defaultdict[str, list[int]] = defaultdict(list)
    affected: defaultdict[str, set[int]] = defaultdict(set)
    for key, actor, affected_user in rows:
        if actor is not None and actor not in actors[key]:
            actors[key].append(actor)
        if affected_user is not None:
            affected[key].add(affected_user)
    return {
        key: People(
            tuple(actors[key][:MOST_ACTORS]),
            len(actors[key]),
            len(set(actors[key]) - {head.actor_id}),
            len(affected[key] - {head.affected_id}),
        )
        for key, head in heads.items()
    }


@lru_cache(STATEMENTS_KEPT)
def _cached_people(chosen: FilterKey) -> Select[*tuple[Any, ...]]:
    up_to_end = Notification.position <= bindparam("end")
    return _people_among([*Filter(dict(chosen)).clauses(), up_to_end])


def _people_among(clauses: Sequence[Any]) -> Select[*tuple[Any, ...]]:
    """Rows (group_key, actor, affected user), newest first, without repetitions, of the newest
    PARTS_READ notices of each group whose head is among the ids `heads`.
    """
    head = aliased(Notification)
    part = Notification.user_id == _user_id, *clauses
    oldest = (
        select(Notification.position)
        .where(*part, Notification.group_key == head.group_key)
        .order_by(Notification.position.desc())
        .offset(PARTS_READ - 1)
        .limit(1)
        .correlate(head)
    )
    groups = (
        select(
            head.group_key.label("of_group"),
            func.coalesce(oldest.scalar_subquery(), 0).label("oldest"),
        )
        .where(head.id.in_(ids_in("heads")))
        .cte("groups")
        .prefix_with("MATERIALIZED")
    )
    return (
        select(Notification.group_key, Event.actor_id, Event.affected_id)
        .select_from(groups)
        .join(
            Notification,
            and_(
                Notification.group_key == groups.c.of_group,
                Notification.position >= groups.c.oldest,
            ),
        )
        .join(Event, Event.id == Notification.event_id)
        .where(*part)
        .group_by(Notification.group_key, Event.actor_id, Event.affected_id)
        .order_by(func.max(Notification.position).desc())
    )


async def _faces(
    session: AsyncSession, heads: Sequence[Row[Any]], people: Iterable[People]
) -> dict[int, Face]:
    """The actors that still have an account, by id."""
    faces = {
        head.actor_id: Face(head.actor_id, head.actor, head.actor_avatar)
        for head in heads
        if head.actor is not None
    }
    if missing := {actor for one in people for actor in one.actors} - faces.keys():
        columns = select(User.id, User.username, User.avatar).where(User.id.in_(missing))
        faces |= {row.id: Face(*row) for row in await session.execute(columns)}
    return faces


def _notices(
    heads: Sequence[Row[Any]],
    tallies: Mapping[str, Tally],
    people: Mapping[str, People],
    faces: Mapping[int, Face],
) -> list[Notice]:
    """The notices of the heads, with their groups."""
    return [
        _with_group(one, head, tallies[head.group_key], people[head.group_key], faces)
        for one, head in zip(as_notices(heads), heads, strict=True)
    ]


def _with_group(
    notice: Notice, head: Row[Any], tally: Tally, people: People, faces: Mapping[int, Face]
) -> Notice:
    counts = (tally.notices, tally.notices - 1, people.other_actors, people.other_affected)
    to_affected = head.affected_id == head.user_id
    group = Group(
        key=head.group_key,
        count=tally.notices,
        unread_count=tally.unread,
        actors=[faces[one] for one in people.actors if one in faces],
        actor_count=people.actor_count,
        summary=isolated_summary(head.type, head.context, counts, to_affected=to_affected),
    )
    phrase = team_phrase_of_group(head.type, counts, notice.team_phrase)
    return replace(notice, group=group, team_phrase=phrase)
