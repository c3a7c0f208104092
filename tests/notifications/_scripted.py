"""A channel that does as a test tells it, in place of one that reaches people."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database
from app.models import Event
from app.notifications.channels.base import SENT, Claimed, Outcome, Settled
from app.notifications.events.catalogue import EMAIL, EventType
from app.notifications.preferences.channels import ChannelDescription
from app.settings import Settings

Say = Callable[[Claimed], Outcome]

EMAIL_DESCRIPTION = ChannelDescription(EMAIL, "Email", "bi-envelope")


@dataclass
class Scripted:
    """`say` decides what becomes of each delivery; `left` are those that were sent, in order."""

    say: Say = lambda _delivery: SENT
    left: list[str] = field(default_factory=list)
    name: str = EMAIL
    description: ChannelDescription = EMAIL_DESCRIPTION
    at_once: int = 100
    gathers: bool = True
    is_back: bool = True
    pauses: Sequence[timedelta] = tuple(timedelta(minutes=m) for m in (1, 5, 30))

    async def add_deliveries(self, session: AsyncSession, event: Event, kind: EventType) -> None:
        """It has none of its own."""

    async def send(
        self,
        db: Database,
        settings: Settings,
        claimed: Sequence[Claimed],
        is_over: Callable[[], bool],
    ) -> AsyncGenerator[Settled]:
        for delivery in claimed:
            if is_over():
                return
            outcome = self.say(delivery)
            if outcome is SENT:
                self.left.append(delivery.address)
            await asyncio.sleep(0)
            yield [delivery.id], outcome

    async def answers(self, settings: Settings) -> bool:
        return self.is_back

    async def close(self) -> None:
        """It holds nothing."""
