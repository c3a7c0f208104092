"""The bell: the unread count, the newest notifications, and the position they belong to."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from sqlalchemy import Row, Select, bindparam, literal, select

from app.database import Database
from app.models import User
from app.notifications.events.notices import Notice, as_notices, notices_of
from app.notifications.inbox.feed import (
    MOST_COUNTED,
    NEWEST_FIRST,
    PER_PAGE,
    count_up_to,
    in_inbox,
    position_clause,
    unread,
)
from app.notifications.inbox.filters import Filter
from app.notifications.inbox.groups import read_group_page
from app.notifications.inbox.tallies import reading_groups
from app.notifications.inbox.totals import Totals, count_totals
from app.notifications.inbox.urgent import urgent_above, urgent_groups_above


@dataclass(frozen=True)
class Bell:
    """`unread` is capped at 100; `position` is that of the last change included. If `is_grouped`,
    each notice is the newest of its group. Notices are newest first; with `urgent_first`, unread
    urgent ones come before the others.
    """

    unread: int
    position: int
    notices: list[Notice]
    is_grouped: bool = False
    urgent_first: bool = False

    @property
    def is_arranged(self) -> bool:
        """Whether only the server knows where in the list a new notification belongs."""
        return self.is_grouped or self.urgent_first


def newest_first(notice: Notice) -> tuple[int, int]:
    return -notice.position, -notice.id


async def read_bell(db: Database, user: User) -> Bell:
    if user.grouping:
        return await _look_at_groups(db, user)
    if user.urgent_first:
        return await _look_at_urgent_first(db, user)
    return _as_bell(await db.fetch(_bell(), user_id=user.id))


async def _look_at_groups(db: Database, user: User) -> Bell:
    inbox = Filter()
    async with reading_groups(db, inbox) as session:
        totals = await count_totals(session, user.id, inbox)
        keys = await urgent_groups_above(session, user, inbox)
        page = await read_group_page(session, user.id, inbox, 0, PER_PAGE, totals, keys)
    return bell_of(user, totals, [*page.on_top, *page.notices])


def bell_of(user: User, totals: Totals, notices: list[Notice]) -> Bell:
    """`notices`: the first page of the whole inbox, as this user sees it."""
    return Bell(
        min(totals.unread_count, MOST_COUNTED),
        totals.position,
        notices[:PER_PAGE],
        is_grouped=user.grouping,
        urgent_first=user.urgent_first,
    )


async def _look_at_urgent_first(db: Database, user: User) -> Bell:
    async with db.short_read() as session:
        urgent = await urgent_above(session, user, Filter())
        bell = _as_bell((await session.execute(_bell(), {"user_id": user.id})).all())
    notices = {one.id: one for one in (*urgent, *bell.notices)}
    return replace(bell, notices=list(notices.values())[:PER_PAGE], urgent_first=True)


def _as_bell(rows: Sequence[Row[*tuple[Any, ...]]]) -> Bell:
    newest = [row for row in rows if row.id is not None]
    notices = as_notices(newest, skipped=2)
    return Bell(rows[0].unread, rows[0].changed_at, sorted(notices, key=newest_first))


@cache
def _bell() -> Select[*tuple[Any, ...]]:
    """Rows (unread, changed_at, and what a notice needs) of one statement, so that they agree. Built once,
    because every page runs it.
    """
    user_id: Any = bindparam("user_id")
    capped = count_up_to(MOST_COUNTED, user_id, unread)
    state = select(
        capped.scalar_subquery().label("unread"), position_clause(user_id).label("changed_at")
    ).subquery("state")
    newest = (
        notices_of(user_id)
        .where(in_inbox)
        .order_by(*NEWEST_FIRST)
        .limit(PER_PAGE)
        .subquery("newest")
    )
    return select(state.c.unread, state.c.changed_at, newest).join_from(
        state, newest, literal(True), isouter=True
    )
