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
from app.notifications.inbox.acts import UNDO_FOR, nonce_clause, undo_token
from app.notifications.inbox.filters import Filter
from app.security import Signer, signer_of
from app.values.numbers import whole_number

MOST_OPEN_ROWS = 100


@dataclass(frozen=True)
class OpenRows:
    """The ids of the rows in their order, and `seen`, the position that the page knows. The first
    `urgent_count` rows are those under "Urgent".
    """

    ids: list[int]
    seen: int
    urgent_count: int = 0


@dataclass(frozen=True)
class RemovedRow:
    """Stands for a notification that is deleted or withdrawn.

    `undo` is the token that restores it, "" if it cannot be restored.
    """

    id: int
    undo: str = ""
    is_deleted: bool = True


def open_rows_in(fields: Mapping[str, str]) -> OpenRows | None:
    """The open rows that a request names in `shown` and `seen`; None if it names none."""
    ids = ids_in_field(fields, "shown")
    seen = whole_number(fields.get("seen", ""))
    urgent_count = whole_number(fields.get("urgent", "")) or 0
    return OpenRows(ids, seen, urgent_count) if seen and ids else None


def ids_in_field(fields: Mapping[str, str], name: str) -> list[int]:
    """The ids that a field lists, at most as many as rows may be open."""
    ids = [whole_number(one) for one in fields.get(name, "").split(",")[:MOST_OPEN_ROWS]]
    return [one for one in ids if one]


async def read_open_rows(
    session: AsyncSession, user_id: int, ids: Sequence[int]
) -> list[Notice | RemovedRow]:
    """One row for each id, in the same order; a removed row for ids that are not the user's."""
    rows = (
        notices_of(user_id)
        .add_columns(
            Notification.deleted_at, Notification.changed_in, nonce_clause(user_id).label("nonce")
        )
        .where(Notification.id.in_(ids), ~Notification.hidden)
    )
    found = {row.id: row for row in await session.execute(rows)}
    signer = signer_of(session)
    return [_as_row(signer, found[one]) if one in found else RemovedRow(one) for one in ids]


async def count_newer(session: AsyncSession, user_id: int, wanted: Filter, position: int) -> int:
    """How many matching notifications are newer than this position."""
    newer = select(func.count()).where(
        Notification.user_id == user_id, *wanted.clauses(), Notification.position > position
    )
    return int((await session.execute(newer.select_from(Notification))).scalar_one())


def _as_row(signer: Signer, row: Row[tuple[object, ...]]) -> Notice | RemovedRow:
    if row.deleted_at is None:
        return as_notice(row)
    can_undo = row.changed_in and row.deleted_at > clock.now() - UNDO_FOR
    undo = undo_token(signer, row.nonce, row.changed_in) if can_undo else ""
    return RemovedRow(row.id, undo)
