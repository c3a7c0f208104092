"""A user's notifications: read a page of them, count, mark, delete and restore them.

Every statement is limited to the user's own rows, so those of others are simply not found.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, ScalarSelect, Select, and_, case, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.errors import NotFound
from app.language import _
from app.models import Change, Notification, User
from app.models.notification import SHOWN, UNREAD
from app.notifications.events.notices import Notice, as_notice, notices_of
from app.notifications.events.positions import record_change
from app.notifications.inbox.filters import Filter
from app.notifications.inbox.selection import Selection
from app.security import Signer, signer_of

PER_PAGE = 20
MOST_COUNTED = 100
IDS_PER_CHANGE = 1000
UNDO_FOR = timedelta(minutes=10)

# Written as in the partial indexes: SQLite uses an index only if the terms are the same.
shown = text(SHOWN)
unread = text(UNREAD)
kept = Notification.deleted_at.is_(None)


async def newest(session: AsyncSession, user_id: int, most: int = PER_PAGE) -> list[Notice]:
    rows = notices_of(user_id).where(shown).order_by(Notification.event_id.desc()).limit(most)
    return [as_notice(row) for row in await session.execute(rows)]


async def read_page(
    session: AsyncSession, user_id: int, wanted: Filter, page: int, matching: int
) -> list[Notice]:
    """Page `page` (from 1) of the `matching` notifications, newest first."""
    return await read_slice(session, user_id, wanted, (page - 1) * PER_PAGE, PER_PAGE, matching)


async def read_slice(
    session: AsyncSession, user_id: int, wanted: Filter, first: int, most: int, matching: int
) -> list[Notice]:
    """At most `most` of the `matching` notifications, newest first, from index `first` (from 0).

    Reads from the nearer end, so that the last page costs no more than the first one. Empty
    beyond the last notification.
    """
    if not 0 <= first < matching:
        return []
    mine = select(Notification.id).where(Notification.user_id == user_id, *wanted.clauses())
    size = min(most, matching - first)
    if first > matching / 2:
        mine = mine.order_by(Notification.event_id.asc()).offset(matching - first - size)
    else:
        mine = mine.order_by(Notification.event_id.desc()).offset(first)
    ids = mine.limit(size).subquery()
    rows = notices_of(user_id).where(Notification.id.in_(select(ids.c.id)))
    return [
        as_notice(row) for row in await session.execute(rows.order_by(Notification.event_id.desc()))
    ]


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


async def unread_count(session: AsyncSession, user_id: int, most: int | None = None) -> int:
    """How many notifications are unread; counting stops at `most`."""
    rows = (
        select(text("1")).select_from(Notification).where(Notification.user_id == user_id, unread)
    )
    counted = rows.limit(most).subquery()
    return int((await session.execute(select(func.count()).select_from(counted))).scalar_one())


async def still_unread(session: AsyncSession, user_id: int, ids: Sequence[int]) -> Sequence[int]:
    """Those of `ids` that the user has not read, hidden ones included."""
    mine = select(Notification.id).where(Notification.user_id == user_id, kept)
    waiting = mine.where(Notification.id.in_(ids), Notification.read_at.is_(None))
    return (await session.scalars(waiting)).all()


async def position_of(session: AsyncSession, user_id: int) -> int:
    """The position of the last change to the user's notifications."""
    return int((await session.execute(select(position_clause(user_id)))).scalar_one())


def position_clause(user_id: int) -> ColumnElement[int]:
    told = select(func.max(Notification.event_id)).where(Notification.user_id == user_id)
    changed = select(func.max(Change.id)).where(Change.user_id == user_id)
    a, b = func.coalesce(told.scalar_subquery(), 0), func.coalesce(changed.scalar_subquery(), 0)
    return case((a > b, a), else_=b)


async def count(session: AsyncSession, user_id: int, selection: Selection) -> int:
    """How many notifications of the inbox are selected."""
    selected = select(func.count()).where(Notification.user_id == user_id, shown, selection.clause)
    return int((await session.execute(selected.select_from(Notification))).scalar_one())


async def mark(session: AsyncSession, user_id: int, selection: Selection, *, read: bool) -> int:
    """Mark the selection as read or unread; returns how many notifications changed.

    Hidden notifications are marked if their ids are selected, but streams do not show it.
    """
    if read and selection.is_whole_inbox:
        return await read_all(session, user_id, selection.up_to)
    is_other = Notification.read_at.is_(None) if read else Notification.read_at.is_not(None)
    marked = (
        update(Notification)
        .where(Notification.user_id == user_id, kept, is_other, selection.clause)
        .values(read_at=clock.now() if read else None)
        .returning(Notification.id, Notification.hidden)
        .execution_options(synchronize_session=False)
    )
    rows = (await session.execute(marked)).all()
    ids = sorted(row.id for row in rows if not row.hidden)
    await _record(session, "read" if read else "unread", user_id, ids)
    return len(rows)


