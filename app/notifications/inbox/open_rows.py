"""The rows of a list that is open in a browser, kept in place while the user reads.

A refresh updates each row: whether it was read or deleted elsewhere. New notifications are only
counted; they appear when the user asks for them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Row, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.models import Notification
from app.notifications.events.notices import Notice, as_notice, notices_of
from app.notifications.inbox.feed import UNDO_FOR, nonce_clause, undo_token
from app.notifications.inbox.filters import Filter
from app.numbers import whole_number
from app.security import Signer, signer_of

MOST_OPEN_ROWS = 100


@dataclass(frozen=True)
class OpenRows:
    """The ids of the rows, in their order, and `up_to`, the newest notification the page knows."""

    ids: list[int]
    up_to: int


@dataclass(frozen=True)
class RemovedRow:
    """Stands for a notification that is deleted or withdrawn.

    `undo` is the token that restores it, "" if it cannot be restored.
    """

    id: int
    undo: str = ""
    is_deleted: bool = True


def open_rows_in(fields: Mapping[str, str]) -> OpenRows | None:
    """The open rows that a request names in `shown` and `up_to`; None if it names none."""
    ids = [whole_number(one) for one in fields.get("shown", "").split(",")[:MOST_OPEN_ROWS]]
    up_to = whole_number(fields.get("up_to", ""))
    return OpenRows([one for one in ids if one], up_to) if up_to and any(ids) else None


async def read_open_rows(
    session: AsyncSession, user_id: int, ids: Sequence[int]
) -> list[Notice | RemovedRow]:
    """One row for each id, in the same order; a removed row for ids that are not the user's."""
    rows = (
        notices_of(user_id)
        .add_columns(
            Notification.deleted_at, Notification.deleted_in, nonce_clause(user_id).label("nonce")
        )
        .where(Notification.id.in_(ids), ~Notification.hidden)
    )
    found = {row.id: row for row in await session.execute(rows)}
    signer = signer_of(session)
    return [_as_row(signer, found[one]) if one in found else RemovedRow(one) for one in ids]


async def count_newer(session: AsyncSession, user_id: int, wanted: Filter, up_to: int) -> int:
    """How many matching notifications are newer than notification `up_to`.

    Counts from the position of the newest one up to there: `up_to` itself may be purged by now.
    """
    mine = Notification.user_id == user_id
    known = select(Notification.event_id).where(mine, Notification.id <= up_to)
    last = known.order_by(Notification.event_id.desc()).limit(1).scalar_subquery()
    newer = select(func.count()).where(
        mine, *wanted.clauses(), Notification.event_id > func.coalesce(last, 0)
    )
    return int((await session.execute(newer.select_from(Notification))).scalar_one())


def _as_row(signer: Signer, row: Row[tuple[object, ...]]) -> Notice | RemovedRow:
    if row.deleted_at is None:
        return as_notice(row)
    can_undo = row.deleted_in and row.deleted_at > clock.now() - UNDO_FOR
    undo = undo_token(signer, row.nonce, row.deleted_in) if can_undo else ""
    return RemovedRow(row.id, undo)
