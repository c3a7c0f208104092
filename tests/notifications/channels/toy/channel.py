"""A radio in every room that reads notifications out: a whole channel, in one folder."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any, Self

from sqlalchemy import Select, literal

from app.database import Database
from app.models import Notification, User
from app.notifications.channels.base import (
    SENT,
    Batch,
    Channel,
    DeliveryFailure,
    Failed,
    Parts,
    Settled,
    rows_for,
)
from app.notifications.events.event_type import EventType
from app.notifications.events.sentences import sentence
from app.notifications.preferences.channels import ChannelDescription

EMPTY = "battery_empty"


class Radio(Channel):
    """`heard` is what was read out; `is_empty` says whether its battery is."""

    description = ChannelDescription("radio", "Radio", "bi-megaphone")
    pauses = (timedelta(minutes=1), timedelta(minutes=5))
    words = {EMPTY: "The battery of {host} is empty."}  # noqa: RUF012

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.is_empty = False

    @classmethod
    def open(cls, _parts: Parts) -> Self:
        return cls()

    def deliveries(self, event_type: EventType) -> Select[Any]:
        room = literal("the room of ") + User.username
        rows = rows_for(self.name, event_type, address=room)
        return rows.join(User, User.id == Notification.user_id)

    async def send(self, _db: Database, batch: Batch) -> AsyncGenerator[Settled]:
        for delivery in await batch.decide():
            if batch.is_over():
                return
            if self.is_empty:
                yield [delivery.delivery_id], Failed(DeliveryFailure(EMPTY, host=delivery.address))
            else:
                self.heard.append(sentence(delivery.type, delivery.context, to_affected=False))
                yield [delivery.delivery_id], SENT
