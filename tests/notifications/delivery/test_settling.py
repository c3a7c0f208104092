"""Settling: the row after each outcome, and the metrics."""

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from app import clock
from app.database import Database
from app.models import Delivery
from app.notifications.channels.base import SENT, DeliveryFailure, Failed, Wait
from app.notifications.delivery import claims, settling
from app.notifications.delivery.claims import Claim
from app.notifications.delivery.decision import Skip
from app.notifications.delivery.settling import Settlement, settle, skip_pending
from tests.mailing import change_deliveries, deliveries, write
from tests.notifications._scripted import Scripted
from tests.notifications.conftest import Hands

CHANNEL = Scripted()
MINUTE = timedelta(minutes=1)
FAILURE = DeliveryFailure("unavailable", "mail.example", 451, "Later")
UNREACHABLE = DeliveryFailure("unreachable", "mail.example", detail="No route")
LATER = Failed(FAILURE)
NEVER = Failed(FAILURE, is_final=True)
OUT = Failed(UNREACHABLE, is_outage=True, is_unreachable=True)
COLUMNS = ("state", "reason", "attempts", "due_at", "attempted_at", "settled_at")
PROBLEM = ("failure", "host", "status_code", "detail")
AT_TEN = "2026-11-23 10:00"


async def claim(db: Database) -> Claim:
    claimed = await claims.claim(db, CHANNEL, "worker")
    assert claimed
    return claimed


async def settle_now(
    db: Database, claimed: Claim, ids: Sequence[int], settlement: Settlement
) -> None:
    async with db.write() as session:
        await settle(session, CHANNEL, claimed, ids, settlement)


def shown(row: Delivery, *columns: str) -> tuple[Any, ...]:
    return tuple(getattr(row, column) for column in columns)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, int]]:
    """(channel, outcome, how many) of what the metrics were told."""
    told: list[tuple[str, str, int]] = []
    monkeypatch.setattr(settling, "count_deliveries", lambda *of: told.append(of))
    return told


@pytest.mark.parametrize(
    ("settlement", "state", "reason", "is_attempted"),
    [
        (SENT, "sent", None, True),
        (NEVER, "failed", None, True),
        (Skip("read"), "skipped", "read", False),
        (Skip("expired", state="dead"), "dead", "expired", False),
    ],
)
async def test_a_final_outcome_settles_now_and_ends_the_claim(
    db: Database,
    hands: Hands,
    counted: list[Any],
    settlement: Settlement,
    state: str,
    reason: str | None,
    is_attempted: bool,
) -> None:
    hands.set(AT_TEN)
    await write(db, "one@example.com", "two@example.com")
    claimed = await claim(db)
    hands.move(MINUTE)

    await settle_now(db, claimed, [1, 2], settlement)

    now = clock.now()
    for row in await deliveries(db):
        attempted_at = now if is_attempted else None
        assert shown(row, *COLUMNS) == (state, reason, 1, now, attempted_at, now)
        assert row.claimed_by is None
        problem = (
            ("unavailable", "mail.example", 451, "Later") if settlement == NEVER else (None,) * 4
        )
        assert shown(row, *PROBLEM) == problem
    assert counted == [("email", state, 2)]


async def test_a_wait_sets_the_due_time_and_costs_no_attempt(
    db: Database, hands: Hands, counted: list[Any]
) -> None:
    hands.set(AT_TEN)
    await write(db)
    until = clock.now() + 5 * MINUTE

    await settle_now(db, await claim(db), [1], Wait(until, "resting"))

    [row] = await deliveries(db)
    assert shown(row, *COLUMNS) == ("pending", "resting", 0, until, None, None)
    assert row.claimed_by is None
    assert counted == [("email", "pending", 1)]


@pytest.mark.parametrize("begins_anew", [False, True])
async def test_a_wait_may_begin_the_time_to_live_anew(
    db: Database, hands: Hands, begins_anew: bool
) -> None:
    hands.set(AT_TEN)
    await write(db)
    until = clock.now() + 5 * MINUTE

    wait = Wait(until, "resting", begins_anew=begins_anew)
    await settle_now(db, await claim(db), [1], wait)

    [row] = await deliveries(db)
    assert row.queued_at == (until if begins_anew else None)


