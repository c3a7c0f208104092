"""Deliveries that were refused or given up: for an administrator to see, and to send again."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.errors import NotFound
from app.models import Delivery, Notification, PushSubscription, User
from app.notifications.events.catalogue import PUSH

PER_PAGE = 50
STATES = FAILED, DEAD = "failed", "dead"


@dataclass(frozen=True)
class Lost:
    """A delivery that did not arrive. `about` is the type of its notice, or its letter's name."""

    id: int
    channel: str
    about: str
    is_letter: bool
    username: str | None
    address: str
    state: str
    attempts: int
    error: str
    settled_at: datetime


@dataclass(frozen=True)
class LostPage:
    deliveries: list[Lost]
    total: int
    page: int

    @property
    def pages(self) -> int:
        return max(1, math.ceil(self.total / PER_PAGE))


def require_admin(user: User) -> None:
    """Raises NotFound: to everybody else these pages do not exist."""
    if not user.is_admin:
        raise NotFound


async def read_lost(session: AsyncSession, page: int) -> LostPage:
    """Newest first, from page 1."""
    total = await session.scalar(select(func.count()).where(_is_lost()).select_from(Delivery)) or 0
    rows = (
        select(Delivery, User.username, Notification.type, PushSubscription.name)
        .join(User, User.id == Delivery.user_id, isouter=True)
        .join(Notification, Notification.id == Delivery.notification_id, isouter=True)
        .join(PushSubscription, PushSubscription.id == Delivery.subscription_id, isouter=True)
        .where(_is_lost())
        .order_by(Delivery.settled_at.desc(), Delivery.id.desc())
        .limit(PER_PAGE)
        .offset((page - 1) * PER_PAGE)
    )
    return LostPage([_lost(row) for row in await session.execute(rows)], total, page)


def _is_lost() -> ColumnElement[bool]:
    return Delivery.state.in_(STATES)


def _lost(row: Any) -> Lost:
    delivery: Delivery = row.Delivery
    return Lost(
        id=delivery.id,
        channel=delivery.channel,
        about=delivery.letter or row.type,
        is_letter=delivery.letter is not None,
        username=row.username,
        address=(row.name or "") if delivery.channel == PUSH else delivery.address,
        state=delivery.state,
        attempts=delivery.attempts,
        error=delivery.error or "",
        settled_at=delivery.settled_at or delivery.created_at,
    )


async def redeliver(session: AsyncSession, ids: Sequence[int] | None = None) -> int:
    """Have these (None: all that are lost) attempted once more from the start; returns how many.

    Whether each is still right is decided again at the moment of sending, as for any other.
    """
    which = [_is_lost()] if ids is None else [_is_lost(), Delivery.id.in_(ids)]
    again = (
        update(Delivery)
        .where(*which)
        .values(state="pending", attempts=0, due_at=clock.now(), error=None, settled_at=None)
        .execution_options(synchronize_session=False)
    )
    return int((await session.execute(again)).rowcount)  # type: ignore[attr-defined]
