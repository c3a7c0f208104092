"""What becomes of a delivery: settled once, tried again later and later, or given up."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Row, Select, update

from app import clock
from app.database import Database
from app.models import Delivery, User
from app.notifications.channels.base import SENT, Channel, DeliveryFailure, Failed, Outcome, Wait
from app.notifications.delivery import batch, claims, outbox
from app.notifications.delivery.explanations import failure_of
from app.notifications.delivery.settling import pause_after
from tests.mailing import change_deliveries, deliveries, make_due, write
from tests.notifications._scripted import Scripted
from tests.notifications.conftest import Hands

MINUTE = timedelta(minutes=1)
LATER = Failed(DeliveryFailure("unavailable", "mail.example", 451, "Later"))
NEVER = Failed(DeliveryFailure("refused", "mail.example", 554, "No"), is_final=True)
TROUBLE = Failed(DeliveryFailure("unavailable", "mail.example", 421, "Not now"), is_outage=True)
OUT = Failed(
    DeliveryFailure("unreachable", "mail.example", detail="No route"),
    is_outage=True,
    is_unreachable=True,
)


def always(outcome: Outcome) -> Scripted:
    return Scripted(lambda _delivery: outcome)


@pytest.mark.parametrize(
    ("outcome", "state", "reason"),
    [
        (SENT, "sent", None),
        (NEVER, "failed", None),
        (LATER, "pending", None),
        (TROUBLE, "pending", None),
        (OUT, "pending", "outage"),
    ],
)
async def test_each_outcome_is_recorded_as_data(
    db: Database, outcome: Outcome, state: str, reason: str | None
) -> None:
    await write(db)

    await outbox.deliver(db, always(outcome))

    [row] = await deliveries(db)
    assert (row.state, row.reason) == (state, reason)
    assert failure_of(row) == (outcome.failure if isinstance(outcome, Failed) else None)
    assert (row.attempts, row.claimed_by) == (1, None)
    assert (row.settled_at is None) is (state == "pending")
    assert row.attempted_at is not None


async def test_a_waiting_delivery_loses_no_attempt_and_keeps_its_last_failure(db: Database) -> None:
    await write(db)
    until = clock.now() + timedelta(hours=1)
    for outcome in (LATER, Wait(until, "resting")):
        await make_due(db)
        await outbox.deliver(db, always(outcome))

    [row] = await deliveries(db)
    assert (row.state, row.reason, row.due_at) == ("pending", "resting", until)
    assert (row.attempts, failure_of(row)) == (1, LATER.failure)


async def test_a_success_forgets_the_failures_before_it(db: Database) -> None:
    await write(db)
    for outcome in (LATER, SENT):
        await make_due(db)
        await outbox.deliver(db, always(outcome))

    [row] = await deliveries(db)
    assert (row.state, row.attempts, failure_of(row)) == ("sent", 2, None)


@pytest.mark.parametrize("outcome", [LATER, OUT])
async def test_attempts_come_later_and_later_until_it_is_given_up(
    db: Database, hands: Hands, shortest_pauses: None, outcome: Failed
) -> None:
    hands.set("2026-11-23 10:00")
    await write(db)
    channel, waits = always(outcome), []
    for _ in range(4):
        await make_due(db)
        await outbox.deliver(db, channel)
        [row] = await deliveries(db)
        waits.append((row.due_at - clock.now()) / MINUTE)

    assert waits == [1, 5, 30, 0]
    assert (row.state, row.attempts, failure_of(row)) == ("dead", 4, outcome.failure)
    assert row.settled_at is not None


async def test_a_permanent_refusal_is_not_retried(db: Database) -> None:
    await write(db)
    channel = Scripted(lambda _: NEVER)
    await outbox.deliver(db, channel)

    await make_due(db)

    assert await outbox.deliver(db, channel) == 0


def test_pauses_differ_by_chance_so_that_not_all_come_back_at_once() -> None:
    pauses = {pause_after(1, [MINUTE]) for _ in range(50)}

    assert len(pauses) > 25
    assert all(MINUTE <= pause <= 1.2 * MINUTE for pause in pauses)


@pytest.mark.parametrize(("asked", "least"), [(10, 10), (1, 5), (None, 5)])
def test_a_requested_longer_pause_is_kept(asked: int | None, least: int) -> None:
    wish = None if asked is None else asked * MINUTE

    pause = pause_after(2, [MINUTE, 5 * MINUTE], wish)

    assert least * MINUTE <= pause <= 1.2 * least * MINUTE


async def test_a_delivery_is_settled_before_the_next_one_leaves(db: Database) -> None:
    await write(db, "one@example.com", "two@example.com")
    seen: list[list[str]] = []

    class Watching(Scripted):
        async def send(self, db, batch):  # type: ignore[no-untyped-def]
            async for settled in super().send(db, batch):
                seen.append([row.state for row in await deliveries(db)])
                yield settled

    await outbox.deliver(db, Watching())

    assert seen == [["pending", "pending"], ["sent", "pending"]]


async def test_workers_at_once_deliver_each_once(db: Database) -> None:
    addresses = [f"person{number}@example.com" for number in range(250)]
    await write(db, *addresses)
    channel = Scripted()

    counts = await asyncio.gather(
        *(outbox.deliver(db, channel, worker=f"worker{number}") for number in range(4))
    )

    assert sorted(channel.left) == sorted(addresses)
    assert sum(counts) == 250


@pytest.mark.parametrize("outcome", [OUT, TROUBLE])
async def test_during_an_outage_one_attempt_is_made_for_all(
    db: Database, hands: Hands, shortest_pauses: None, outcome: Failed
) -> None:
    hands.set("2026-11-23 10:00")
    await write(db, *(f"person{number}@example.com" for number in range(150)))

    assert await outbox.deliver(db, always(outcome)) == 1

    rows = sorted(await deliveries(db), key=lambda row: row.attempts)
    assert [row.attempts for row in rows] == [0] * 149 + [1]
    of_the_attempted = "outage" if outcome.is_unreachable else None
    assert [row.reason for row in rows] == ["outage"] * 149 + [of_the_attempted]
    assert {row.due_at - clock.now() for row in rows} == {MINUTE}


async def test_recipients_take_turns_at_the_one_attempt_of_an_outage(db: Database) -> None:
    await write(db, *(f"person{number}@example.com" for number in range(3)))
    for _ in range(3):
        await make_due(db)
        await outbox.deliver(db, Scripted(lambda _: OUT))

    assert [row.attempts for row in await deliveries(db)] == [1, 1, 1]


async def test_after_an_outage_all_waiting_deliveries_follow_the_first(db: Database) -> None:
    await write(db, "one@example.com", "two@example.com")
    await outbox.deliver(db, Scripted(lambda _: OUT))
    await write(db, "three@example.com")
    channel = Scripted()

    await outbox.deliver(db, channel)

    assert channel.left[0] == "three@example.com"
    assert sorted(channel.left[1:]) == ["one@example.com", "two@example.com"]


async def test_all_batches_are_counted(db: Database) -> None:
    await write(db, *(f"person{number}@example.com" for number in range(3)))

    assert await outbox.deliver(db, Scripted(batch_size=1)) == 3


async def test_the_decision_query_is_built_once_for_all_batches(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel, built = always(SENT), []

    def with_facts(rows: Select[Any]) -> Select[Any]:
        built.append(rows)
        return rows

    monkeypatch.setattr(channel, "with_facts", with_facts)
    for _batch in range(3):
        await write(db)
        assert await outbox.deliver(db, channel) == 1

    assert len(built) == 1


async def test_the_first_success_ends_an_outage_once(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write(db, *(f"person{number}@example.com" for number in range(3)))
    end_outage, ended = claims.end_outage, []

    async def end(db: Database, channel: Channel) -> None:
        ended.append(channel.name)
        await end_outage(db, channel)

    monkeypatch.setattr(claims, "end_outage", end)

    await outbox.deliver(db, Scripted())

    assert ended == ["email"]


@pytest.mark.parametrize("outcome", [LATER, NEVER])
async def test_a_failure_does_not_end_an_outage(db: Database, outcome: Failed) -> None:
    await write(db, "waiting@example.com", "failing@example.com")
    is_waiting, later = Delivery.address == "waiting@example.com", clock.now() + MINUTE
    await change_deliveries(db, is_waiting, reason="outage", due_at=later)

    await outbox.deliver(db, always(outcome))

    waiting, _failing = await deliveries(db)
    assert (waiting.reason, waiting.due_at) == ("outage", later)


async def test_a_claim_is_renewed_while_it_is_worked_on_and_no_longer(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write(db)
    renewed: list[tuple[Database, int]] = []
    has_ended = asyncio.Event()

    async def renew(db: Database, claim: claims.Claim) -> None:
        renewed.append((db, len(claim.deliveries)))
        try:
            await asyncio.Event().wait()
        finally:
            has_ended.set()

    monkeypatch.setattr(claims, "renew", renew)

    await outbox.deliver(db, Scripted())

    assert renewed == [(db, 1)]
    await asyncio.wait_for(has_ended.wait(), 5)


async def test_deliveries_interrupted_at_every_attempt_are_given_up_first(db: Database) -> None:
    await write(db)
    await change_deliveries(db, claimed_by="dead.1", attempts=4)
    channel = Scripted()

    assert await outbox.deliver(db, channel) == 0

    assert channel.left == []
    assert [row.state for row in await deliveries(db)] == ["dead"]


async def test_a_due_digest_is_scheduled_anew_before_anything_is_sent(
    db: Database, bob: User, hands: Hands
) -> None:
    hands.set("2026-11-23 08:00")
    async with db.write() as session:
        on = {"digest_is_on": True, "digest_hour": 8, "digest_due_at": clock.now()}
        await session.execute(update(User).values(on))

    await outbox.deliver(db, Scripted())

    async with db.read() as session:
        account = await session.get_one(User, bob.id)
    assert account.digest_due_at == clock.now() + timedelta(days=1)


async def test_claims_name_their_worker(db: Database) -> None:
    await write(db)
    seen: list[str | None] = []

    class Watching(Scripted):
        async def send(self, db, batch):  # type: ignore[no-untyped-def]
            seen.extend(row.claimed_by for row in await deliveries(db))
            async for settled in super().send(db, batch):
                yield settled

    await outbox.deliver(db, Watching(), worker="worker")

    assert [str(name).partition(".")[0] for name in seen] == ["worker"]


async def test_an_unattempted_delivery_loses_no_attempt(db: Database) -> None:
    await write(db, "one@example.com", "two@example.com")
    channel = Scripted()

    await outbox.deliver(db, channel, is_stopping=lambda: bool(channel.left))

    first, second = await deliveries(db)
    assert (first.state, second.state) == ("sent", "pending")
    assert (second.attempts, second.claimed_by) == (0, None)
    assert second.due_at <= clock.now()


async def test_a_worker_told_to_stop_gives_back_what_it_claimed(db: Database) -> None:
    await write(db, "one@example.com", "two@example.com")
    begun = asyncio.Event()

    class Stuck(Scripted):
        async def send(self, _db, _batch):  # type: ignore[no-untyped-def]
            begun.set()
            await asyncio.sleep(3600)
            yield [], SENT

    working = asyncio.create_task(outbox.deliver(db, Stuck()))
    await asyncio.wait_for(begun.wait(), 5)
    working.cancel()
    await asyncio.wait([working])

    rows = await deliveries(db)
    assert [(row.attempts, row.claimed_by) for row in rows] == [(0, None), (0, None)]
    assert all(row.due_at <= clock.now() for row in rows)


@pytest.mark.parametrize(
    ("step", "outcome", "attempts"),
    [("claim", SENT, [0, 0]), ("start_outage", TROUBLE, [1, 0])],
)
async def test_a_worker_that_stops_before_or_after_its_batch_gives_back_what_it_claimed(
    db: Database,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    outcome: Outcome,
    attempts: list[int],
) -> None:
    await write(db, "one@example.com", "two@example.com")
    take, has_begun, goes_on = getattr(claims, step), asyncio.Event(), asyncio.Event()

    async def take_slowly(*given: Any) -> Any:
        taken = await take(*given) if step == "claim" else None
        has_begun.set()
        await goes_on.wait()
        return taken

    monkeypatch.setattr(claims, step, take_slowly)
    working = asyncio.create_task(outbox.deliver(db, always(outcome)))
    await asyncio.wait_for(has_begun.wait(), 5)

    working.cancel()
    goes_on.set()
    await asyncio.wait([working])

    rows = await deliveries(db)
    assert working.cancelled()
    assert [row.attempts for row in rows] == attempts
    assert [row.claimed_by for row in rows] == [None, None]


async def test_a_delivery_that_breaks_its_channel_does_not_affect_others(db: Database) -> None:
    await write(db, "one@example.com", "poison@example.com", "three@example.com")

    def say(delivery: Row[Any]) -> Outcome:
        if delivery.address.startswith("poison"):
            raise RuntimeError("Nobody foresaw this")
        return SENT

    channel = Scripted(say)
    for _ in range(9):
        await change_deliveries(db, due_at=clock.now())
        try:
            await outbox.deliver(db, channel)
        except RuntimeError:
            continue

    assert channel.left == ["one@example.com", "three@example.com"]
    rows = await deliveries(db)
    assert [row.state for row in rows] == ["sent", "dead", "sent"]
    assert (rows[1].attempts, rows[1].reason) == (4, "interrupted")


async def test_a_delivery_withdrawn_during_sending_stays_withdrawn(db: Database) -> None:
    await write(db)

    class Slow(Scripted):
        async def send(self, db, batch):  # type: ignore[no-untyped-def]
            [delivery] = await batch.decide()
            await change_deliveries(db, state="skipped", reason="withdrawn")
            yield [delivery.delivery_id], SENT

    await outbox.deliver(db, Slow())

    [row] = await deliveries(db)
    assert (row.state, row.reason) == ("skipped", "withdrawn")


async def test_a_worker_that_lost_its_lease_does_not_settle(db: Database) -> None:
    await write(db)

    class Asleep(Scripted):
        async def send(self, db, batch):  # type: ignore[no-untyped-def]
            [delivery] = await batch.decide()
            await change_deliveries(db, due_at=clock.now())
            assert await claims.claim(db, self, "another")
            yield [delivery.delivery_id], NEVER

    await outbox.deliver(db, Asleep(), is_stopping=iter([False, True, True]).__next__)

    [row] = await deliveries(db)
    assert (row.state, row.attempts) == ("pending", 2)
    assert str(row.claimed_by).startswith("another.")


async def test_urgent_deliveries_are_sent_first(db: Database) -> None:
    await write(db, "bundle@example.com", "digest@example.com", "alone@example.com")
    async with db.write() as session:
        for bundling in ("bundle", "digest"):
            ordinary = update(Delivery).where(Delivery.address == f"{bundling}@example.com")
            await session.execute(
                ordinary.values(
                    bundling=bundling, bundle_id=Delivery.id, due_at=clock.now() - MINUTE
                )
            )
    channel = Scripted()

    await outbox.deliver(db, channel)

    assert [address.partition("@")[0] for address in channel.left] == ["alone", "bundle", "digest"]


async def test_a_batch_is_given_back_after_its_time_so_that_urgent_deliveries_come_first(
    db: Database, hands: Hands
) -> None:
    hands.set("2026-11-23 10:00")
    await write(db, *(f"person{number}@example.com" for number in range(4)))
    ordinary = Delivery.address != "urgent@example.com"
    await change_deliveries(db, ordinary, bundling="bundle", bundle_id=Delivery.id)
    left: list[str] = []

    class Slow(Scripted):
        async def send(self, db, batch):  # type: ignore[no-untyped-def]
            async for settled in super().send(db, batch):
                left.append(self.left[-1])
                if len(left) == 2:
                    await write(db, "urgent@example.com")
                    hands.move(batch_time + timedelta(seconds=1))
                yield settled

    await outbox.deliver(db, Slow())

    assert [address.partition("@")[0] for address in left] == [
        "person0", "person1", "urgent", "person2", "person3",
    ]  # fmt: skip
    assert [row.attempts for row in await deliveries(db)] == [1] * 5


batch_time = timedelta(seconds=batch.BATCH_SECONDS)
