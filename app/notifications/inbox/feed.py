"""A recipient's notices: a page of them, how many are unread; mark, delete, undo, in bulk.

Every statement is scoped to the person, so what is not theirs is not there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, Select, and_, case, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.errors import NotFound
from app.language import _
from app.models import (
    Change,
    Notification,
)
from app.models.notification import SHOWN, UNREAD
from app.notifications.events.notices import Notice, as_notice, notices_of
from app.notifications.events.positions import record_change
from app.notifications.inbox.filters import Filters
from app.security import signer_of

PER_PAGE = 20
MOST_COUNTED = 100
IDS_PER_CHANGE = 1000
UNDO_FOR = timedelta(minutes=10)

# Written out as the partial indexes have them: SQLite uses an index only where the words agree.
shown = text(SHOWN)
unread = text(UNREAD)
kept = Notification.deleted_at.is_(None)


async def newest(session: AsyncSession, user_id: int, most: int = PER_PAGE) -> list[Notice]:
    rows = notices_of(user_id).where(shown).order_by(Notification.event_id.desc()).limit(most)
    return [as_notice(row) for row in await session.execute(rows)]


async def read_page(
    session: AsyncSession, user_id: int, filters: Filters, page: int, matching: int
) -> list[Notice]:
    """Page `page` (from 1) of the `matching` notices, newest first."""
    return await read_slice(session, user_id, filters, (page - 1) * PER_PAGE, PER_PAGE, matching)


async def read_slice(
    session: AsyncSession, user_id: int, filters: Filters, first: int, most: int, matching: int
) -> list[Notice]:
    """At most `most` of the `matching` notices from the one at `first` (from 0), newest first.

    Read from the nearer end; beyond the last there are none.
    """
    if not 0 <= first < matching:
        return []
    wanted = select(Notification.id).where(Notification.user_id == user_id, *filters.clauses())
    size = min(most, matching - first)
    if first > matching / 2:
        wanted = wanted.order_by(Notification.event_id.asc()).offset(matching - first - size)
    else:
        wanted = wanted.order_by(Notification.event_id.desc()).offset(first)
    ids = wanted.limit(size).subquery()
    rows = notices_of(user_id).where(Notification.id.in_(select(ids.c.id)))
    return [
        as_notice(row) for row in await session.execute(rows.order_by(Notification.event_id.desc()))
    ]


async def find(
    session: AsyncSession, user_id: int, notification_id: int, *, also_hidden: bool = False
) -> Notice:
    """One notice; raises NotFound where there is none of that id for this person.

    `also_hidden`: also one of which only mail or push tells, and which leads here from there.
    """
    wanted = and_(Notification.id == notification_id, kept if also_hidden else shown)
    row = (await session.execute(notices_of(user_id).where(wanted))).one_or_none()
    if row is None:
        raise NotFound
    return as_notice(row)


async def unread_count(session: AsyncSession, user_id: int, most: int | None = None) -> int:
    """How many are unread; counting stops at `most`."""
    rows = (
        select(text("1")).select_from(Notification).where(Notification.user_id == user_id, unread)
    )
    counted = rows.limit(most).subquery()
    return int((await session.execute(select(func.count()).select_from(counted))).scalar_one())


async def still_unread(session: AsyncSession, user_id: int, ids: Sequence[int]) -> Sequence[int]:
    """Those of `ids` that this person has and has not read, also where the app does not show them."""
    mine = select(Notification.id).where(Notification.user_id == user_id, kept)
    unread = mine.where(Notification.id.in_(ids), Notification.read_at.is_(None))
    return (await session.scalars(unread)).all()


async def position_of(session: AsyncSession, user_id: int) -> int:
    """The position of the last thing that happened to this person's notices."""
    return int((await session.execute(select(position_clause(user_id)))).scalar_one())


def position_clause(user_id: int) -> ColumnElement[int]:
    told = select(func.max(Notification.event_id)).where(Notification.user_id == user_id)
    changed = select(func.max(Change.id)).where(Change.user_id == user_id)
    a, b = func.coalesce(told.scalar_subquery(), 0), func.coalesce(changed.scalar_subquery(), 0)
    return case((a > b, a), else_=b)


async def mark(session: AsyncSession, user_id: int, ids: Sequence[int], *, read: bool) -> int:
    """Mark these as read or unread, also what the app does not show; returns how many changed."""
    return await _mark(session, user_id, Notification.id.in_(ids), read=read)


async def mark_matching(
    session: AsyncSession, user_id: int, filters: Filters, up_to: int, *, read: bool
) -> int:
    """Mark all that match and are not newer than notice `up_to`."""
    if read and filters.is_everything:
        return await read_all(session, user_id, up_to)
    return await _mark(
        session, user_id, and_(Notification.id <= up_to, *filters.clauses()), read=read
    )


