"""Unread urgent notices, shown above the rest of the inbox and first in the bell if the user wants
that.

They are left out of the list below, on all its pages, so that none appears twice. In a list of
groups, the groups that contain an urgent notice are treated in the same way.
"""

from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, bindparam, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.models import Notification, User
from app.notifications.events.grouping import key_for_reader
from app.notifications.events.notices import Notice, as_notices, notices_of
from app.notifications.inbox.feed import NEWEST_FIRST, unread
from app.notifications.inbox.filters import BEYOND_ALL_POSITIONS, Filter, is_urgent

# At most MOST_URGENT are shown above, from among the newest LOOKED_AT unread notices. Others keep
# their places in the list.
MOST_URGENT = 20
LOOKED_AT = 1_000

_user_id: Any = bindparam("user_id")
_end: Any = bindparam("end")
_skipped, _most = (bindparam(name, type_=Integer) for name in ("skipped", "most"))


async def urgent_above(session: AsyncSession, user: User, wanted: Filter) -> list[Notice]:
    """The urgent notices to show above the list that matches `wanted`, newest first."""
    if not _are_above(user, wanted):
        return []
    return await read_urgent(session, user.id, wanted.up_to_position)


async def urgent_groups_above(session: AsyncSession, user: User, wanted: Filter) -> list[str]:
    """The keys of the groups to show above the list of groups, in the same order."""
    if not _are_above(user, wanted):
        return []
    return await read_urgent_groups(session, user.id, wanted.up_to_position)


def _are_above(user: User, wanted: Filter) -> bool:
    """Whether the user wants urgent notices first and the list is the whole inbox, unfiltered."""
    return user.urgent_first and not wanted.chosen


async def read_urgent(
    session: AsyncSession, user_id: int, up_to_position: int | None
) -> list[Notice]:
    """At most MOST_URGENT, newest first, up to this position if it is given."""
    rows = await session.execute(_notices(), _values(user_id, up_to_position))
    return as_notices(rows.all())


async def read_urgent_groups(
    session: AsyncSession, user_id: int, up_to_position: int | None
) -> list[str]:
    """The keys of the groups that contain an urgent notice, in the same order."""
    keys = await session.scalars(_group_keys(), _values(user_id, up_to_position))
    return list(keys)


def _values(user_id: int, up_to_position: int | None) -> dict[str, int]:
    end = BEYOND_ALL_POSITIONS if up_to_position is None else up_to_position
    return {"user_id": user_id, "end": end, "skipped": LOOKED_AT - 1, "most": MOST_URGENT}


# Built once, because every page runs them.
@cache
def _notices() -> Select[Any]:
    return _only_urgent(notices_of(_user_id)).order_by(*NEWEST_FIRST).limit(_most)


@cache
def _group_keys() -> Select[str]:
    keys = select(key_for_reader()).where(Notification.user_id == _user_id).group_by(text("1"))
    newest_first = func.max(Notification.position).desc(), text("1 DESC")
    return _only_urgent(keys).order_by(*newest_first).limit(_most)


def _only_urgent(rows: Select[Any]) -> Select[Any]:
    looked_at = Notification.position >= _oldest(), Notification.position <= _end
    return rows.where(unread, *looked_at, is_urgent())


def _oldest() -> ColumnElement[int]:
    one = aliased(Notification)
    mine = select(one.position).where(one.user_id == _user_id, unread, one.position <= _end)
    last = mine.order_by(one.position.desc()).offset(_skipped).limit(1)
    return func.coalesce(last.scalar_subquery(), 0)
