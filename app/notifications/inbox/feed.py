"""A user's notifications: read a page of them, find and count them.

Every statement is limited to the user's own rows, so those of others are simply not found.
"""

from collections.abc import Collection, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    TextClause,
    and_,
    bindparam,
    func,
    select,
    text,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database
from app.database.id_lists import ids_in
from app.errors import NotFound
from app.models import Change, Notification, User
from app.models.notification import FOLDERS, INBOX, SHOWN, UNREAD
from app.notifications.events.notices import Notice, as_notice, as_notices, notices_of
from app.notifications.inbox.filters import Filter, FilterKey
from app.notifications.inbox.selection import Selection

PER_PAGE = 20
MOST_COUNTED = 100

# Written as in the partial indexes: SQLite uses an index only if the terms are the same.
shown = text(SHOWN)
in_inbox = text(INBOX)
unread = text(UNREAD)
kept = Notification.deleted_at.is_(None)
# By id as well, because notifications that one change brought back share its position.
NEWEST_FIRST = Notification.position.desc(), Notification.id.desc()
OLDEST_FIRST = Notification.position.asc(), Notification.id.asc()

# Statements that every page runs are built once, with parameters: building one takes longer than
# running it.
_user_id: Any = bindparam("user_id")


async def read_page(
    session: AsyncSession,
    user_id: int,
    wanted: Filter,
    page: int,
    matching: int,
    left_out: Collection[int] = (),
) -> list[Notice]:
    """Page `page` (from 1) of the `matching` notifications, newest first."""
    first = (page - 1) * PER_PAGE
    return await read_slice(session, user_id, wanted, first, PER_PAGE, matching, left_out)


async def read_slice(
    session: AsyncSession,
    user_id: int,
    wanted: Filter,
    first: int,
    most: int,
    matching: int,
    left_out: Collection[int] = (),
) -> list[Notice]:
    """At most `most` of the `matching` notifications, newest first, from index `first` (from 0).

    Leaves out the notifications with the ids `left_out`, which `matching` does not count. Reads
    from the nearer end, so that the last page costs no more than the first. Empty beyond the last
    notification.
    """
    if not 0 <= first < matching:
        return []
    size = min(most, matching - first)
    if wanted.found is not None:
        found = {"user_id": user_id, "found": wanted.found[first : first + size]}
        return as_notices((await session.execute(_found(), found)).all())
    from_end = first > matching / 2
    skipped = matching - first - size if from_end else first
    if wanted.is_indexed and wanted.up_to_position is None:
        rows = _indexed_slice(wanted.key, from_end, bool(left_out))
    else:
        rows = _slice(wanted, from_end, bool(left_out))
    values = {"user_id": user_id, "skipped": skipped, "size": size, "left_out": left_out}
    return as_notices((await session.execute(rows, values)).all())


@cache
def _indexed_slice(chosen: FilterKey, from_end: bool, leaves_some_out: bool) -> Select[Any]:
    return _slice(Filter(dict(chosen)), from_end, leaves_some_out)


@cache
def _found() -> Select[Any]:
    rows = notices_of(_user_id).where(Notification.id.in_(ids_in("found")))
    return rows.order_by(*NEWEST_FIRST)


def _slice(wanted: Filter, from_end: bool, leaves_some_out: bool) -> Select[Any]:
    mine = select(Notification.id).where(Notification.user_id == _user_id, *wanted.clauses())
    if leaves_some_out:
        mine = mine.where(Notification.id.not_in(ids_in("left_out")))
    order = OLDEST_FIRST if from_end else NEWEST_FIRST
    skipped, size = (bindparam(name, type_=Integer) for name in ("skipped", "size"))
    ids = mine.order_by(*order).offset(skipped).limit(size).subquery()
    rows = notices_of(_user_id).where(Notification.id.in_(select(ids.c.id)))
    return rows.order_by(*NEWEST_FIRST)


async def find(
    session: AsyncSession, user_id: int, notification_id: int, *, also_hidden: bool = False
) -> Notice:
    """One notification. Raises NotFound if the user has none with this id.

    With `also_hidden`, finds hidden ones too: a mail or a push may link to them.
    """
    wanted = and_(Notification.id == notification_id, kept if also_hidden else shown)
    row = (await session.execute(notices_of(user_id).where(wanted))).one_or_none()
    if row is None:
        raise NotFound
    return as_notice(row)


async def unread_count(session: AsyncSession, user_id: int) -> int:
    """How many notifications are unread."""
    counted = await session.execute(_unread_of_user(), {"user_id": user_id})
    return int(counted.scalar_one())


def count_up_to(most: Any, user_id: Any, which: ColumnElement[bool] | TextClause) -> Select[int]:
    """How many notifications of the user match; counting stops at `most`."""
    rows = select(text("1")).select_from(Notification).where(Notification.user_id == user_id, which)
    return select(func.count()).select_from(rows.limit(most).subquery())


async def count_unread(db: Database, user_id: int) -> int:
    """The same by a short read."""
    [[count]] = await db.fetch(_unread_of_user(), user_id=user_id)
    return count


@cache
def _unread_of_user() -> Select[int]:
    mine = Notification.user_id == _user_id
    return select(func.count()).select_from(Notification).where(mine, unread)


async def still_unread(session: AsyncSession, user_id: int, ids: Sequence[int]) -> Sequence[int]:
    """Those of `ids` that the user has not read, hidden ones included."""
    mine = select(Notification.id).where(Notification.user_id == user_id, kept)
    waiting = mine.where(Notification.id.in_(ids), Notification.read_at.is_(None))
    return (await session.scalars(waiting)).all()


async def position_of(db: Database, user_id: int) -> int:
    """The position of the last change to the user's notifications."""
    [[position]] = await db.fetch(_position(), user_id=user_id)
    return position


@cache
def _position() -> Select[int]:
    return select(position_clause(_user_id))


def position_clause(user_id: int) -> ColumnElement[int]:
    changed = select(func.max(Change.id).label("position")).where(Change.user_id == user_id)
    return _highest(changed, *_newest_in_folders(user_id))


def newest_clause(user_id: int) -> ColumnElement[int]:
    """The highest position of the user's notifications in any folder. It may be higher than that of
    every event and change in the database, because changes are pruned.
    """
    return _highest(*_newest_in_folders(user_id))


def _newest_in_folders(user_id: int) -> list[Select[int]]:
    """One query for each folder, because each folder is a range of the index."""
    newest = select(func.max(Notification.position).label("position"))
    return [
        newest.where(Notification.user_id == user_id, text(f"place = '{folder}' AND {SHOWN}"))
        for folder in FOLDERS
    ]


def _highest(*positions: Select[int]) -> ColumnElement[int]:
    """0 for none. The user may be a column of the statement around it."""
    found = union_all(*(one.correlate(User) for one in positions)).subquery()
    return func.coalesce(select(func.max(found.c.position)).scalar_subquery(), 0)


async def count(session: AsyncSession, user_id: int, selection: Selection) -> int:
    """How many notifications are selected."""
    selected = select(func.count()).where(Notification.user_id == user_id, shown, selection.clause)
    return int((await session.execute(selected.select_from(Notification))).scalar_one())


async def made_at(session: AsyncSession, user_id: int, notification_id: int) -> int:
    """The position at which the user's newest notification up to this id was created; 0 if none.

    Notifications that were updated by a newer event are ignored: they no longer have that position.
    """
    known = select(Notification.event_id).where(
        Notification.user_id == user_id,
        Notification.id <= notification_id,
        Notification.updated_at.is_(None),
    )
    return await session.scalar(known.order_by(Notification.event_id.desc()).limit(1)) or 0
