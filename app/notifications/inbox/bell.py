"""The bell: the unread count, the newest notifications, and the position they belong to."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Row, Select, bindparam, func, literal, select, text

from app.database import Database
from app.models import Notification, User
from app.notifications.events.notices import Notice, as_notices, notices_of
from app.notifications.inbox.feed import (
    MOST_COUNTED,
    NEWEST_FIRST,
    PER_PAGE,
    in_inbox,
    position_clause,
    unread,
)
from app.notifications.inbox.filters import Filter
from app.notifications.inbox.groups import read_group_page
from app.notifications.inbox.tallies import reading_groups
from app.notifications.inbox.totals import Totals, count_totals


@dataclass(frozen=True)
class Bell:
    """`unread` is capped at 100; `position` is that of the last change included. If it `is_grouped`, the
    notices are the newest of their groups.
    """

    unread: int
    position: int
    notices: list[Notice]
    is_grouped: bool = False


def newest_first(notice: Notice) -> tuple[int, int]:
    return -notice.position, -notice.id


async def look(db: Database, user: User) -> Bell:
    if user.grouping:
        return await _look_at_groups(db, user.id)
    return _as_bell(await db.fetch(_bell(), user_id=user.id))


async def _look_at_groups(db: Database, user_id: int) -> Bell:
    inbox = Filter()
    async with await reading_groups(db, user_id, inbox) as session:
        totals = await count_totals(session, user_id, inbox)
        page = await read_group_page(session, user_id, inbox, 0, PER_PAGE, totals)
    return bell_of_groups(totals, page.notices)


def bell_of_groups(totals: Totals, newest: list[Notice]) -> Bell:
    """`newest`: the first page of the groups of the whole inbox."""
    unread_count = min(totals.unread_count, MOST_COUNTED)
    return Bell(unread_count, totals.position, newest, is_grouped=True)


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
    unread_rows = (
        select(text("1")).select_from(Notification).where(Notification.user_id == user_id, unread)
    )
    capped = select(func.count()).select_from(unread_rows.limit(MOST_COUNTED).subquery())
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
