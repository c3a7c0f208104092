"""Claims: who may attempt a delivery, for how long, and what becomes of the claims of the dead."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, update
from sqlalchemy.dialects import postgresql

from app import clock
from app.broker.worker_locks import WorkerLock
from app.database import Database
from app.models import Delivery, User
from app.notifications.delivery import claims
from app.notifications.preferences.channels import ChannelDescription
from app.process.cancellation import end
from app.telemetry.repetition import Repetition
from tests.mailing import change_deliveries, deliveries, write
from tests.notifications._scripted import Scripted
from tests.notifications.conftest import Hands
from tests.statements import statements_heard

CHANNEL = Scripted()


async def claim(db: Database, worker: str = "worker") -> list[str]:
    """The addresses that a worker gets to attempt now."""
    claimed = await claims.claim(db, CHANNEL, worker)
    return await addresses_of(db, claimed) if claimed else []


async def addresses_of(db: Database, claimed: claims.Claim) -> list[str]:
    """In the order in which they are to go."""
    addresses = {row.id: row.address for row in await deliveries(db)}
    return [addresses[one.id] for one in claimed.deliveries]


async def test_a_claimed_delivery_is_not_claimed_by_others(db: Database) -> None:
    await write(db, "one@example.com")

    assert await claim(db) == ["one@example.com"]
    assert await claim(db, "another") == []


async def test_concurrent_claims_share_the_due_deliveries(db: Database) -> None:
    addresses = [f"person{number:03}@example.com" for number in range(250)]
    await write(db, *addresses)

    shares = await asyncio.gather(*(claim(db, f"worker{number}") for number in range(4)))

    assert sorted(address for share in shares for address in share) == addresses
    assert sorted(len(share) for share in shares) == [0, 50, 100, 100]


async def test_a_lease_that_is_not_renewed_runs_out(db: Database, hands: Hands) -> None:
    await write(db, "one@example.com")
    await claim(db)

    hands.move(claims.LEASE)

    assert await claim(db, "another") == ["one@example.com"]


async def test_a_lease_is_renewed_while_its_claim_is_worked_on(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write(db, "one@example.com")
    claimed = await claims.claim(db, CHANNEL, "worker")
    assert claimed
    await change_deliveries(db, due_at=clock.now() + timedelta(seconds=0.2))
    monkeypatch.setattr(claims, "LEASE", timedelta(seconds=0.4))

    renewing = asyncio.create_task(claims.renew(db, claimed))
    await asyncio.sleep(0.6)
    await end(renewing)

    assert await claim(db, "another") == []


async def test_leases_that_cannot_be_renewed_are_one_repeated_failure_in_the_log(
    db: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tries = []

    async def failing(*_given: object) -> None:
        tries.append(1)
        raise ValueError("A damaged row.")

    monkeypatch.setattr(claims, "LEASE", timedelta(seconds=0.04))
    monkeypatch.setattr(claims, "_change", failing)
    monkeypatch.setattr(caplog.handler, "filters", [Repetition()])

    each = [claims.renew(db, claims.Claim(name, [])) for name in ("worker", "another")]
    renewing = [asyncio.create_task(one) for one in each]
    async with asyncio.timeout(10):
        while len(tries) < 4:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)
    await end(*renewing)

    assert caplog.messages == ["The lease of a claim could not be renewed."]


async def test_interrupted_deliveries_are_attempted_one_by_one_the_least_attempted_first(
    db: Database,
) -> None:
    """Among equals the longest due first; never interrupted ones last."""
    names = ("poison", "late", "early", "fresh")
    await write(db, *(f"{name}@example.com" for name in names))
    was_claimed = Delivery.address != "fresh@example.com"
    await change_deliveries(db, was_claimed, claimed_by="dead.1", attempts=2)
    for name, minutes, attempts in (("poison", 9, 3), ("late", 1, 2), ("early", 5, 2)):
        due = clock.now() - timedelta(minutes=minutes)
        one = Delivery.address == f"{name}@example.com"
        await change_deliveries(db, one, due_at=due, attempts=attempts)

    assert [await claim(db) for _ in names] == [
        ["early@example.com"],
        ["late@example.com"],
        ["poison@example.com"],
        ["fresh@example.com"],
    ]


async def test_deliveries_interrupted_once_are_sent_with_the_others(db: Database) -> None:
    await write(db, "one@example.com", "two@example.com", "three@example.com")
    await change_deliveries(db, Delivery.id < 3, claimed_by="dead.1", attempts=1)

    assert len(await claim(db)) == 3


async def test_a_mail_that_was_interrupted_stays_whole(db: Database, hands: Hands) -> None:
    await write(db, "a@example.com", "b@example.com", "c@example.com")
    await change_deliveries(db, Delivery.id < 3, bundle_id=1, bundling="bundle", attempts=1)
    await claim(db)

    hands.move(claims.LEASE)

    assert await claim(db) == ["a@example.com", "b@example.com"]


async def test_deliveries_that_failed_several_times_are_sent_with_the_others(db: Database) -> None:
    await write(db, "failed@example.com", "fresh@example.com")
    await change_deliveries(db, Delivery.address == "failed@example.com", attempts=3)

    assert sorted(await claim(db)) == ["failed@example.com", "fresh@example.com"]


async def test_only_the_pending_and_due_deliveries_of_a_mail_are_attempted(
    db: Database, hands: Hands
) -> None:
    """The rest was settled or deferred at an earlier attempt."""
    hands.set("2026-11-23 10:00")
    await write(db, "sent@example.com", "due@example.com", "later@example.com")
    await change_deliveries(db, bundle_id=1, bundling="bundle")
    await change_deliveries(db, Delivery.address == "sent@example.com", state="sent")
    later = clock.now() + timedelta(minutes=5)
    await change_deliveries(db, Delivery.address == "later@example.com", due_at=later)

    assert await claim(db) == ["due@example.com"]
    assert [row.attempts for row in await deliveries(db)] == [0, 1, 0]


async def test_deliveries_waiting_for_a_bundle_are_claimed_as_one_mail(
    db: Database, alice: User, bob: User
) -> None:
    await write(db, "a@example.com", "b@example.com", "c@example.com", user_id=bob.id)
    await change_deliveries(db, Delivery.id < 3, bundling="bundle")

    claimed = await claims.claim(db, CHANNEL, "worker")

    assert claimed
    assert [(one.id, one.bundle_id, one.attempts) for one in claimed.deliveries] == [
        (3, None, 1),
        (1, 1, 1),
        (2, 1, 1),
    ]


async def test_a_retried_delivery_no_longer_has_the_reason_for_waiting(db: Database) -> None:
    await write(db)
    await change_deliveries(db, reason="outage")

    await claim(db)

    assert [row.reason for row in await deliveries(db)] == [None]


async def test_a_claim_is_named_for_its_worker_and_fits_its_column(db: Database) -> None:
    await write(db, "one@example.com", "two@example.com")
    longest = WorkerLock(Path("unused")).name

    names = []
    for _ in range(2):
        claimed = await claims.claim(db, Scripted(batch_size=1), longest)
        assert claimed
        names.append(claimed.name)

    assert len(set(names)) == 2
    assert all(name.startswith(f"{longest}.") and len(name) <= 40 for name in names)


def test_on_postgresql_a_claim_skips_rows_that_another_is_claiming() -> None:
    statement = claims._chosen(CHANNEL).compile(dialect=postgresql.dialect())  # type: ignore[no-untyped-call]

    assert str(statement).endswith("FOR UPDATE SKIP LOCKED")


async def test_deliveries_interrupted_at_every_attempt_are_given_up(db: Database) -> None:
    await write(db, "one@example.com", "two@example.com")
    await change_deliveries(db, claimed_by="dead.1", attempts=3)
    await change_deliveries(db, Delivery.id == 1, attempts=len(CHANNEL.pauses) + 1)

    await claims.give_up_interrupted(db, CHANNEL)

    assert [(row.state, row.reason) for row in await deliveries(db)] == [
        ("dead", "interrupted"),
        ("pending", None),
    ]


async def test_a_delivery_given_up_is_settled_now_and_unclaimed(db: Database, hands: Hands) -> None:
    hands.set("2026-11-23 10:00")
    await write(db)
    await change_deliveries(db, claimed_by="dead.1", attempts=len(CHANNEL.pauses) + 1)

    await claims.give_up_interrupted(db, CHANNEL)

    [row] = await deliveries(db)
    assert (row.settled_at, row.claimed_by) == (clock.now(), None)


async def test_a_last_attempt_that_is_under_way_or_yet_to_come_is_not_given_up(
    db: Database,
) -> None:
    await write(db, "claimed@example.com", "waiting@example.com")
    await change_deliveries(db, attempts=len(CHANNEL.pauses) + 1)
    is_claimed = Delivery.address == "claimed@example.com"
    later = clock.now() + claims.LEASE
    await change_deliveries(db, is_claimed, claimed_by="living.1", due_at=later)

    await claims.give_up_interrupted(db, CHANNEL)

    assert [row.state for row in await deliveries(db)] == ["pending", "pending"]


async def test_the_claims_of_the_dead_are_swept_at_once_and_the_living_keep_theirs(
    db: Database,
) -> None:
    await write(db, "one@example.com")
    await claim(db, "dead")
    await write(db, "two@example.com")
    await claim(db, "living")

    await claims.sweep(db, ["dead"])

    assert await claim(db, "heir") == ["one@example.com"]
    assert await claim(db, "heir") == []


async def test_a_delivery_withdrawn_after_its_worker_died_is_not_swept(
    db: Database, hands: Hands
) -> None:
    hands.set("2026-11-23 10:00")
    await write(db)
    settled = clock.now()
    withdrawn = {"state": "skipped", "reason": "withdrawn", "due_at": settled}
    await change_deliveries(db, claimed_by="dead.1", **withdrawn)
    hands.move(timedelta(minutes=1))

    await claims.sweep(db, ["dead"])

    assert [(row.state, row.due_at) for row in await deliveries(db)] == [("skipped", settled)]


async def claim_all(db: Database) -> claims.Claim:
    claimed = await claims.claim(db, CHANNEL, "worker")
    assert claimed
    return claimed


async def test_a_released_delivery_is_due_at_once_and_loses_no_attempt(
    db: Database, hands: Hands
) -> None:
    """Only deliveries still claimed: not settled ones, nor those that another has claimed since."""
    hands.set("2026-11-23 10:00")
    await write(db, "left@example.com", "sent@example.com", "lost@example.com")
    claimed = await claim_all(db)
    due = clock.now() + claims.LEASE
    await change_deliveries(db, Delivery.address == "sent@example.com", state="sent")
    await change_deliveries(db, Delivery.address == "lost@example.com", claimed_by="another.1")
    hands.move(timedelta(seconds=30))

    await claims.release(db, claimed)

    rows = [(row.attempts, row.claimed_by, row.due_at) for row in await deliveries(db)]
    assert rows == [
        (0, None, clock.now()),
        (1, claimed.name, due),
        (1, "another.1", due),
    ]


async def test_an_outage_lasts_until_its_channel_is_reached_again(
    db: Database, hands: Hands
) -> None:
    hands.set("2026-11-23 10:00")
    until = clock.now() + timedelta(minutes=1)
    other = Scripted(description=ChannelDescription("other", "Other", "bi-bell"))
    await write(db)
    assert not await claims.has_outage(db, CHANNEL)

    await claims.start_outage(db, CHANNEL, await claim_all(db), until)
    assert [(row.due_at, row.reason) for row in await deliveries(db)] == [(until, "outage")]
    assert await claims.has_outage(db, CHANNEL)
    assert not await claims.has_outage(db, other)

    await claims.end_outage(db, other)
    assert await claims.has_outage(db, CHANNEL)

    await claims.end_outage(db, CHANNEL)
    assert [(row.due_at, row.reason) for row in await deliveries(db)] == [(clock.now(), None)]
    assert not await claims.has_outage(db, CHANNEL)


async def test_deliveries_waiting_for_a_bundle_also_wait_for_the_end_of_an_outage(
    db: Database, bob: User, hands: Hands
) -> None:
    """A digest does not: it can still be joined, and is bundled when the next one is scheduled."""
    hands.set("2026-11-23 10:00")
    until = clock.now() + timedelta(minutes=1)
    async with db.write() as session:
        await session.execute(update(User).values(digest_due_at=clock.now()))
    await write(db, "one@example.com")
    claimed = await claim_all(db)
    await write(db, "bundle@example.com", "digest@example.com", user_id=bob.id)
    await change_deliveries(db, Delivery.address == "bundle@example.com", bundling="bundle")
    await change_deliveries(db, Delivery.address == "digest@example.com", bundling="digest")

    await claims.start_outage(db, CHANNEL, claimed, until)

    _one, bundle, digest = await deliveries(db)
    assert (bundle.bundle_id, bundle.due_at, bundle.reason) == (bundle.id, until, "outage")
    assert (digest.bundle_id, digest.due_at, digest.reason) == (None, clock.now(), None)


async def test_an_outage_defers_a_batch_at_a_time(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others can write in between."""
    monkeypatch.setattr(claims, "BATCH", 2)
    await write(db, "claimed@example.com")
    claimed = await claim_all(db)
    await write(db, *(f"person{number}@example.com" for number in range(5)))
    batches: list[int] = []

    def count(_connection: Any, cursor: Any, sql: str, *_more: Any) -> None:
        if sql.startswith("UPDATE delivery"):
            batches.append(cursor.rowcount)

    event.listen(db.engine.sync_engine, "after_cursor_execute", count)
    await claims.start_outage(db, CHANNEL, claimed, clock.now() + timedelta(minutes=1))

    assert batches[-3:] == [2, 2, 1]
    assert {row.reason for row in await deliveries(db)} == {"outage"}


