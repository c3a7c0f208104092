"""Having a worker look at the outbox when there is something to do there, and not before."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime

from sqlalchemy import func, select

from app import clock
from app.broker.relay import CHANGES, Relay
from app.database import Database
from app.models import Delivery
from app.notifications.channels import Channels
from app.notifications.channels.base import Channel
from app.notifications.delivery import claims
from app.notifications.delivery.bundles import is_pending
from app.settings import Settings

LOOK_SECONDS = 30.0
OUTAGE_SECONDS = 15.0
# Many acts at once are looked at together.
GATHER_SECONDS = 0.02

_log = logging.getLogger(__name__)

Enqueue = Callable[[str], Awaitable[object]]


async def wake(db: Database, channels: Channels, relay: Relay, enqueue: Enqueue) -> None:
    """Have a channel worked on whenever something on it comes due; runs until cancelled."""
    poked = asyncio.Event()
    stop_listening = relay.listen(CHANGES, poked.set)
    try:
        while True:
            poked.clear()
            pauses = [await _look(db, channel, enqueue) for channel in channels.values()]
            with suppress(TimeoutError):
                async with asyncio.timeout(min(pauses)):
                    await poked.wait()
                    await asyncio.sleep(GATHER_SECONDS)
    finally:
        stop_listening()


async def _look(db: Database, channel: Channel, enqueue: Enqueue) -> float:
    """Seconds until it is worth looking again; a database that stumbles is asked again."""
    try:
        due = await next_due(db, channel)
        if due is None:
            return LOOK_SECONDS
        if due > clock.now():
            return min(LOOK_SECONDS, (due - clock.now()).total_seconds())
        await enqueue(channel.name)
    except Exception:
        _log.exception("What is due on %s could not be seen.", channel.name)
    return 1.0


async def watch_outages(
    db: Database,
    channels: Channels,
    settings: Settings,
    relay: Relay,
    *,
    seconds: float = OUTAGE_SECONDS,
) -> None:
    """Ask a service that could not be reached, so that no delivery need be risked to find out.

    Ends when cancelled, also where a library has swallowed that: Python 3.11's `wait_for` does,
    if an answer comes in the same moment.
    """
    this = asyncio.current_task()
    while this and not this.cancelling():
        await asyncio.sleep(seconds)
        for channel in channels.values():
            try:
                if await claims.is_held_up(db, channel) and await channel.answers(settings):
                    await claims.wake_held(db, channel)
                    relay.poke(CHANGES)
            except Exception:
                _log.exception("Whether %s answers again could not be seen.", channel.name)


async def next_due(db: Database, channel: Channel) -> datetime | None:
    """When the next delivery comes due; None when none waits."""
    waiting = select(func.min(Delivery.due_at)).where(Delivery.channel == channel.name, is_pending)
    async with db.read() as session:
        return await session.scalar(waiting)