async def read_all(session: AsyncSession, user_id: int, up_to: int | None = None) -> int:
    """Mark the inbox as read, up to notification `up_to` if it is given.

    Returns how many notifications changed. One UPDATE and one change, for any number of rows.
    """
    last = await newest_id(session, user_id)
    up_to = last if up_to is None else min(up_to, last)
    marked = (
        update(Notification)
        .where(Notification.user_id == user_id, Notification.id <= up_to, unread)
        .values(read_at=clock.now())
        .execution_options(synchronize_session=False)
    )
    changed = int((await session.execute(marked)).rowcount)  # type: ignore[attr-defined]
    if changed:
        await record_change(session, "read", user_id, up_to=up_to)
    return changed


async def delete(session: AsyncSession, user_id: int, selection: Selection) -> tuple[int, str]:
    """Delete the selection; returns how many, and the token that restores them for ten minutes.

    The token is empty if there was nothing to delete.
    """
    now = clock.now()
    deleted = (
        update(Notification)
        .where(Notification.user_id == user_id, shown, selection.clause)
        .values(deleted_at=now)
        .returning(Notification.id)
        .execution_options(synchronize_session=False)
    )
    ids = sorted((await session.execute(deleted)).scalars())
    if not ids:
        return 0, ""
    change = await _record(session, "deleted", user_id, ids)
    just_deleted = and_(Notification.deleted_at == now, Notification.deleted_in.is_(None))
    await session.execute(
        update(Notification)
        .where(Notification.user_id == user_id, just_deleted)
        .values(deleted_in=change)
        .execution_options(synchronize_session=False)
    )
    nonce = await session.scalar(select(nonce_clause(user_id))) or ""
    return len(ids), undo_token(signer_of(session), nonce, change)


def nonce_clause(user_id: int) -> ScalarSelect[str]:
    return select(User.link_nonce).where(User.id == user_id).scalar_subquery()


def undo_token(signer: Signer, nonce: str, change: int) -> str:
    """The token by which the user with this `link_nonce` restores what was deleted at `change`."""
    return signer.sign("undo", [nonce, change])


async def undo(session: AsyncSession, user_id: int, token: str) -> int:
    """Restore what the deletion with this token removed; returns how many notifications.

    Raises NotFound if the token is another user's, used, or older than ten minutes.
    """
    nonce, change = signer_of(session).unsign("undo", token)
    restored = (
        update(Notification)
        .where(
            Notification.user_id == user_id,
            nonce_clause(user_id) == nonce,
            Notification.deleted_in == change,
            # The deletion's own time: an open page gets fresh tokens for an old deletion.
            Notification.deleted_at > clock.now() - UNDO_FOR,
        )
        .values(deleted_at=None, deleted_in=None)
        .returning(Notification.id)
        .execution_options(synchronize_session=False)
    )
    ids = sorted((await session.execute(restored)).scalars())
    if not ids:
        raise NotFound(_("There is nothing left to undo."))
    await _record(session, "restored", user_id, ids)
    return len(ids)


async def _record(session: AsyncSession, kind: str, user_id: int, ids: list[int]) -> int:
    """Record changes of at most 1,000 ids each; returns the position of the first, 0 for none."""
    changes = [
        await record_change(session, kind, user_id, ids=ids[start : start + IDS_PER_CHANGE])
        for start in range(0, len(ids), IDS_PER_CHANGE)
    ]
    return changes[0] if changes else 0


async def newest_id(session: AsyncSession, user_id: int) -> int:
    """The id of the newest notification in the inbox; 0 for an empty inbox."""
    return await session.scalar(_newest(user_id)) or 0


def _newest(user_id: int) -> Select[int]:
    mine = select(Notification.id).where(Notification.user_id == user_id, shown)
    return mine.order_by(Notification.event_id.desc()).limit(1)


@dataclass(frozen=True)
class Totals:
    """Counts of the inbox, of the matching and of the unread notifications.

    `up_to` is the newest id, the watermark of a selection; `position` that of the last change.
    """

    total: int
    filtered_count: int
    unread_count: int
    up_to: int
    position: int


async def count_totals(session: AsyncSession, user_id: int, wanted: Filter) -> Totals:
    """All totals, in one statement."""
    mine = Notification.user_id == user_id
    total = select(func.count()).where(mine, shown)
    matching = total if wanted.is_open else select(func.count()).where(mine, *wanted.clauses())
    row = (
        await session.execute(
            select(
                total.select_from(Notification).scalar_subquery(),
                matching.select_from(Notification).scalar_subquery(),
                select(func.count())
                .select_from(Notification)
                .where(mine, unread)
                .scalar_subquery(),
                func.coalesce(_newest(user_id).scalar_subquery(), 0),
                position_clause(user_id),
            )
        )
    ).one()
    return Totals(*row)
