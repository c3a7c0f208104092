"""Taking deliveries for a while, so that each is attempted by one worker at a time.

A claim is a lease: it moves `due_at` on, again and again for as long as it is worked on, so there
is no claimed state to clean up. What a dead worker held comes due with the name of its claim
still on it: its attempt broke off. After the second time a delivery is attempted by itself, so
that one that kills its worker takes no other along.
"""

import asyncio
import logging
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
from app.models import Delivery
from app.notifications.channels.base import OUTAGE, Channel, Claimed
from app.notifications.delivery.bundles import is_pending, tie

LEASE = timedelta(minutes=1)
HELD_AT_ONCE = 1000

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Claim:
    """Deliveries of whole mails in the order in which they are to go; `name` is unique."""

    name: str
    deliveries: Sequence[Claimed]

    def is_held(self) -> ColumnElement[bool]:
        """True of what is still ours: not settled, and not taken over after the lease ran out."""
        return and_(Delivery.claimed_by == self.name, is_pending)


async def claim(db: Database, channel: Channel, holder: str = "") -> Claim | None:
    """Take what is due, mails alone first; None when nothing is. `holder` names the worker."""
    name = f"{holder}.{token_hex(8)}"
    async with db.write() as session:
        chosen = await _broken_off(session, channel) or await _due(session, channel)
        if not chosen:
            return None
        turn = {_mail_of(row): number for number, row in reversed(list(enumerate(chosen)))}
        taken = await session.execute(_take(chosen, name))
        return Claim(name, sorted(taken, key=lambda one: (turn[_mail_of(one)], one.id)))


async def _broken_off(session: AsyncSession, channel: Channel) -> Sequence[Row[Any]]:
    """One at a time; what was attempted least first, since one of them may be what kills."""
    rows = _chosen(channel).where(Delivery.claimed_by.is_not(None), _has_broken_off_twice)
    rows = rows.order_by(Delivery.attempts, Delivery.due_at, Delivery.id).limit(1)
    return list(await session.execute(rows))


async def _due(session: AsyncSession, channel: Channel) -> Sequence[Row[Any]]:
    """The longest due first; of what was held up together, what was attempted least."""
    if channel.gathers:
        await tie(session, channel.name)
    is_sound = or_(Delivery.claimed_by.is_(None), ~_has_broken_off_twice)
    rows = _chosen(channel).where(is_sound).limit(channel.at_once)
    if channel.gathers:
        order = (Delivery.gathering, Delivery.due_at, Delivery.attempts, Delivery.id)
        rows = rows.where(_is_tied).order_by(*order)
    else:
        rows = rows.order_by(Delivery.due_at, Delivery.id)  # as the index has them
    return list(await session.execute(rows))


def _chosen(channel: Channel) -> Select[int, int | None]:
    rows = select(Delivery.id, Delivery.bundle_id).where(_is_due(channel))
    return rows.with_for_update(skip_locked=True)


def _is_due(channel: Channel) -> ColumnElement[bool]:
    return and_(Delivery.channel == channel.name, is_pending, Delivery.due_at <= clock.now())


# Once may be chance: a worker is killed or a machine fails, with all that was claimed just then.
_has_broken_off_twice = Delivery.attempts > literal_column("1")
_is_tied = or_(Delivery.gathering == "alone", Delivery.bundle_id.is_not(None))


def _take(chosen: Sequence[Row[Any]], name: str) -> Any:
    """Whole bundles, each found by its own index."""
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
    return _quietly(taken).returning(*_NEEDED)


# Enough to settle them, and for a mail to be written; a channel reads the rest by itself.
_NEEDED = [
    Delivery.__table__.c[name]
    for name in (
        "id",
        "notification_id",
        "user_id",
        "address",
        "gathering",
        "bundle_id",
        "letter",
        "context",
        "attempts",
        "error",
        "claimed_by",
    )
]


def _mail_of(delivery: Claimed) -> int:
    """What is the same for deliveries of one mail."""
    return int(delivery.bundle_id or delivery.id)


async def keep(db: Database, claim: Claim) -> None:
    """Move the lease on until cancelled."""
    while True:
        await asyncio.sleep(LEASE.total_seconds() / 4)
        try:
            await _change(db, _held(claim).values(due_at=clock.now() + LEASE))
        except Exception:
            _log.exception("The lease of %s could not be moved on.", claim.name)


async def release(db: Database, claim: Claim) -> None:
    """What was not attempted is due again at once, and has lost no attempt."""
    await _change(db, _given_back(claim, clock.now()))


async def hold(db: Database, channel: Channel, claim: Claim, until: datetime) -> None:
    """The service is out of reach: neither this claim's nor anything else due is tried before."""
    await _change(db, _given_back(claim, until).values(reason=OUTAGE))
    async with db.write() as session:
        while await tie(session, channel.name):
            pass
    due = select(Delivery.id).where(_is_due(channel), _is_tied).limit(HELD_AT_ONCE)
    others = update(Delivery).where(Delivery.id.in_(due)).values(due_at=until, reason=OUTAGE)
    while await _change(db, others) == HELD_AT_ONCE:  # noqa: ASYNC110 - others write in between
        await asyncio.sleep(0)


async def is_held_up(db: Database, channel: Channel) -> bool:
    """Whether anything waits for the service to be reached again."""
    async with db.read() as session:
        return bool(await session.scalar(select(exists().where(*_is_held_up(channel)))))


async def wake_held(db: Database, channel: Channel) -> None:
    """The service answers again: what waited for it need not wait any longer."""
    held = update(Delivery).where(*_is_held_up(channel))
    await _change(db, held.values(due_at=clock.now(), reason=None))


def _is_held_up(channel: Channel) -> list[ColumnElement[bool]]:
    is_reason = Delivery.reason == literal_column(f"'{OUTAGE}'")
    return [Delivery.channel == channel.name, is_pending, is_reason]


async def give_up_broken(db: Database, channel: Channel) -> None:
    """End what broke off in each of its attempts."""
    broken = update(Delivery).where(
        _is_due(channel),
        Delivery.claimed_by.is_not(None),
        Delivery.attempts > len(channel.pauses),
    )
    ended = {"state": "dead", "claimed_by": None, "settled_at": clock.now()}
    await _change(db, broken.values(**ended, error="Each attempt broke off."))


async def take_over(db: Database, crashed: Sequence[str]) -> None:
    """Have at once what these workers held when they died, not only when the lease runs out."""
    if crashed:
        # "/" comes after ".", with which a worker's name ends in a claim's.
        theirs = or_(*(Delivery.claimed_by.between(f"{name}.", f"{name}/") for name in crashed))
        await _change(db, update(Delivery).where(theirs, is_pending).values(due_at=clock.now()))


def _given_back(claim: Claim, due: datetime) -> Update:
    return _quietly(
        _held(claim).values(due_at=due, attempts=Delivery.attempts - 1, claimed_by=None)
    )


def _held(claim: Claim) -> Update:
    return update(Delivery).where(claim.is_held())


def _quietly(change: Update) -> Update:
    return change.execution_options(synchronize_session=False)


async def _change(db: Database, change: Update) -> int:
    """Returns how many rows that was."""
    async with db.write() as session:
        changed = await session.execute(_quietly(change))
        return int(changed.rowcount)  # type: ignore[attr-defined]
