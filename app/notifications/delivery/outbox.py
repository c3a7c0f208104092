"""The outbox: claim pending deliveries, decide on them, send and settle them.

The rows are the source of truth, and the queue only wakes a worker: an interrupted delivery comes
due again by itself (claims.py).
"""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from functools import partial

from app import clock
from app.database import Database
from app.notifications.channels.base import Channel, Failed, Sent
from app.notifications.delivery import claims
from app.notifications.delivery.batch import ClaimedBatch
from app.notifications.delivery.claims import Claim
from app.notifications.delivery.settling import pause_after
from app.notifications.preferences import digest
from app.process.cancellation import claim_or_give_back, end


async def deliver(
    db: Database,
    channel: Channel,
    *,
    worker: str = "",
    is_stopping: Callable[[], bool] = lambda: False,
) -> int:
    """Send what is due, each once however many workers run; returns how many were settled.

    Ends when nothing is due, the service cannot be reached, or `is_stopping()`. `worker` is the
    worker's name (app/broker/worker_locks.py).
    """
    count = 0
    await digest.schedule_next(db)
    await claims.give_up_interrupted(db, channel)
    while not is_stopping() and (claim := await _claim(db, channel, worker)):
        batch = ClaimedBatch(db, channel, claim, is_stopping)
        has_outage = await _work_on(db, channel, claim, batch)
        count += batch.settled
        if has_outage:
            break
    return count


async def _claim(db: Database, channel: Channel, worker: str) -> Claim | None:
    claiming = claims.claim(db, channel, worker)
    return await claim_or_give_back(claiming, partial(claims.release, db))


async def _work_on(db: Database, channel: Channel, claim: Claim, batch: ClaimedBatch) -> bool:
    """Returns whether the service is unreachable.

    Gives back unattempted deliveries. After an unexpected error, they come due as interrupted.
    """
    renewing = asyncio.create_task(claims.renew(db, claim))
    try:
        has_outage = await _send(db, channel, batch)
        await batch.settle_decided()
        if has_outage:
            pause = pause_after(1, channel.pauses)
            await claims.start_outage(db, channel, claim, clock.now() + pause)
        elif batch.settled < len(claim.deliveries):
            await claims.release(db, claim)
        return has_outage
    except asyncio.CancelledError:
        await claims.release(db, claim)
        raise
    finally:
        await end(renewing)


async def _send(db: Database, channel: Channel, batch: ClaimedBatch) -> bool:
    """Returns whether the service is unreachable; the first success ends an outage."""
    is_reached = False
    async with aclosing(channel.send(db, batch)) as outcomes:
        async for ids, outcome in outcomes:
            await batch.settle(ids, outcome)
            await batch.settle_decided()
            if isinstance(outcome, Failed) and outcome.is_outage:
                return True
            if isinstance(outcome, Sent) and not is_reached:
                is_reached = True
                await claims.end_outage(db, channel)
    return False
