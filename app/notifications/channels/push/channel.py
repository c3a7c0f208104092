"""Browser push as a channel: one delivery for each device on which a recipient enabled it."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from datetime import timedelta
from typing import Any

from sqlalchemy import Select, String, cast, insert, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.database import Database
from app.language import N_
from app.models import Delivery, Event, Notification, PushSubscription
from app.notifications.channels.base import Claimed, Settled
from app.notifications.channels.push.sender import Sender
from app.notifications.channels.push.services import PushServices
from app.notifications.channels.push.vapid_keys import VapidKeys
from app.notifications.events.catalogue import PUSH, EventType
from app.notifications.preferences.channels import ChannelDescription
from app.notifications.preferences.switches import wants
from app.outgoing import SECONDS, Outgoing
from app.settings import Settings

MOMENT = Delivery.__table__.c.due_at.type
# A device whose service has refused us for so long is only tried now and then: the refusal may
# have been our own mistake.
REFUSED_FOR, TRIED_EVERY = timedelta(days=5), timedelta(days=1)
COLUMNS = [
    "notification_id",
    "user_id",
    "channel",
    "address",
    "subscription_id",
    "gathering",
    "due_at",
    "state",
    "attempts",
    "created_at",
]


class Push:
    """`seconds` is how long a push service may take to answer."""

    name = PUSH
    description = ChannelDescription(PUSH, N_("Push"), "bi-phone")
    at_once = 500
    gathers = False
    # After the n-th failed attempt; long before the last of them the message's time to live is over.
    pauses = tuple(timedelta(seconds=s) for s in (30, 60, 120, 240, 480, 960, 1920, *[3600] * 30))

    def __init__(self, settings: Settings, keys: VapidKeys, *, seconds: float = SECONDS) -> None:
        """Raises SettingError for hosts that cannot be right."""
        self.delay = timedelta(seconds=settings.push_delay_seconds)
        self._vapid_key = keys.public
        services = PushServices(settings.push_allowed_hosts)
        client = Outgoing(services.may_reach, seconds=seconds)
        self._sender = Sender(settings, keys, services, client)

    async def add_deliveries(self, session: AsyncSession, event: Event, kind: EventType) -> None:
        rows = insert(Delivery).from_select(COLUMNS, self._deliveries(event, kind))
        await session.execute(rows)

    def _deliveries(self, event: Event, kind: EventType) -> Select[Any]:
        now = clock.now()
        return (
            select(
                Notification.id,
                Notification.user_id,
                literal(PUSH),
                PushSubscription.name + " #" + cast(PushSubscription.id, String),
                PushSubscription.id,
                literal("alone"),
                literal(now if kind.is_high else now + self.delay, MOMENT),
                literal("pending"),
                literal(0),
                literal(now, MOMENT),
            )
            .join(PushSubscription, PushSubscription.user_id == Notification.user_id)
            .where(
                Notification.event_id == event.id,
                PushSubscription.vapid_key == self._vapid_key,
                or_(
                    PushSubscription.failing_since.is_(None),
                    PushSubscription.failing_since > now - REFUSED_FOR,
                    PushSubscription.refused_at < now - TRIED_EVERY,
                ),
                wants(PushSubscription.user_id, kind, PUSH),
            )
        )

    async def send(
        self,
        db: Database,
        _settings: Settings,
        claimed: Sequence[Claimed],
        is_over: Callable[[], bool],
    ) -> AsyncGenerator[Settled]:
        async with aclosing(self._sender.send(db, claimed[0].claimed_by, is_over)) as outcomes:
            async for settled in outcomes:
                yield settled

    async def answers(self, _settings: Settings) -> bool:
        """Each push service is given its rest by the sender; no delivery waits for all of them."""
        return True

    async def close(self) -> None:
        await self._sender.close()
