"""Deliveries not yet made: claim, deliver, settle, retry, give up.

The rows are the truth, the queue only wakes a worker: whatever was lost on the way comes due
again by itself (app/notifications/delivery/claims.py).
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from contextlib import aclosing
from datetime import timedelta

from sqlalchemy import Update, bindparam, update

from app import clock
from app.database import Database
from app.models import Delivery
from app.notifications.channels.base import SENT, Channel, Claimed, Outcome
from app.notifications.delivery import claims
from app.notifications.delivery.bundles import is_pending
from app.notifications.delivery.claims import Claim
from app.notifications.preferences import digest
from app.settings import Settings
from app.telemetry.metrics import count_deliveries

# After so long a batch is given back and claimed afresh: what is urgent comes first again.
BATCH_SECONDS = 10


async def deliver(
    db: Database,
    settings: Settings,
    channel: Channel,
    *,
    holder: str = "",
    is_over: Callable[[], bool] = lambda: False,
) -> int:
    """Send what is due, each once however many workers run; returns how many were settled.

    Ends when nothing is due, the service is out of reach, or `is_over` says so. `holder` is the
    worker's name (app/broker/worker_locks.py).
    """
    count = 0
    await digest.roll(db)
    await claims.give_up_broken(db, channel)
    while not is_over() and (claim := await claims.claim(db, channel, holder)):
        settled, is_out = await _work_on(db, settings, channel, claim, is_over)
        count += settled
        if is_out:
            break
    return count


async def _work_on(
    db: Database,
    settings: Settings,
    channel: Channel,
    claim: Claim,
    is_over: Callable[[], bool],
) -> tuple[int, bool]:
    """How many were settled, and whether the service is out of reach.

    Gives back what was not attempted; what failed unforeseen is left to come due as broken off.
    """
    keeping = asyncio.create_task(claims.keep(db, claim))
    try:
        count, is_out = await _send(db, settings, channel, claim, is_over)
    except asyncio.CancelledError:
        await claims.release(db, claim)
        raise
    finally:
        keeping.cancel()
    if is_out:
        await claims.hold(db, channel, claim, clock.now() + pause_after(1, channel.pauses))
    elif count < len(claim.deliveries):
        await claims.release(db, claim)
    return count, is_out


async def _send(
    db: Database,
    settings: Settings,
    channel: Channel,
    claim: Claim,
    is_over: Callable[[], bool],
) -> tuple[int, bool]:
    until, count, is_reached = clock.now() + timedelta(seconds=BATCH_SECONDS), 0, False

    def is_enough() -> bool:
        return is_over() or clock.now() > until

    async with aclosing(channel.send(db, settings, claim.deliveries, is_enough)) as outcomes:
        async for ids, outcome in outcomes:
            await _settle(db, channel, claim, ids, outcome)
            count += len(ids)
            if outcome.is_outage:
                return count, True
            if outcome.state == SENT.state and not is_reached:
                is_reached = True
                await claims.wake_held(db, channel)
    return count, False


async def _settle(
    db: Database, channel: Channel, claim: Claim, ids: Sequence[int], outcome: Outcome
) -> None:
    """Record what became of these; what was taken over or withdrawn meanwhile stays as it is."""
    async with db.write() as session:
        if outcome.state == "pending":
            settled = set(ids)
            waiting = [one for one in claim.deliveries if one.id in settled]
            rows = [_put_off(channel, one, outcome) for one in waiting]
            await session.execute(_PUT_OFF, rows)
        else:
            await session.execute(_ended(claim, ids, outcome))
    count_deliveries(channel.name, outcome.state, len(ids))


def _ended(claim: Claim, ids: Sequence[int], outcome: Outcome) -> Update:
    now = clock.now()
    return (
        update(Delivery)
        .where(claim.is_held(), Delivery.id.in_(ids))
        .values(state=outcome.state, reason=outcome.reason, error=outcome.error, claimed_by=None)
        .values(due_at=now, settled_at=now)
        .execution_options(synchronize_session=False)
    )


# Each at a time of its own, so that not all come back at once.
_PUT_OFF = (
    Delivery.__table__.update()  # type: ignore[attr-defined]
    .where(Delivery.id == bindparam("of"), Delivery.claimed_by == bindparam("claim"), is_pending)
    .values({name: bindparam(name) for name in ("state", "attempts", "due_at", "settled_at")})
    .values(claimed_by=None, reason=bindparam("reason"), error=bindparam("error"))
)


def _put_off(channel: Channel, delivery: Claimed, outcome: Outcome) -> dict[str, object]:
    """How the row of one that is to wait is to be after this attempt."""
    now, attempts = clock.now(), delivery.attempts
    values = {
        "of": delivery.id,
        "claim": delivery.claimed_by,
        "state": outcome.state,
        "attempts": attempts,
        "due_at": now,
        "settled_at": None,
        "reason": outcome.reason,
        "error": outcome.error,
    }
    if not outcome.is_attempt:
        wait = outcome.retry_after or timedelta(0)
        return values | {
            "attempts": attempts - 1,
            "error": delivery.error,
            "due_at": now + wait,
        }
    if attempts > len(channel.pauses):
        return values | {"state": "dead", "reason": None, "settled_at": now}
    pause = pause_after(attempts, channel.pauses, outcome.retry_after)
    return values | {"due_at": now + pause}


def pause_after(
    attempts: int, pauses: Sequence[timedelta], retry_after: timedelta | None = None
) -> timedelta:
    """Growing with each attempt, longer where the service said so, and up to a fifth at random."""
    pause = max(pauses[attempts - 1], retry_after or timedelta(0))
    return pause * random.uniform(1, 1.2)  # noqa: S311
