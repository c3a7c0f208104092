"""The rows somebody has before them, as they are now: nothing comes and nothing goes.

A list that is being read is renewed in place. What was read or deleted elsewhere shows in its row;
what is new is counted, and waits until it is asked for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Row, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.models import Notification
from app.notifications.events.notices import Notice, as_notice, notices_of
from app.notifications.inbox.feed import UNDO_FOR
from app.notifications.inbox.filters import Filters
from app.numbers import whole_number
from app.security import Signer, signer_of

MOST_HELD = 100


@dataclass(frozen=True)
class Held:
    """The ids of the rows on an open page, and `up_to`, the newest notice that page knew of."""

    ids: list[int]
    up_to: int


@dataclass(frozen=True)
class Gone:
    """A row whose notice is deleted, with the token that brings it back, or withdrawn."""

    id: int
    undo: str = ""
    is_deleted: bool = True


def held_in(fields: Mapping[str, str]) -> Held | None:
    """What a page says of itself in `shown` and `up_to`; None when it says nothing."""
    ids = [whole_number(one) for one in fields.get("shown", "").split(",")[:MOST_HELD]]
    up_to = whole_number(fields.get("up_to", ""))
    return Held([one for one in ids if one], up_to) if up_to and any(ids) else None


async def read_held(session: AsyncSession, user_id: int, ids: Sequence[int]) -> list[Notice | Gone]:
    """One for each id, in their order; what is not this person's counts as gone."""
    rows = (
        notices_of(user_id)
        .add_columns(Notification.deleted_at, Notification.deleted_in)
        .where(Notification.id.in_(ids), ~Notification.hidden)
    )
    found = {row.id: row for row in await session.execute(rows)}
    signer = signer_of(session)
    return [_as_held(signer, found[one]) if one in found else Gone(one) for one in ids]


async def count_newer(session: AsyncSession, user_id: int, filters: Filters, up_to: int) -> int:
    """How many that match are newer than notice `up_to`."""
    known = select(Notification.event_id).where(
        Notification.user_id == user_id, Notification.id == up_to
    )
    newer = select(func.count()).where(
        Notification.user_id == user_id,
        *filters.clauses(),
        Notification.event_id > known.scalar_subquery(),
    )
    return int((await session.execute(newer.select_from(Notification))).scalar_one())


def _as_held(signer: Signer, row: Row[tuple[object, ...]]) -> Notice | Gone:
    if row.deleted_at is None:
        return as_notice(row)
    can_undo = row.deleted_in and row.deleted_at > clock.now() - UNDO_FOR
    return Gone(row.id, signer.sign("undo", [row.user_id, row.deleted_in]) if can_undo else "")