@pytest.mark.parametrize("bundles", [True, False])
async def test_the_longest_due_are_claimed_first(db: Database, bundles: bool) -> None:
    await write(db, "late@example.com", "early@example.com", "middle@example.com")
    for minutes, name in enumerate(("late", "middle", "early"), start=1):
        due = clock.now() - timedelta(minutes=minutes)
        await change_deliveries(db, Delivery.address == f"{name}@example.com", due_at=due)

    claimed = await claims.claim(db, Scripted(batch_size=2, bundles=bundles), "worker")

    assert claimed
    assert set(await addresses_of(db, claimed)) == {
        "early@example.com",
        "middle@example.com",
    }


@pytest.mark.sqlite
async def test_a_claim_reads_only_the_rows_it_takes(db: Database) -> None:
    """However many are due: otherwise a thousand claims would each read all of them."""
    with statements_heard() as heard:
        await claims.claim(db, Scripted(bundles=False), "worker")

    looks = [one for one in heard if one.text.startswith("SELECT")]
    async with db.engine.connect() as connection:
        plans = [
            [
                row.detail
                for row in await connection.exec_driver_sql(
                    f"EXPLAIN QUERY PLAN {one.text}", one.values
                )
            ]
            for one in looks
        ]
    assert [plan[0].split(" USING ")[1].split(" ")[1] for plan in plans] == [
        "ix_delivery_interrupted",
        "ix_delivery_due",
    ]
    assert not any("TEMP B-TREE FOR ORDER BY" in step for plan in plans[1:] for step in plan)
