"""Claims: who may attempt a delivery, for how long, and what becomes of the claims of the dead."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from app import clock
from app.database import Database
from app.models import Delivery
from app.notifications.delivery import claims
from tests.mailing import change_deliveries, deliveries, write
from tests.notifications._scripted import Scripted
from tests.notifications.conftest import Hands

CHANNEL = Scripted()


async def claim(db: Database, worker: str = "worker") -> list[str]:
    """The addresses that a worker gets to attempt now."""
    claimed = await claims.claim(db, CHANNEL, worker)
    return await addresses_of(db, claimed) if claimed else []


async def addresses_of(db: Database, claimed: claims.Claim) -> list[str]:
    """In the order in which they are to go."""
    addresses = {row.id: row.address for row in await deliveries(db)}
    return [addresses[one.id] for one in claimed.deliveries]


async def test_what_one_has_claimed_no_other_gets(db: Database) -> None:
    await write(db, "one@example.com")

    assert await claim(db) == ["one@example.com"]
    assert await claim(db, "another") == []


async def test_claims_at_the_same_moment_share_what_is_due(db: Database) -> None:
    addresses = [f"person{number:03}@example.com" for number in range(250)]
    await write(db, *addresses)

    shares = await asyncio.gather(*(claim(db, f"worker{number}") for number in range(4)))

    assert sorted(address for share in shares for address in share) == addresses
    assert [len(share) for share in shares] == [100, 100, 50, 0]


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
    renewing.cancel()

    assert await claim(db, "another") == []


async def test_what_was_interrupted_is_attempted_by_itself_the_least_attempted_first(
    db: Database,
) -> None:
    await write(db, "innocent@example.com", "poison@example.com", "fresh@example.com")
    was_claimed = Delivery.address != "fresh@example.com"
    await change_deliveries(db, was_claimed, claimed_by="dead.1", attempts=2)
    await change_deliveries(db, Delivery.address == "poison@example.com", attempts=3)

    assert await claim(db) == ["innocent@example.com"]
    assert await claim(db) == ["poison@example.com"]
    assert await claim(db) == ["fresh@example.com"]


async def test_what_was_interrupted_once_goes_with_the_others(db: Database) -> None:
    await write(db, "one@example.com", "two@example.com", "three@example.com")
    await change_deliveries(db, Delivery.id < 3, claimed_by="dead.1", attempts=1)

    assert len(await claim(db)) == 3


async def test_a_mail_that_was_interrupted_stays_whole(db: Database, hands: Hands) -> None:
    await write(db, "a@example.com", "b@example.com", "c@example.com")
    await change_deliveries(db, Delivery.id < 3, bundle_id=1, bundling="bundle", attempts=1)
    await claim(db)

    hands.move(claims.LEASE)

    assert await claim(db) == ["a@example.com", "b@example.com"]


async def test_what_was_interrupted_each_time_is_given_up(db: Database) -> None:
    await write(db, "one@example.com", "two@example.com")
    await change_deliveries(db, claimed_by="dead.1", attempts=3)
    await change_deliveries(db, Delivery.id == 1, attempts=len(CHANNEL.pauses) + 1)

    await claims.give_up_interrupted(db, CHANNEL)

    assert [(row.state, row.reason) for row in await deliveries(db)] == [
        ("dead", "interrupted"),
        ("pending", None),
    ]


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


@pytest.mark.parametrize("bundles", [True, False])
async def test_what_is_due_longest_is_claimed_first(db: Database, bundles: bool) -> None:
    await write(db, "late@example.com", "early@example.com", "middle@example.com")
    for minutes, name in enumerate(("late", "middle", "early"), start=1):
        due = clock.now() - timedelta(minutes=minutes)
        await change_deliveries(db, Delivery.address == f"{name}@example.com", due_at=due)

    claimed = await claims.claim(db, Scripted(batch_size=2, bundles=bundles))

    assert claimed
    assert set(await addresses_of(db, claimed)) == {
        "early@example.com",
        "middle@example.com",
    }


async def test_a_claim_looks_only_at_what_it_takes(db: Database) -> None:
    """However much is due: else a thousand claims would look a thousand times at everything."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, sql: str, given: Any, *_more: Any) -> None:
        asked.append((sql, given))

    event.listen(db.engine.sync_engine, "before_cursor_execute", note)
    await claims.claim(db, Scripted(bundles=False))
    event.remove(db.engine.sync_engine, "before_cursor_execute", note)

    looks = [one for one in asked if one[0].startswith("SELECT")]
    async with db.engine.connect() as connection:
        plans = [
            [
                row.detail
                for row in await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", given)
            ]
            for sql, given in looks
        ]
    assert [plan[0].split(" USING ")[1].split(" ")[1] for plan in plans] == [
        "ix_delivery_interrupted",
        "ix_delivery_due",
    ]
    assert not any("TEMP B-TREE FOR ORDER BY" in step for plan in plans[1:] for step in plan)
