"""What a channel is, and what can become of a delivery."""

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database
from app.models import Event
from app.notifications.events.catalogue import EventType
from app.notifications.preferences.channels import ChannelDescription
from app.settings import Settings

# The reason of what waits for its service to be reached again, and goes as soon as it is.
OUTAGE = "outage"


@dataclass(frozen=True)
class Outcome:
    """What became of one attempt. `pending`: try again, after `retry_after` if that is said.

    `is_outage`: the service is in trouble, so no other attempt makes sense just now.
    `is_attempt`: False for what waits without having been tried; it is as fresh as before.
    """

    state: str
    reason: str | None = None
    error: str | None = None
    retry_after: timedelta | None = None
    is_outage: bool = False
    is_attempt: bool = True


SENT = Outcome("sent")


def skipped(reason: str) -> Outcome:
    """Not sent, and rightly so; `reason` is a key of `decision.REASONS`."""
    return Outcome("skipped", reason=reason)


class Undelivered(Exception):
    """An attempt failed. `permanent`: no further one can help; `gone`: the address never will.

    `outage`: it is the service, not this delivery; `unreachable`: it did not come to a delivery.
    `retry_after`: the service said when.
    """

    def __init__(
        self,
        error: str,
        *,
        permanent: bool = False,
        gone: bool = False,
        outage: bool = False,
        unreachable: bool = False,
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(error)
        self.permanent, self.gone = permanent or gone, gone
        self.outage, self.unreachable = outage or unreachable, unreachable
        self.retry_after = retry_after

    @property
    def outcome(self) -> Outcome:
        return Outcome(
            "failed" if self.permanent else "pending",
            reason=OUTAGE if self.unreachable else None,
            error=str(self),
            retry_after=self.retry_after,
            is_outage=self.outage,
        )


# A row of `Delivery` as it was claimed, with the columns that `claims` says are needed.
Claimed = Row[Any]
Settled = tuple[Sequence[int], Outcome]


class Channel(Protocol):
    """A way of reaching people outside the app."""

    @property
    def description(self) -> ChannelDescription:
        """What preferences, logs and pages show of it."""

    @property
    def name(self) -> str: ...

    @property
    def pauses(self) -> Sequence[timedelta]:
        """How long to wait after the first failed attempt, the second, …; then it is given up."""

    @property
    def at_once(self) -> int:
        """How many deliveries to claim at a time."""

    @property
    def gathers(self) -> bool:
        """Whether several deliveries may become one mail (`bundles`)."""

    async def add_deliveries(self, session: AsyncSession, event: Event, kind: EventType) -> None:
        """Insert the deliveries of one event, set-based, in the same act."""

    def send(
        self,
        db: Database,
        settings: Settings,
        claimed: Sequence[Claimed],
        is_over: Callable[[], bool],
    ) -> AsyncGenerator[Settled]:
        """Decide again and send; yields the ids of deliveries with what became of them.

        Begins no other once `is_over` says so, and ends when those under way have their outcome:
        what is never yielded was not attempted.
        """

    async def answers(self, settings: Settings) -> bool:
        """Whether its service can be reached again; asked while deliveries wait for that."""

    async def close(self) -> None:
        """Called once at the end."""
