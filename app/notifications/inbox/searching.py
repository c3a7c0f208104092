"""Carries out a search: finds the newest notifications that match, once for all that a page needs.

A word may be in a hundred thousand notifications or in one. PostgreSQL knows from its statistics how
common it is, and plans accordingly. SQLite does not; it looks at the newest events that match, which
are usually all or enough.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal, literal_column, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Notification
from app.notifications.inbox.feed import NEWEST_FIRST
from app.notifications.inbox.filters import Filter
from app.notifications.search.index import events_found, newest_events_found

MOST_FOUND = 1_000
# Looked up one by one, they take some five and some twenty milliseconds; a walk takes fifty.
MOST_EVENTS = (1_500, 15_000)
# SQLite uses no index for this column, so that it walks along the positions.
_WALKED: ColumnElement[int] = literal_column("+notification.event_id")


async def narrow(session: AsyncSession, wanted: Filter) -> Filter:
    """The filter with the newest MOST_FOUND of what its search finds; itself if it has no search."""
    if not wanted.search.texts:
        return wanted
    return replace(wanted, found=tuple(await _find(session, wanted)))


async def _find(session: AsyncSession, wanted: Filter) -> Sequence[int]:
    if session.get_bind().dialect.name != "sqlite":
        return await _find_all(session, wanted, Notification.event_id)
    for events in MOST_EVENTS:
        found = await _find_among_newest(session, wanted, events)
        if found is not None:
            return found
    return await _find_all(session, wanted, _WALKED)


async def _find_all(session: AsyncSession, wanted: Filter, event_id: Any) -> Sequence[int]:
    is_found = event_id.in_(events_found(wanted.search, wanted.user_id))
    rows = _others(wanted, Notification.id).where(is_found).order_by(*NEWEST_FIRST)
    return (await session.scalars(rows.limit(MOST_FOUND))).all()


async def _find_among_newest(
    session: AsyncSession, wanted: Filter, events: int
) -> Sequence[int] | None:
    """Among so many of the newest events that match; None if older ones may belong to the result."""
    rows = (await session.execute(_among_newest(wanted, events))).all()
    found = [row for row in rows if row.id is not None]
    if rows[0].events == events:
        if len(found) < MOST_FOUND:
            return None
        # Older events stand below, except where a notification of one came back to the top.
        above = Notification.position >= found[-1].position
        come_back = _others(wanted, literal(1)).where(above, rows[0].oldest > _WALKED)
        if await session.scalar(come_back.limit(1)):
            return None
    return [row.id for row in found]


def _among_newest(wanted: Filter, most: int) -> Select[*tuple[Any, ...]]:
    """The rows, with the number of the events and the oldest of them."""
    newest = newest_events_found(wanted.search, wanted.user_id, most)
    events = newest.cte("events").prefix_with("MATERIALIZED")
    event_id = events.c.event_id
    state = select(func.count().label("events"), func.min(event_id).label("oldest")).select_from(
        events
    )
    rows = (
        _others(wanted, Notification.id, Notification.position)
        .where(Notification.event_id.in_(select(event_id)))
        .order_by(*NEWEST_FIRST)
        .limit(MOST_FOUND)
        .subquery("found")
    )
    all_of_them = state.subquery("state")
    return (
        select(all_of_them, rows)
        .join_from(all_of_them, rows, literal(True), isouter=True)
        .order_by(rows.c.position.desc(), rows.c.id.desc())
    )


def _others(wanted: Filter, *columns: Any) -> Select[*tuple[Any, ...]]:
    """The user's notifications that match all but the words."""
    mine = Notification.user_id == wanted.user_id
    return select(*columns).select_from(Notification).where(mine, *wanted.clauses(with_words=False))