async def read_all(session: AsyncSession, user_id: int, up_to: int) -> int:
    """The whole inbox up to notice `up_to`, in one UPDATE and one change."""
    marked = (
        update(Notification)
        .where(Notification.user_id == user_id, Notification.id <= up_to, unread)
        .values(read_at=clock.now())
        .execution_options(synchronize_session=False)
    )
    count = int((await session.execute(marked)).rowcount)  # type: ignore[attr-defined]
    if count:
        await record_change(session, "read", user_id, up_to=up_to)
    return count


async def _mark(
    session: AsyncSession, user_id: int, which: ColumnElement[bool], *, read: bool
) -> int:
    is_other = Notification.read_at.is_(None) if read else Notification.read_at.is_not(None)
    marked = (
        update(Notification)
        .where(Notification.user_id == user_id, kept, is_other, which)
        .values(read_at=clock.now() if read else None)
        .returning(Notification.id, Notification.hidden)
        .execution_options(synchronize_session=False)
    )
    rows = (await session.execute(marked)).all()
    ids = sorted(row.id for row in rows if not row.hidden)
    await _record(session, "read" if read else "unread", user_id, ids)
    return len(rows)


async def delete(session: AsyncSession, user_id: int, ids: Sequence[int]) -> tuple[int, str]:
    """Delete these; returns how many, and the token that brings them back within ten minutes."""
    return await _delete(session, user_id, Notification.id.in_(ids))


async def delete_matching(
    session: AsyncSession, user_id: int, filters: Filters, up_to: int
) -> tuple[int, str]:
    """Delete all that match and are not newer than notice `up_to`."""
    return await _delete(session, user_id, and_(Notification.id <= up_to, *filters.clauses()))


async def _delete(
    session: AsyncSession, user_id: int, which: ColumnElement[bool]
) -> tuple[int, str]:
    gone = (
        update(Notification)
        .where(Notification.user_id == user_id, shown, which)
        .values(deleted_at=clock.now())
        .returning(Notification.id)
        .execution_options(synchronize_session=False)
    )
    ids = sorted((await session.execute(gone)).scalars())
    if not ids:
        return 0, ""
    change = await _record(session, "deleted", user_id, ids)
    deleted_at = clock.now()
    await session.execute(
        update(Notification)
        .where(
            Notification.user_id == user_id,
            Notification.deleted_at <= deleted_at,
            Notification.deleted_in.is_(None),
        )
        .values(deleted_in=change)
        .execution_options(synchronize_session=False)
    )
    return len(ids), signer_of(session).sign("undo", [user_id, change])


async def undo(session: AsyncSession, user_id: int, token: str) -> int:
    """Bring back what the token's deletion took; raises NotFound if foreign, used or expired."""
    owner, change = signer_of(session).unsign("undo", token, max_age=int(UNDO_FOR.total_seconds()))
    restored = (
        update(Notification)
        .where(
            Notification.user_id == user_id,
            Notification.deleted_in == change,
            # A page that is open longer renews the token, but not the ten minutes.
            Notification.deleted_at > clock.now() - UNDO_FOR,
        )
        .values(deleted_at=None, deleted_in=None)
        .returning(Notification.id)
        .execution_options(synchronize_session=False)
    )
    ids = sorted((await session.execute(restored)).scalars()) if owner == user_id else []
    if not ids:
        raise NotFound(_("There is nothing left to bring back."))
    await _record(session, "restored", user_id, ids)
    return len(ids)


async def _record(session: AsyncSession, kind: str, user_id: int, ids: list[int]) -> int:
    """Changes of at most 1,000 ids each; returns the first one's position, 0 when there is none."""
    changes = [
        await record_change(session, kind, user_id, ids=ids[start : start + IDS_PER_CHANGE])
        for start in range(0, len(ids), IDS_PER_CHANGE)
    ]
    return changes[0] if changes else 0


async def newest_id(session: AsyncSession, user_id: int) -> int:
    """The id of the newest notice in the inbox, the watermark for bulk; 0 when there is none."""
    return await session.scalar(_newest(user_id)) or 0


def _newest(user_id: int) -> Select[int]:
    mine = select(Notification.id).where(Notification.user_id == user_id, shown)
    return mine.order_by(Notification.event_id.desc()).limit(1)


@dataclass(frozen=True)
class Totals:
    """How many notices: in the inbox, matching the filters, unread; and the watermark for bulk."""

    total: int
    filtered_count: int
    unread_count: int
    up_to: int
    position: int


async def count_totals(session: AsyncSession, user_id: int, filters: Filters) -> Totals:
    """All five in one statement."""
    mine = Notification.user_id == user_id
    total = select(func.count()).where(mine, shown)
    matching = (
        total if filters.is_everything else select(func.count()).where(mine, *filters.clauses())
    )
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
