"""Records outcomes: a delivery is sent, retried after a growing delay, skipped, or given up."""

import random
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Update, bindparam, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.models import Delivery
from app.models.delivery import is_pending
from app.notifications.channels.base import (
    OUTAGE,
    Channel,
    DeliveryFailure,
    Failed,
    Outcome,
    Sent,
    Wait,
)
from app.notifications.delivery.claims import Claim
from app.notifications.delivery.decision import Skip
from app.telemetry.metrics import count_deliveries

Settlement = Outcome | Skip


async def settle(
    session: AsyncSession,
    channel: Channel,
    claim: Claim,
    ids: Sequence[int],
    settlement: Settlement,
) -> None:
    """Settle these deliveries, except those claimed by another or withdrawn meanwhile."""
    if isinstance(settlement, Failed) and not settlement.is_final:
        failed = set(ids)
        rows = [_retry(channel, one, settlement) for one in claim.deliveries if one.id in failed]
        await session.execute(_RETRY, [row | {"claim": claim.name} for row in rows])
        states = [row["state"] for row in rows]
    else:
        await session.execute(_settled(claim, ids).values(_values(settlement)))
        states = [_state(settlement)] * len(ids)
    for state, count in Counter(states).items():
        count_deliveries(channel.name, state, count)


async def skip_pending(session: AsyncSession, which: ColumnElement[bool], skip: Skip) -> None:
    """Skip the pending deliveries in `which` now, rather than when they come due."""
    skipped = update(Delivery).where(which, is_pending).values(_skip(skip))
    await session.execute(skipped.execution_options(synchronize_session=False))


def pause_after(
    attempts: int, pauses: Sequence[timedelta], retry_after: timedelta | None = None
) -> timedelta:
    """The retry delay: longer after each attempt, and no shorter than the service asked for. Up to
    a fifth is added at random, so that retries do not all come at once.
    """
    pause = max(pauses[attempts - 1], retry_after or timedelta(0))
    return pause * random.uniform(1, 1.2)  # noqa: S311


def _settled(claim: Claim, ids: Sequence[int]) -> Update:
    ours = update(Delivery).where(claim.is_ours(), Delivery.id.in_(ids)).values(claimed_by=None)
    return ours.execution_options(synchronize_session=False)


def _state(settlement: Settlement) -> str:
    if isinstance(settlement, Skip):
        return settlement.state
    if isinstance(settlement, Failed) and settlement.is_final:
        return "failed"
    return "sent" if isinstance(settlement, Sent) else "pending"


def _values(settlement: Settlement) -> dict[str, Any]:
    """The new values for a settlement that does not depend on the row."""
    now = clock.now()
    if isinstance(settlement, Wait):
        return _waiting(settlement)
    if isinstance(settlement, Skip):
        return _skip(settlement)
    failure = settlement.failure if isinstance(settlement, Failed) else None
    return {
        "state": _state(settlement),
        "reason": None,
        "due_at": now,
        "attempted_at": now,
        "settled_at": now,
        **_failure(failure),
    }


def _waiting(wait: Wait) -> dict[str, Any]:
    values = {"attempts": Delivery.attempts - 1, "due_at": wait.until, "reason": wait.reason}
    return values | ({"queued_at": wait.until} if wait.begins_anew else {})


def _skip(skip: Skip) -> dict[str, Any]:
    now = clock.now()
    return {"state": skip.state, "reason": skip.reason, "due_at": now, "settled_at": now}


def _failure(failure: DeliveryFailure | None) -> dict[str, Any]:
    return {
        "failure": failure and failure.code,
        "host": failure and failure.host,
        "status_code": failure and failure.status_code,
        "detail": failure and failure.detail,
    }


def _retry(channel: Channel, delivery: Row[Any], outcome: Failed) -> dict[str, Any]:
    """The new values after a failed attempt: due later, or dead if it was the last one."""
    now, attempts = clock.now(), delivery.attempts
    values = {"of": delivery.id, "attempted_at": now, **_failure(outcome.failure)}
    if attempts > len(channel.pauses):
        return values | {"state": "dead", "due_at": now, "settled_at": now, "reason": None}
    due = now + pause_after(attempts, channel.pauses, outcome.retry_after)
    reason = OUTAGE if outcome.is_unreachable else None
    return values | {"state": "pending", "due_at": due, "settled_at": None, "reason": reason}


_CHANGED = (
    "state",
    "reason",
    "due_at",
    "attempted_at",
    "settled_at",
    "failure",
    "host",
    "status_code",
    "detail",
)
_RETRY = (
    Delivery.__table__.update()  # type: ignore[attr-defined]
    .where(Delivery.id == bindparam("of"), Delivery.claimed_by == bindparam("claim"), is_pending)
    .values({name: bindparam(name) for name in _CHANGED} | {"claimed_by": None})
)
