"""A channel that does as a test tells it, in place of one that reaches people."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Self

from sqlalchemy import Row, Select, literal

from app.database import Database
from app.notifications.channels.base import SENT, Batch, Channel, Outcome, Parts, Settled, rows_for
from app.notifications.events.event_type import EMAIL, EventType
from app.notifications.preferences.channels import ChannelDescription

Say = Callable[[Row[Any]], Outcome]

EMAIL_DESCRIPTION = ChannelDescription(EMAIL, "Email", "bi-envelope")


@dataclass(eq=False)
class Scripted(Channel):
    """`say` decides the outcome of each delivery; `left` are those that were sent, in order."""

    say: Say = lambda _delivery: SENT
    left: list[str] = field(default_factory=list)
    description: ChannelDescription = EMAIL_DESCRIPTION
    batch_size: int = 100
    bundles: bool = True
    is_back: bool = True
    pauses: Sequence[timedelta] = tuple(timedelta(minutes=m) for m in (1, 5, 30))

    @classmethod
    def open(cls, _parts: Parts) -> Self:
        return cls()

    def deliveries(self, event_type: EventType) -> Select[Any]:
        return rows_for(self.name, event_type, address=literal(event_type.name))

    async def send(self, _db: Database, batch: Batch) -> AsyncGenerator[Settled]:
        for delivery in await batch.decide():
            if batch.is_over():
                return
            outcome = self.say(delivery)
            if outcome is SENT:
                self.left.append(delivery.address)
            await asyncio.sleep(0)
            yield [delivery.delivery_id], outcome

    async def is_reachable(self) -> bool:
        return self.is_back