@pytest.mark.parametrize(
    ("outcome", "reason", "problem"),
    [
        (LATER, None, ("unavailable", "mail.example", 451, "Later")),
        (OUT, "outage", ("unreachable", "mail.example", None, "No route")),
    ],
)
async def test_a_failed_delivery_is_due_again_after_a_pause(
    db: Database,
    hands: Hands,
    shortest_pauses: None,
    counted: list[Any],
    outcome: Failed,
    reason: str | None,
    problem: tuple[Any, ...],
) -> None:
    hands.set(AT_TEN)
    await write(db)
    claimed = await claim(db)
    hands.move(MINUTE)

    await settle_now(db, claimed, [1], outcome)

    [row] = await deliveries(db)
    now = clock.now()
    assert shown(row, *COLUMNS) == ("pending", reason, 1, now + MINUTE, now, None)
    assert row.claimed_by is None
    assert shown(row, *PROBLEM) == problem
    assert counted == [("email", "pending", 1)]


async def test_a_service_may_ask_for_a_longer_pause(
    db: Database, hands: Hands, shortest_pauses: None
) -> None:
    hands.set(AT_TEN)
    await write(db)

    await settle_now(db, await claim(db), [1], Failed(FAILURE, retry_after=7 * MINUTE))

    [row] = await deliveries(db)
    assert row.due_at == clock.now() + 7 * MINUTE


@pytest.mark.parametrize("outcome", [LATER, OUT])
async def test_after_its_last_attempt_a_delivery_is_dead(
    db: Database, hands: Hands, counted: list[Any], outcome: Failed
) -> None:
    hands.set(AT_TEN)
    await write(db, "last@example.com", "one-before@example.com")
    for id, attempts in ((1, len(CHANNEL.pauses)), (2, len(CHANNEL.pauses) - 1)):
        await change_deliveries(db, Delivery.id == id, attempts=attempts)
    claimed = await claim(db)

    await settle_now(db, claimed, [1, 2], outcome)

    dead, alive = await deliveries(db)
    now = clock.now()
    assert shown(dead, *COLUMNS) == ("dead", None, 4, now, now, now)
    assert (alive.state, alive.settled_at) == ("pending", None)
    assert sorted(counted) == [("email", "dead", 1), ("email", "pending", 1)]


@pytest.mark.parametrize(
    "settlement", [SENT, NEVER, LATER, Skip("read"), Wait(clock.now(), "resting")]
)
async def test_an_outcome_is_of_these_deliveries_alone(
    db: Database, settlement: Settlement
) -> None:
    await write(db, "one@example.com", "two@example.com")
    claimed = await claim(db)
    _one, untouched = await deliveries(db)

    await settle_now(db, claimed, [1], settlement)

    _one, two = await deliveries(db)
    assert shown(two, *COLUMNS, "claimed_by") == shown(untouched, *COLUMNS, "claimed_by")


@pytest.mark.parametrize(
    "settlement", [SENT, NEVER, LATER, Skip("read"), Wait(clock.now(), "resting")]
)
@pytest.mark.parametrize(
    "meanwhile", [{"claimed_by": "another.1"}, {"state": "skipped", "reason": "withdrawn"}]
)
async def test_deliveries_claimed_or_withdrawn_by_others_stay_unchanged(
    db: Database, settlement: Settlement, meanwhile: dict[str, str]
) -> None:
    await write(db)
    claimed = await claim(db)
    await change_deliveries(db, **meanwhile)
    [before] = await deliveries(db)

    await settle_now(db, claimed, [1], settlement)

    [after] = await deliveries(db)
    assert shown(after, *COLUMNS, "claimed_by") == shown(before, *COLUMNS, "claimed_by")


async def test_only_pending_deliveries_are_skipped_before_they_are_due(
    db: Database, hands: Hands
) -> None:
    hands.set(AT_TEN)
    await write(db, "sent@example.com", "pending@example.com", "other@example.com")
    await change_deliveries(db, Delivery.id == 1, state="sent")
    before = await deliveries(db)
    hands.move(MINUTE)

    async with db.write() as session:
        await skip_pending(session, Delivery.id < 3, Skip("withdrawn"))

    sent, pending, other = await deliveries(db)
    now = clock.now()
    assert shown(pending, *COLUMNS) == ("skipped", "withdrawn", 0, now, None, now)
    assert shown(sent, *COLUMNS) == shown(before[0], *COLUMNS)
    assert shown(other, *COLUMNS) == shown(before[2], *COLUMNS)


@pytest.mark.parametrize(("is_most", "pause"), [(False, 5), (True, 6)])
def test_chance_adds_at_most_a_fifth_to_a_pause(
    monkeypatch: pytest.MonkeyPatch, is_most: bool, pause: int
) -> None:
    monkeypatch.setattr(random, "uniform", lambda *bounds: bounds[is_most])

    assert settling.pause_after(2, [MINUTE, 5 * MINUTE]) == pause * MINUTE
