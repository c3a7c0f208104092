"""A worker is woken when something comes due, and only then."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import pytest

from app import clock
from app.broker.relay import CHANGES, ProcessRelay
from app.database import Database
from app.models import Delivery, User
from app.notifications.channels.base import Channels
from app.notifications.delivery import scheduler
from app.notifications.delivery.scheduler import next_due, return_snoozed, wake, watch_outages
from app.notifications.events.event_type import EMAIL
from app.notifications.inbox import acts
from app.notifications.inbox.selection import Selection
from app.notifications.inbox.totals import count_views
from app.process.cancellation import end
from tests.mailing import change_deliveries, deliveries, write
from tests.notifications._scripted import Scripted
from tests.notifications.inbox.conftest import Tell, squad, tell_bob

__all__ = ["squad", "tell_bob"]

SOON = 5
A_MOMENT = 0.5


@asynccontextmanager
async def awake(
    db: Database, enqueue: Callable[[str], Awaitable[object]]
) -> AsyncIterator[ProcessRelay]:
    relay = ProcessRelay()
    await relay.connect()
    waking_up = asyncio.create_task(wake(db, {EMAIL: Scripted()}, relay, enqueue))
    try:
        yield relay
    finally:
        await end(waking_up)
        await relay.disconnect()


class Nudges:
    """How often each channel was to be worked on."""

    def __init__(self) -> None:
        self.heard = asyncio.Event()
        self.names: list[str] = []

    async def __call__(self, name: str) -> None:
        self.names.append(name)
        self.heard.set()

    async def wait(self) -> None:
        async with asyncio.timeout(SOON):
            await self.heard.wait()


async def test_deliveries_due_at_the_start_are_sent(db: Database) -> None:
    await write(db)
    nudges = Nudges()

    async with awake(db, nudges):
        await nudges.wait()

    assert nudges.names == [EMAIL]


async def test_a_new_delivery_wakes_the_worker_at_once(db: Database) -> None:
    nudges = Nudges()
    async with awake(db, nudges) as relay:
        await asyncio.sleep(0.05)
        await write(db)
        relay.poke(CHANGES)

        await nudges.wait()


async def test_it_wakes_by_itself_when_a_wait_is_over(db: Database) -> None:
    await write(db)
    due = clock.now() + timedelta(seconds=A_MOMENT)
    await change_deliveries(db, due_at=due)
    nudges = Nudges()

    async with awake(db, nudges):
        await nudges.wait()

    assert clock.now() >= due


async def test_a_snoozed_notification_comes_back_as_soon_as_it_is_due(
    db: Database, bob: User, tell_bob: Tell
) -> None:
    """Snoozed while the worker waits for something that is due later."""
    one, two = await tell_bob(2)
    relay = ProcessRelay()
    await relay.connect()
    async with db.act() as session:
        later = acts.snoozing(clock.now() + timedelta(hours=1))
        await acts.carry_out(session, bob.id, later, Selection([one]))
    returning = asyncio.create_task(return_snoozed(db, relay))
    await asyncio.sleep(0.05)

    async with db.act() as session:
        soon = acts.snoozing(clock.now() + timedelta(seconds=A_MOMENT))
        await acts.carry_out(session, bob.id, soon, Selection([two]))
    relay.poke(CHANGES)
    async with asyncio.timeout(SOON):
        while (await count_views(db, bob.id))["snoozed"] != (1, 1):  # noqa: ASYNC110 - of the rows
            await asyncio.sleep(0.02)

    await end(returning)
    await relay.disconnect()
    assert (await count_views(db, bob.id))["inbox"] == (1, 1)


async def test_changes_that_bring_nothing_due_wake_nobody(db: Database) -> None:
    await write(db)
    await change_deliveries(db, due_at=clock.now() + timedelta(hours=1))
    nudges = Nudges()
    async with awake(db, nudges) as relay:
        for _ in range(5):
            relay.poke(CHANGES)
            await asyncio.sleep(0.03)

    assert nudges.names == []


async def test_a_failing_queue_is_tried_again(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write(db)
    nudges, stumbles = Nudges(), [True]

    async def enqueue(name: str) -> None:
        if stumbles.pop() if stumbles else False:
            raise OSError("the disk is full")
        await nudges(name)

    async with awake(db, enqueue) as relay:
        await asyncio.sleep(0.05)
        relay.poke(CHANGES)
        await nudges.wait()


async def test_settled_deliveries_are_no_longer_due(db: Database) -> None:
    await write(db)
    assert await next_due(db, Scripted()) is not None

    await change_deliveries(db, state="sent")

    assert await next_due(db, Scripted()) is None


async def test_deliveries_that_come_due_without_a_poke_are_found_at_the_next_check(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A poke may be lost with the process that was to send it."""
    monkeypatch.setattr(scheduler, "LOOK_SECONDS", 0.05)
    nudges = Nudges()

    async with awake(db, nudges):
        await asyncio.sleep(0.1)
        await write(db)
        await nudges.wait()

    assert set(nudges.names) == {EMAIL}


@pytest.mark.parametrize("is_back", [True, False])
async def test_deliveries_waiting_for_a_service_are_due_when_it_answers_again(
    db: Database, is_back: bool
) -> None:
    channels: Channels = {EMAIL: Scripted(is_back=is_back)}
    await write(db, "held@example.com", "later@example.com")
    later = clock.now() + timedelta(hours=1)
    await change_deliveries(db, due_at=later)
    await change_deliveries(db, Delivery.id == 1, reason="outage")

    watching = asyncio.create_task(watch_outages(db, channels, ProcessRelay(), seconds=0.01))
    await asyncio.sleep(A_MOMENT)
    await end(watching)

    held, other = await deliveries(db)
    assert (held.due_at < later, held.reason) == ((True, None) if is_back else (False, "outage"))
    assert other.due_at == later


class Swallowing(Scripted):
    """Its probe hangs, and takes its cancellation for an answer."""

    async def is_reachable(self) -> bool:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(3600)
        return False


async def test_the_watch_ends_even_if_a_library_swallowed_the_cancellation(
    db: Database,
) -> None:
    channels: Channels = {EMAIL: Swallowing()}
    await write(db, "held@example.com")
    await change_deliveries(db, reason="outage")

    watching = asyncio.create_task(watch_outages(db, channels, ProcessRelay(), seconds=0.01))
    await asyncio.sleep(A_MOMENT)
    watching.cancel()

    assert await asyncio.wait([watching], timeout=SOON) == ({watching}, set())
