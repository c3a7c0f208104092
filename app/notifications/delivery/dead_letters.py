"""Dead letters: deliveries that were refused or given up, for an administrator to redeliver."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.models import Delivery, Notification, User
from app.notifications.channels.base import channels_of
from app.notifications.delivery.explanations import explain
from app.notifications.preferences.channels import ChannelDescription
from app.values.numbers import page_count

PER_PAGE = 50
STATES = FAILED, DEAD = "failed", "dead"


@dataclass(frozen=True)
class DeadLetter:
    """`about` is the event's type or the name of the transactional message."""

    id: int
    channel: ChannelDescription
    about: str
    username: str | None
    address_label: str
    state: str
    attempts: int
    explanation: str
    settled_at: datetime


@dataclass(frozen=True)
class DeadLetterPage:
    letters: list[DeadLetter]
    total: int
    page: int

    @property
    def pages(self) -> int:
        return page_count(self.total, PER_PAGE)


async def read_dead_letters(session: AsyncSession, page: int) -> DeadLetterPage:
    """Newest first, from page 1."""
    is_dead = _is_dead_letter(session)
    total = await session.scalar(select(func.count()).where(is_dead).select_from(Delivery)) or 0
    rows = (
        select(Delivery, User.username, Notification.type)
        .join(User, User.id == Delivery.user_id, isouter=True)
        .join(Notification, Notification.id == Delivery.notification_id, isouter=True)
        .where(is_dead)
        .order_by(Delivery.settled_at.desc(), Delivery.id.desc())
        .limit(PER_PAGE)
        .offset((page - 1) * PER_PAGE)
    )
    found = (await session.execute(rows)).all()
    labels = await _read_labels(session, [row.Delivery for row in found])
    letters = [
        _dead_letter(session, row.Delivery, row.username, row.type, labels[row.Delivery.id])
        for row in found
    ]
    return DeadLetterPage(letters, total, page)


async def redeliver(session: AsyncSession, ids: Sequence[int] | None = None) -> int:
    """Make these dead letters (by default all) pending again, as if they were new: with no attempts,
    and their whole time to live ahead. Returns how many.

    Like any other delivery, each is decided on when it is about to be sent.
    """
    now = clock.now()
    is_dead = _is_dead_letter(session)
    which = [is_dead] if ids is None else [is_dead, Delivery.id.in_(ids)]
    again = (
        update(Delivery)
        .where(*which)
        .values(
            state="pending", attempts=0, due_at=now, queued_at=now, settled_at=None, reason=None
        )
        .values(failure=None, host=None, status_code=None, detail=None)
        .execution_options(synchronize_session=False)
    )
    return int((await session.execute(again)).rowcount)  # type: ignore[attr-defined]


def _is_dead_letter(session: AsyncSession) -> ColumnElement[bool]:
    """Only on existing channels: rows of a removed channel stay, but nothing can send them."""
    return and_(Delivery.state.in_(STATES), Delivery.channel.in_(channels_of(session)))


async def _read_labels(session: AsyncSession, deliveries: Sequence[Delivery]) -> dict[int, str]:
    labels: dict[int, str] = {}
    for name, channel in channels_of(session).items():
        on_it = [one for one in deliveries if one.channel == name]
        labels |= await channel.read_address_labels(session, on_it)
    return labels


def _dead_letter(
    session: AsyncSession, delivery: Delivery, username: str | None, type: str | None, label: str
) -> DeadLetter:
    channel = channels_of(session)[delivery.channel]
    return DeadLetter(
        id=delivery.id,
        channel=channel.description,
        about=delivery.transactional or type or "",
        username=username,
        address_label=label,
        state=delivery.state,
        attempts=delivery.attempts,
        explanation=explain(delivery, channel),
        settled_at=delivery.settled_at or delivery.created_at,
    )
