"""The push channel: one delivery for each device on which the recipient has enabled push."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from datetime import timedelta
from typing import Any, Self

from sqlalchemy import ColumnElement, Select, and_, case, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database
from app.database.moments import moment
from app.language import N_, _
from app.models import Delivery, Event, Notification, PushSubscription, User
from app.notifications.channels.base import (
    ERROR,
    OK,
    Batch,
    Channel,
    CheckResult,
    Parts,
    Settled,
    rows_for,
)
from app.notifications.channels.push.allowed_services import (
    INVALID_ENDPOINT,
    NOT_ALLOWED,
    PushServices,
)
from app.notifications.channels.push.device_addresses import address_column
from app.notifications.channels.push.message import time_to_live
from app.notifications.channels.push.responses import UNSUBSCRIBED
from app.notifications.channels.push.sender import INTERNAL_ADDRESS, Sender
from app.notifications.channels.push.vapid_keys import VapidKeys, read_keys
from app.notifications.channels.push.visibility import LASTS
from app.notifications.events.event_type import PUSH, EventType
from app.notifications.live.queries import unread_of
from app.notifications.preferences.channels import ChannelDescription
from app.outgoing import SECONDS, Outgoing
from app.settings import SettingError, Settings

REMOVED, NO_DEVICE = "removed", "no_device"
# After this long, a refusing device is tried once a day, in case the fault is on our side.
REFUSED_FOR, TRIED_EVERY = timedelta(days=5), timedelta(days=1)


class Push(Channel):
    """`seconds` is the timeout for a response from a push service."""

    description = ChannelDescription(PUSH, N_("Push"), "bi-phone")
    batch_size = 500
    # The message expires long before the last attempt.
    pauses = tuple(timedelta(seconds=s) for s in (30, 60, 120, 240, 480, 960, 1920, *[3600] * 30))
    quiet_while_visible = LASTS
    words = {  # noqa: RUF012
        REMOVED: N_("The device was removed."),
        NO_DEVICE: N_("No device had push enabled."),
        UNSUBSCRIBED: N_("The device has unsubscribed ({status_code} from {host})."),
        INVALID_ENDPOINT: N_("The address of the device is not that of a push service."),
        NOT_ALLOWED: N_("The push service of the device is not allowed."),
        INTERNAL_ADDRESS: N_("The push service is at an address inside our own network."),
    }

    def __init__(self, settings: Settings, keys: VapidKeys, *, seconds: float = SECONDS) -> None:
        """Raises SettingError for an invalid entry in PUSH_ALLOWED_HOSTS."""
        self.delay = timedelta(seconds=settings.push_delay_seconds)
        self._vapid_key = keys.public
        services = PushServices(settings.push_allowed_hosts)
        client = Outgoing(services.may_reach, seconds=seconds)
        self._sender = Sender(settings, keys, services, client)

    @classmethod
    def open(cls, parts: Parts) -> Self:
        return cls(parts.settings, read_keys(parts.settings))

    @classmethod
    async def check(cls, settings: Settings, _timeout: float) -> Sequence[CheckResult]:
        try:
            keys = read_keys(settings)
        except SettingError as error:
            return [CheckResult("push keys", ERROR, str(error))]
        sentence = f"The key pair is valid. Push services can contact {keys.subject}."
        return [CheckResult("push keys", OK, sentence)]

    def deliveries(self, event_type: EventType) -> Select[Any]:
        rows = rows_for(
            PUSH,
            event_type,
            address=address_column(),
            user_id=PushSubscription.user_id,
            subscription_id=PushSubscription.id,
            due_at=moment(timedelta(0) if event_type.goes_at_once else self.delay),
        )
        return rows.join(PushSubscription, PushSubscription.user_id == Notification.user_id).where(
            PushSubscription.vapid_key == self._vapid_key,
            or_(
                PushSubscription.failing_since.is_(None),
                PushSubscription.failing_since > moment(-REFUSED_FOR),
                PushSubscription.refused_at < moment(-TRIED_EVERY),
            ),
        )

    def with_facts(self, rows: Select[Any]) -> Select[Any]:
        """The device columns are NULL if the device was removed or now belongs to another user."""
        is_same_device = PushSubscription.id == Delivery.subscription_id
        return rows.add_columns(
            User.language,
            unread_of(User.id).label("unread"),
            Event.id.label("event_id"),
            Event.affected_id,
            Event.team_id,
            Event.project_id,
            PushSubscription.endpoint,
            PushSubscription.endpoint_hash,
            PushSubscription.p256dh,
            PushSubscription.auth,
        ).outerjoin(
            PushSubscription, and_(is_same_device, PushSubscription.user_id == Delivery.user_id)
        )

    def address_problem(self) -> ColumnElement[Any]:
        return case((PushSubscription.id.is_(None), REMOVED))

    def time_to_live(self, event_type: EventType | None) -> timedelta:
        return time_to_live(event_type)

    async def read_address_labels(
        self, session: AsyncSession, deliveries: Sequence[Delivery]
    ) -> Mapping[int, str]:
        ids = {delivery.subscription_id for delivery in deliveries}
        found = select(PushSubscription.id, PushSubscription.name).where(
            PushSubscription.id.in_(ids)
        )
        names = {row.id: row.name for row in await session.execute(found)} if ids else {}
        removed = _("a removed device")
        return {
            delivery.id: names.get(delivery.subscription_id, removed) for delivery in deliveries
        }

    def why_none(self, _user: User) -> str:
        return NO_DEVICE

    async def send(self, db: Database, batch: Batch) -> AsyncGenerator[Settled]:
        """Push services are paused individually; a failing one is not an outage of the channel."""
        async with aclosing(self._sender.send(db, batch)) as outcomes:
            async for settled in outcomes:
                yield settled

    async def close(self) -> None:
        await self._sender.close()
