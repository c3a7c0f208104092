"""Deliveries not yet made: claim, deliver, settle, retry, give up; sweep what was left.

All waiting is `due_at`. Claiming moves it on by a lease, so there is no claimed state to clean
up: what a dead worker held comes due again. The queue only wakes a worker, the rows are the truth.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import aclosing, suppress
from datetime import datetime, timedelta
from itertools import groupby

from sqlalchemy import ColumnElement, and_, func, or_, select, update

from app import clock
from app.broker.relay import CHANGES, Relay
from app.database import Database
from app.metrics import count_deliveries
from app.models import Delivery
from app.notifications import digest
from app.notifications.bundles import tie
from app.notifications.channels import CHANNELS
from app.notifications.channels.base import SENT, Channel, Outcome
from app.settings import Settings

LEASE = timedelta(minutes=5)
# One delivery must fit into what is left of the lease when it is begun.
SPARE = timedelta(minutes=2)
LOOK_SECONDS = 30.0
# What waits with this reason waits for its service to answer again, and goes as soon as it does.
OUTAGE = "outage"

_log = logging.getLogger(__name__)


async def deliver(
    db: Database, settings: Settings, channel: Channel, *, seconds: float = 50
) -> int:
    """Send what is due, each once however many workers run; returns how many were settled.

    Ends when nothing is due, the service is out of reach, or `seconds` have passed.
    """
    until, count = clock.now() + timedelta(seconds=seconds), 0
    await digest.roll(db)
    await sweep(db, channel)
    while clock.now() < until and (claimed := await _claim(db, channel)):
        settled, is_out = await _send(db, settings, channel, claimed)
        count += settled
        if is_out:
            break
    return count


async def next_due(db: Database, channel: Channel) -> datetime | None:
    """When the next delivery comes due; None when none waits."""
    waiting = select(func.min(Delivery.due_at)).where(
        Delivery.channel == channel.name, Delivery.state == "pending"
    )
    async with db.read() as session:
        return await session.scalar(waiting)


async def wake(db: Database, relay: Relay, enqueue: Callable[[str], Awaitable[object]]) -> None:
    """Have a channel worked on whenever something on it comes due; runs until cancelled."""
    poked = asyncio.Event()
    stop_listening = relay.listen(CHANGES, poked.set)
    try:
        while True:
            poked.clear()
            pause = LOOK_SECONDS
            for name in CHANNELS:
                pause = min(pause, await _wake_channel(db, name, enqueue))
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await poked.wait()
    finally:
        stop_listening()


async def _wake_channel(
    db: Database, name: str, enqueue: Callable[[str], Awaitable[object]]
) -> float:
    """Seconds until it is worth looking again; a database that stumbles is asked again."""
    try:
        due = await next_due(db, CHANNELS[name])
        if due is None:
            return LOOK_SECONDS
        if due > clock.now():
            return (due - clock.now()).total_seconds()
        await enqueue(name)
    except Exception:
        _log.exception("What is due on %s could not be seen.", name)
    return 1.0


async def sweep(db: Database, channel: Channel) -> None:
    """Give up what killed its worker each time it was attempted."""
    lost = (
        update(Delivery)
        .where(_is_due(channel), Delivery.attempts > len(channel.pauses))
        .values(state="dead", error="Each attempt broke off.", settled_at=clock.now())
    )
    async with db.write() as session:
        await session.execute(lost.execution_options(synchronize_session=False))


def _is_due(channel: Channel) -> ColumnElement[bool]:
    return and_(
        Delivery.channel == channel.name,
        Delivery.state == "pending",
        Delivery.due_at <= clock.now(),
        or_(Delivery.gathering == "alone", Delivery.bundle_id.is_not(None)),
    )


async def _claim(db: Database, channel: Channel) -> Sequence[Delivery]:
    """Take what is due for the length of a lease, whole bundles, the longest due first."""
    async with db.write() as session:
        await tie(session, channel.name)
        due = select(Delivery.id, Delivery.bundle_id).where(_is_due(channel))
        rows = await session.execute(
            due.order_by(Delivery.due_at, Delivery.id)
            .limit(channel.at_once)
            .with_for_update(skip_locked=True)
        )
        ids, bundles = _split(rows.all())
        if not ids and not bundles:
            return []
        claim = (
            update(Delivery)
            .where(
                or_(Delivery.id.in_(ids), Delivery.bundle_id.in_(bundles)),
                Delivery.state == "pending",
                Delivery.due_at <= clock.now(),
            )
            .values(due_at=clock.now() + LEASE, attempts=Delivery.attempts + 1, reason=None)
            .returning(Delivery)
            .execution_options(synchronize_session=False)
        )
        taken = (await session.scalars(claim)).all()
    return sorted(taken, key=lambda delivery: (delivery.bundle_id or delivery.id, delivery.id))


def _split(rows: Iterable[tuple[int, int | None]]) -> tuple[list[int], set[int]]:
    ids, bundles = [], set()
    for id, bundle_id in rows:
        if bundle_id is None:
            ids.append(id)
        else:
            bundles.add(bundle_id)
    return ids, bundles


async def _send(
    db: Database, settings: Settings, channel: Channel, claimed: Sequence[Delivery]
) -> tuple[int, bool]:
    """Settle each outcome before the next delivery leaves; give back what was not attempted."""
    left = {delivery.id: delivery for delivery in claimed}
    lease, states, had_outage = claimed[0].due_at, set(), False
    try:
        async with aclosing(channel.send(db, settings, claimed)) as outcomes:
            async for ids, outcome in outcomes:
                await _settle(db, channel, [left.pop(id) for id in ids], outcome)
                states.add(outcome.state)
                had_outage = had_outage or outcome.is_outage
                if clock.now() > lease - SPARE:
                    break
    finally:
        await _release(db, left.values())
    if SENT.state in states:
        await _wake(db, channel)
    return len(claimed) - len(left), had_outage


async def _settle(
    db: Database, channel: Channel, deliveries: Sequence[Delivery], outcome: Outcome
) -> None:
    by_attempts = sorted(deliveries, key=lambda delivery: delivery.attempts)
    async with db.write() as session:
        for attempts, some in groupby(by_attempts, key=lambda delivery: delivery.attempts):
            rows = (
                update(Delivery).where(_is_held(some)).values(_values(channel, attempts, outcome))
            )
            await session.execute(rows.execution_options(synchronize_session=False))
    count_deliveries(channel.name, outcome.state, len(deliveries))


def _is_held(deliveries: Iterable[Delivery]) -> ColumnElement[bool]:
    """Still ours: whoever claimed one after our lease ran out has moved `due_at` on."""
    held = {one.id: one.due_at for one in deliveries}
    return and_(
        Delivery.id.in_(held),
        Delivery.due_at.in_(set(held.values())),
        Delivery.state == "pending",
    )


def _values(channel: Channel, attempts: int, outcome: Outcome) -> dict[str, object]:
    now = clock.now()
    if outcome.state != "pending":
        return {
            "state": outcome.state,
            "reason": outcome.reason,
            "error": outcome.error,
            "settled_at": now,
        }
    if attempts > len(channel.pauses):
        return {"state": "dead", "reason": None, "error": outcome.error, "settled_at": now}
    if not outcome.is_attempt:
        wait = outcome.retry_after or timedelta(0)
        return {"due_at": now + wait, "attempts": attempts - 1}
    return {
        "due_at": now + pause_after(attempts, channel.pauses, outcome.retry_after),
        "reason": OUTAGE if outcome.is_outage else None,
        "error": outcome.error,
    }


def pause_after(
    attempts: int, pauses: Sequence[timedelta], retry_after: timedelta | None = None
) -> timedelta:
    """Growing with each attempt, longer where the service said so, and up to a fifth at random."""
    pause = max(pauses[attempts - 1], retry_after or timedelta(0))
    return pause * random.uniform(1, 1.2)  # noqa: S311


async def _release(db: Database, deliveries: Collection[Delivery]) -> None:
    """What was claimed and not attempted is due again at once, and has lost no attempt."""
    if not deliveries:
        return
    rows = (
        update(Delivery)
        .where(_is_held(deliveries))
        .values(due_at=clock.now(), attempts=Delivery.attempts - 1)
    )
    async with db.write() as session:
        await session.execute(rows.execution_options(synchronize_session=False))


async def _wake(db: Database, channel: Channel) -> None:
    """The service answers again: what waited for it need not wait any longer."""
    waiting = (
        update(Delivery)
        .where(
            Delivery.channel == channel.name,
            Delivery.state == "pending",
            Delivery.reason == OUTAGE,
        )
        .values(due_at=clock.now(), reason=None)
    )
    async with db.write() as session:
        await session.execute(waiting.execution_options(synchronize_session=False))
