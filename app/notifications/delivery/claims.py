"""Claims deliveries for a limited time, so that only one worker at a time attempts each.

A claim is a lease: it moves `due_at` ahead, repeatedly while the work goes on, so there is no
claimed state to clean up. Deliveries claimed by a dead worker come due with that claim's name still
set, which shows that the attempt was interrupted. After two interruptions a delivery is attempted
alone, so that one that kills its worker affects no other.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    Update,
    and_,
    exists,
    literal_column,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.database import Database
from app.database.search import by_code_point
from app.models import Delivery
from app.models.delivery import is_pending
from app.notifications.channels.base import OUTAGE, Channel
from app.notifications.delivery.bundles import bundle_due
from app.process.background import repeat

LEASE = timedelta(minutes=1)
BATCH = 1000
# The reason of deliveries that are dead because every attempt was interrupted.
INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class Claim:
    """Deliveries of whole mails in sending order; `name` is unique.

    Each row has `id`, `bundle_id` and `attempts`, which includes the one about to be made.
    """

    name: str
    deliveries: Sequence[Row[Any]]

    def is_ours(self) -> ColumnElement[bool]:
        """True of deliveries that still belong to this claim: neither settled, nor claimed by
        another worker after the lease expired.
        """
        return and_(Delivery.claimed_by == self.name, is_pending)


async def claim(db: Database, channel: Channel, worker: str) -> Claim | None:
    """Claim due deliveries, single mails first; None if there are none. `worker` is its name."""
    name = f"{worker}.{token_hex(8)}"
    async with db.exclusive() as session:
        chosen = await _interrupted(session, channel) or await _due(session, channel)
        if not chosen:
            return None
        turn = {_mail_of(row): number for number, row in reversed(list(enumerate(chosen)))}
        taken = await session.execute(_take(chosen, name))
        return Claim(name, sorted(taken, key=lambda one: (turn[_mail_of(one)], one.id)))


async def _interrupted(session: AsyncSession, channel: Channel) -> Sequence[Row[Any]]:
    """The least attempted delivery of those interrupted twice or more. They are claimed one at a
    time, since any of them may be the one that kills workers.
    """
    rows = _chosen(channel).where(Delivery.claimed_by.is_not(None), _was_attempted_twice)
    rows = rows.order_by(Delivery.attempts, Delivery.due_at, Delivery.id).limit(1)
    return list(await session.execute(rows))


async def _due(session: AsyncSession, channel: Channel) -> Sequence[Row[Any]]:
    """The next deliveries to claim: the longest due first. Those that an outage made due at the
    same moment come in order of attempts, fewest first.
    """
    if channel.bundles:
        await bundle_due(session, channel.name)
    is_sound = or_(Delivery.claimed_by.is_(None), ~_was_attempted_twice)
    rows = _chosen(channel).where(is_sound).limit(channel.batch_size)
    if channel.bundles:
        order = (Delivery.bundling, Delivery.due_at, Delivery.attempts, Delivery.id)
        rows = rows.where(_is_whole).order_by(*order)
    else:
        rows = rows.order_by(Delivery.due_at, Delivery.id)  # as the index has them
    return list(await session.execute(rows))


def _chosen(channel: Channel) -> Select[int, int | None]:
    rows = select(Delivery.id, Delivery.bundle_id).where(_is_due(channel))
    return rows.with_for_update(skip_locked=True)


def _is_due(channel: Channel) -> ColumnElement[bool]:
    return and_(Delivery.channel == channel.name, is_pending, Delivery.due_at <= clock.now())


# One interruption may be chance: if a worker is killed, so is every attempt of its claim.
_was_attempted_twice = Delivery.attempts > literal_column("1")
_is_whole = or_(Delivery.bundling == "alone", Delivery.bundle_id.is_not(None))


def _take(chosen: Sequence[Row[Any]], name: str) -> Any:
    """The statement that claims the chosen deliveries and the rest of their bundles. Single and
    bundled deliveries are selected separately, so that each select can use its index.
    """
    taken = update(Delivery).values(
        claimed_by=name, due_at=clock.now() + LEASE, attempts=Delivery.attempts + 1, reason=None
    )
    bundles = {row.bundle_id for row in chosen if row.bundle_id is not None}
    alone = Delivery.id.in_([row.id for row in chosen if row.bundle_id is None])
    if bundles:
        is_due = and_(is_pending, Delivery.due_at <= clock.now())
        either = (alone, Delivery.bundle_id.in_(bundles))
        ids = union_all(*(select(Delivery.id).where(which, is_due) for which in either))
        taken = taken.where(Delivery.id.in_(ids))
    else:
        taken = taken.where(alone)
    table = Delivery.__table__.c
    return _quietly(taken).returning(table.id, table.bundle_id, table.attempts)


def _mail_of(delivery: Row[Any]) -> int:
    """The same number for all deliveries of one mail."""
    return int(delivery.bundle_id or delivery.id)


async def renew(db: Database, claim: Claim) -> None:
    """Renew the lease until cancelled."""

    async def renew_once() -> None:
        await asyncio.sleep(LEASE.total_seconds() / 4)
        await _change(db, _claimed(claim).values(due_at=clock.now() + LEASE))

    await repeat(renew_once, "The lease of a claim could not be renewed.", pause=0)


async def release(db: Database, claim: Claim) -> None:
    """Make unattempted deliveries due again at once; they are not counted as attempted."""
    await _change(db, _given_back(claim, clock.now()))


async def start_outage(db: Database, channel: Channel, claim: Claim, until: datetime) -> None:
    """The service is unreachable: postpone this claim and every other due delivery to `until`."""
    await _change(db, _given_back(claim, until).values(reason=OUTAGE))
    async with db.exclusive() as session:
        while await bundle_due(session, channel.name):
            pass
    due = select(Delivery.id).where(_is_due(channel), _is_whole).limit(BATCH)
    others = update(Delivery).where(Delivery.id.in_(due)).values(due_at=until, reason=OUTAGE)
    while await _change(db, others) == BATCH:  # noqa: ASYNC110 - others write in between
        await asyncio.sleep(0)


async def has_outage(db: Database, channel: Channel) -> bool:
    """Whether any delivery waits for the service to become reachable."""
    async with db.read() as session:
        return bool(await session.scalar(select(exists().where(*_waits_for_service(channel)))))


async def end_outage(db: Database, channel: Channel) -> None:
    """The service responds again: make the deliveries that wait for it due."""
    waiting = update(Delivery).where(*_waits_for_service(channel))
    await _change(db, waiting.values(due_at=clock.now(), reason=None))


def _waits_for_service(channel: Channel) -> list[ColumnElement[bool]]:
    is_reason = Delivery.reason == literal_column(f"'{OUTAGE}'")
    return [Delivery.channel == channel.name, is_pending, is_reason]


async def give_up_interrupted(db: Database, channel: Channel) -> None:
    """Give up deliveries whose every attempt was interrupted."""
    interrupted = update(Delivery).where(
        _is_due(channel),
        Delivery.claimed_by.is_not(None),
        Delivery.attempts > len(channel.pauses),
    )
    ended = {"state": "dead", "reason": INTERRUPTED, "claimed_by": None}
    await _change(db, interrupted.values(**ended, settled_at=clock.now()))


async def sweep(db: Database, crashed: Sequence[str]) -> None:
    """Make deliveries claimed by these dead workers due now, before the lease expires."""
    if crashed:
        # A claim's name begins with the worker's and "."; in ASCII, "/" is the character after ".".
        claim = by_code_point(Delivery.claimed_by)
        theirs = or_(*(claim.between(f"{name}.", f"{name}/") for name in crashed))
        await _change(db, update(Delivery).where(theirs, is_pending).values(due_at=clock.now()))


def _given_back(claim: Claim, due: datetime) -> Update:
    return _quietly(
        _claimed(claim).values(due_at=due, attempts=Delivery.attempts - 1, claimed_by=None)
    )


def _claimed(claim: Claim) -> Update:
    return update(Delivery).where(claim.is_ours())


def _quietly(change: Update) -> Update:
    return change.execution_options(synchronize_session=False)


async def _change(db: Database, change: Update) -> int:
    """Returns how many rows were changed."""
    async with db.exclusive() as session:
        changed = await session.execute(_quietly(change))
        return int(changed.rowcount)  # type: ignore[attr-defined]
