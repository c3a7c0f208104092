"""Wakes a worker when a delivery or the end of a snooze comes due, and not before."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from functools import partial

from sqlalchemy import func, select

from app import clock
from app.broker.relay import CHANGES, Relay
from app.database import Database
from app.models import Delivery
from app.models.delivery import is_pending
from app.notifications.channels.base import Channel, Channels
from app.notifications.delivery import claims
from app.notifications.inbox.snoozing import next_return, return_due
from app.process.background import RETRY_SECONDS

LOOK_SECONDS = 30.0
OUTAGE_SECONDS = 15.0
# Lets several acts at about the same time cause one look.
PAUSE_SECONDS = 0.02

_log = logging.getLogger(__name__)

Enqueue = Callable[[str], Awaitable[object]]
Find = Callable[[], Awaitable[datetime | None]]
Work = Callable[[], Awaitable[object]]


async def wake(db: Database, channels: Channels, relay: Relay, enqueue: Enqueue) -> None:
    """Enqueue a channel's name whenever something on it comes due; runs until cancelled."""

    async def look_on(channel: Channel) -> float:
        deliver = partial(enqueue, channel.name)
        failure = f"Looking for due deliveries on {channel.name} failed."
        find = partial(next_due, db, channel)
        return await _work_if_due(find, deliver, failure, again=RETRY_SECONDS)

    async def look() -> float:
        return min([await look_on(channel) for channel in channels.values()])

    await _keep_looking(relay, look)


async def return_snoozed(db: Database, relay: Relay) -> None:
    """Bring snoozed notifications back when they are due, and not before; runs until cancelled."""
    find, work = partial(next_return, db), partial(return_due, db)
    failure = "Looking for snoozed notifications failed."
    await _keep_looking(relay, partial(_work_if_due, find, work, failure, again=0.0))


async def _keep_looking(relay: Relay, look: Callable[[], Awaitable[float]]) -> None:
    """Calls `look` after each poke, and after as many seconds as it returned."""
    poked = asyncio.Event()
    stop_listening = relay.listen(CHANGES, poked.set)
    try:
        while True:
            poked.clear()
            pause = await look()
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await poked.wait()
                    await asyncio.sleep(PAUSE_SECONDS)
    finally:
        stop_listening()


async def _work_if_due(find: Find, work: Work, failure: str, *, again: float) -> float:
    """Does the work if the time that `find` returns has come. Returns the seconds until the next
    look: `again` after the work, and few after a `failure` of the database or the queue, which is
    logged.
    """
    try:
        due = await find()
        if due is None:
            return LOOK_SECONDS
        if due > clock.now():
            return min(LOOK_SECONDS, (due - clock.now()).total_seconds())
        await work()
    except Exception:
        _log.exception(failure)
        return RETRY_SECONDS
    return again


async def watch_outages(
    db: Database, channels: Channels, relay: Relay, *, seconds: float = OUTAGE_SECONDS
) -> None:
    """Probe a service that could not be reached, so that no delivery attempt is wasted on finding
    out.

    Ends when cancelled, even where a library swallows the cancellation: Python 3.11's `wait_for`
    does, if a reply comes at the same moment.
    """
    this = asyncio.current_task()
    while this and not this.cancelling():
        await asyncio.sleep(seconds)
        for channel in channels.values():
            try:
                if await claims.has_outage(db, channel) and await channel.is_reachable():
                    await claims.end_outage(db, channel)
                    relay.poke(CHANGES)
            except Exception:
                _log.exception("Probing the service of %s failed.", channel.name)


async def next_due(db: Database, channel: Channel) -> datetime | None:
    """When the next delivery comes due; None when none is pending."""
    pending = select(func.min(Delivery.due_at)).where(Delivery.channel == channel.name, is_pending)
    async with db.read() as session:
        return await session.scalar(pending)
