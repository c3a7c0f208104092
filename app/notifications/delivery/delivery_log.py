"""The delivery log of a notification: where it was sent, when, and why not, for its recipient."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Delivery, Notification, User
from app.notifications.channels.base import Channel, channels_of
from app.notifications.delivery.explanations import OFF, explain, explain_reason
from app.notifications.events.notices import Notice
from app.notifications.inbox import feed
from app.notifications.preferences import switches
from app.notifications.preferences.channels import ChannelDescription


@dataclass(frozen=True)
class Line:
    """One delivery; or, with the state "none", a channel on which there was none.

    `moment` is when it was settled, or is due while it is pending.
    """

    channel: ChannelDescription
    address_label: str
    state: str
    explanation: str
    moment: datetime | None


@dataclass(frozen=True)
class DeliveryLog:
    notice: Notice
    read_at: datetime | None
    lines: list[Line]


async def read_log(session: AsyncSession, user: User, notification_id: int) -> DeliveryLog:
    """Raises NotFound if the user has no such notification."""
    notice = await feed.find(session, user.id, notification_id, also_hidden=True)
    mine = and_(Notification.id == notification_id, Notification.user_id == user.id)
    read_at = await session.scalar(select(Notification.read_at).where(mine))
    wanted = (await switches.read(session, user)).preferences[notice.type]
    made = await _made(session, user, notification_id)
    lines: list[Line] = []
    for channel in channels_of(session).values():
        on_it = [one for one in made if one.channel == channel.name]
        labels = await channel.read_address_labels(session, on_it)
        lines += [_line(one, channel, labels[one.id]) for one in on_it]
        if not on_it:
            lines.append(_none(channel, user, is_wanted=wanted[channel.name]))
    return DeliveryLog(notice, read_at, lines)


async def _made(session: AsyncSession, user: User, notification_id: int) -> Sequence[Delivery]:
    made = select(Delivery).where(
        Delivery.notification_id == notification_id, Delivery.user_id == user.id
    )
    return (await session.scalars(made.order_by(Delivery.id))).all()


def _line(delivery: Delivery, channel: Channel, label: str) -> Line:
    return Line(
        channel=channel.description,
        address_label=label,
        state=delivery.state,
        explanation=explain(delivery, channel),
        moment=delivery.due_at if delivery.state == "pending" else delivery.settled_at,
    )


def _none(channel: Channel, user: User, *, is_wanted: bool) -> Line:
    """Why nothing was sent, as far as the present settings show."""
    reason = channel.why_none(user) if is_wanted else OFF
    return Line(channel.description, "", "none", explain_reason(reason, channel.words), None)
