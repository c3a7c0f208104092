"""What of a notice was sent where, when, or why not: for its recipient to see."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.language import _, ngettext
from app.models import Delivery, Notification, PushSubscription, User
from app.notifications.delivery.decision import REASONS
from app.notifications.events.catalogue import EMAIL, PUSH
from app.notifications.events.notices import Notice
from app.notifications.inbox import feed
from app.notifications.preferences import switches


@dataclass(frozen=True)
class Line:
    """One way of reaching the person. `state` is a delivery's, or "none" when there was none."""

    channel: str
    where: str
    state: str
    text: str
    moment: datetime | None


@dataclass(frozen=True)
class Reach:
    notice: Notice
    read_at: datetime | None
    lines: list[Line]


async def read_reach(session: AsyncSession, user: User, notification_id: int) -> Reach:
    """Raises NotFound where there is no such notice for this person."""
    notice = await feed.find(session, user.id, notification_id, also_hidden=True)
    mine = and_(Notification.id == notification_id, Notification.user_id == user.id)
    read_at = await session.scalar(select(Notification.read_at).where(mine))
    made = (
        select(Delivery, PushSubscription.name)
        .join(PushSubscription, PushSubscription.id == Delivery.subscription_id, isouter=True)
        .where(Delivery.notification_id == notification_id, Delivery.user_id == user.id)
    )
    lines = [_line(row) for row in await session.execute(made.order_by(Delivery.id))]
    present = {line.channel for line in lines}
    chosen = (await switches.read(session, user)).preferences[notice.type]
    for channel in (EMAIL, PUSH):
        if channel not in present:
            lines.append(Line(channel, "", "none", _why_none(channel, user, chosen), None))
    return Reach(notice, read_at, lines)


def _line(row: Any) -> Line:
    delivery: Delivery = row.Delivery
    is_settled = delivery.state != "pending"
    return Line(
        channel=delivery.channel,
        where=delivery.address
        if delivery.channel == EMAIL
        else row.name or _("a device since removed"),
        state=delivery.state,
        text=_text(delivery),
        moment=delivery.settled_at if is_settled else delivery.due_at,
    )


def _text(delivery: Delivery) -> str:
    if delivery.state == "pending" and delivery.attempts:
        tried = ngettext("Tried {n} time so far.", "Tried {n} times so far.", delivery.attempts)
        return f"{tried.format(n=delivery.attempts)} {delivery.error or ''}".strip()
    if delivery.reason in REASONS:
        return _(REASONS[delivery.reason])
    return delivery.error or ""


def _why_none(channel: str, user: User, chosen: dict[str, bool]) -> str:
    """Why nothing was to be sent, as far as the present settings tell."""
    if not chosen[channel]:
        return _("You have this switched off.")
    if channel == PUSH:
        return _("No device had push enabled.")
    if not user.is_confirmed:
        return _(REASONS["unconfirmed"])
    return _(REASONS["gone"]) if user.email_gone_at else _("It was not switched on at the time.")
