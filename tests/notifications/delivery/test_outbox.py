"""What becomes of a delivery: settled once, tried again later and later, or given up."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import update

from app import clock
from app.database import Database
from app.models import Delivery
from app.notifications.channels.base import SENT, Claimed, Outcome, Undelivered, skipped
from app.notifications.delivery import claims, outbox
from app.notifications.delivery.outbox import pause_after
from app.settings import Settings
from tests.mailing import change_deliveries, deliveries, make_due, write
from tests.notifications._scripted import Scripted

MINUTE = timedelta(minutes=1)
LATER = Undelivered("451 Later").outcome
NEVER = Undelivered("554 No", permanent=True).outcome
TROUBLE = Undelivered("421 Not now", outage=True).outcome
OUT = Undelivered("Nobody there", unreachable=True).outcome


@pytest.mark.parametrize(
    ("outcome", "state", "reason", "error"),
    [
        (SENT, "sent", None, None),
        (skipped("read"), "skipped", "read", None),
        (NEVER, "failed", None, "554 No"),
        (LATER, "pending", None, "451 Later"),
        (TROUBLE, "pending", None, "421 Not now"),
        (OUT, "pending", "outage", "Nobody there"),
    ],
)
async def test_each_outcome_is_recorded(
    db: Database, settings: Settings, outcome: Outcome, state: str, reason: str, error: str
) -> None:
    await write(db)

    await outbox.deliver(db, settings, Scripted(lambda _: outcome))

    [row] = await deliveries(db)
    assert (row.state, row.reason, row.error) == (state, reason, error)
    assert (row.attempts, row.claimed_by) == (1, None)
    assert (row.settled_at is None) is (state == "pending")


@pytest.mark.parametrize("outcome", [LATER, OUT])
async def test_attempts_come_later_and_later_until_it_is_given_up(
    db: Database, settings: Settings, outcome: Outcome
) -> None:
    await write(db)
    channel, waits = Scripted(lambda _: outcome), []
    for _ in range(4):
        await make_due(db)
        await outbox.deliver(db, settings, channel)
        [row] = await deliveries(db)
        waits.append((row.due_at - clock.now()) / MINUTE)

    assert [0.9 < wait / least < 1.2 for wait, least in zip(waits, (1, 5, 30), strict=False)] == [
        True
    ] * 3
    assert (row.state, row.attempts, row.error) == ("dead", 4, outcome.error)
    assert row.settled_at is not None


async def test_what_is_refused_for_good_is_not_tried_again(
    db: Database, settings: Settings
) -> None:
    await write(db)
    channel = Scripted(lambda _: NEVER)
    await outbox.deliver(db, settings, channel)

    await make_due(db)

    assert await outbox.deliver(db, settings, channel) == 0


def test_pauses_differ_by_chance_so_that_not_all_come_back_at_once() -> None:
    pauses = {pause_after(1, [MINUTE]) for _ in range(50)}

    assert len(pauses) > 25
    assert all(MINUTE <= pause <= 1.2 * MINUTE for pause in pauses)


@pytest.mark.parametrize(("asked", "least"), [(10, 10), (1, 5), (None, 5)])
def test_who_asks_for_a_longer_pause_gets_it(asked: int | None, least: int) -> None:
    wish = None if asked is None else asked * MINUTE

    pause = pause_after(2, [MINUTE, 5 * MINUTE], wish)

    assert least * MINUTE <= pause <= 1.2 * least * MINUTE


async def test_a_delivery_is_settled_before_the_next_one_leaves(
    db: Database, settings: Settings
) -> None:
    await write(db, "one@example.com", "two@example.com")
    seen: list[list[str]] = []

    class Watching(Scripted):
        async def send(self, db, settings, claimed, is_over):  # type: ignore[no-untyped-def]
            async for settled in super().send(db, settings, claimed, is_over):
                seen.append([row.state for row in await deliveries(db)])
                yield settled

    await outbox.deliver(db, settings, Watching())

    assert seen == [["pending", "pending"], ["sent", "pending"]]


async def test_workers_at_once_deliver_each_once(db: Database, settings: Settings) -> None:
    addresses = [f"person{number}@example.com" for number in range(250)]
    await write(db, *addresses)
    channel = Scripted()

    counts = await asyncio.gather(
        *(outbox.deliver(db, settings, channel, holder=f"worker{number}") for number in range(4))
    )

    assert sorted(channel.left) == sorted(addresses)
    assert sum(counts) == 250


@pytest.mark.parametrize("outcome", [OUT, TROUBLE])
async def test_during_an_outage_one_attempt_is_made_for_all(
    db: Database, settings: Settings, outcome: Outcome
) -> None:
    await write(db, *(f"person{number}@example.com" for number in range(150)))

    assert await outbox.deliver(db, settings, Scripted(lambda _: outcome)) == 1

    rows = sorted(await deliveries(db), key=lambda row: row.attempts)
    assert [row.attempts for row in rows] == [0] * 149 + [1]
    assert [row.reason for row in rows] == ["outage"] * 149 + [outcome.reason]
    assert all(MINUTE * 0.9 < row.due_at - clock.now() < MINUTE * 1.2 for row in rows)


async def test_an_outage_takes_turns_among_those_who_wait(db: Database, settings: Settings) -> None:
    await write(db, *(f"person{number}@example.com" for number in range(3)))
    for _ in range(3):
        await make_due(db)
        await outbox.deliver(db, settings, Scripted(lambda _: OUT))

    assert [row.attempts for row in await deliveries(db)] == [1, 1, 1]


async def test_after_an_outage_all_that_waited_goes_with_the_first(
    db: Database, settings: Settings
) -> None:
    await write(db, "one@example.com", "two@example.com")
    await outbox.deliver(db, settings, Scripted(lambda _: OUT))
    await write(db, "three@example.com")
    channel = Scripted()

    await outbox.deliver(db, settings, channel)

    assert channel.left[0] == "three@example.com"
    assert sorted(channel.left[1:]) == ["one@example.com", "two@example.com"]


async def test_what_was_not_attempted_has_lost_no_attempt(db: Database, settings: Settings) -> None:
    await write(db, "one@example.com", "two@example.com")
    channel = Scripted()

    await outbox.deliver(db, settings, channel, is_over=lambda: bool(channel.left))

    first, second = await deliveries(db)
    assert (first.state, second.state) == ("sent", "pending")
    assert (second.attempts, second.claimed_by) == (0, None)
    assert second.due_at <= clock.now()


async def test_a_worker_told_to_stop_gives_back_what_it_holds(
    db: Database, settings: Settings
) -> None:
    await write(db, "one@example.com", "two@example.com")
    held = asyncio.Event()

    class Stuck(Scripted):
        async def send(self, db, settings, claimed, is_over):  # type: ignore[no-untyped-def]
            held.set()
            await asyncio.sleep(3600)
            yield [], SENT

    working = asyncio.create_task(outbox.deliver(db, settings, Stuck()))
    await held.wait()
    working.cancel()
    await asyncio.wait([working])

    rows = await deliveries(db)
    assert [(row.attempts, row.claimed_by) for row in rows] == [(0, None), (0, None)]
    assert all(row.due_at <= clock.now() for row in rows)


async def test_one_that_breaks_its_channel_takes_no_other_along(
    db: Database, settings: Settings
) -> None:
    await write(db, "one@example.com", "poison@example.com", "three@example.com")

    def say(delivery: Claimed) -> Outcome:
        if delivery.address.startswith("poison"):
            raise RuntimeError("Nobody foresaw this")
        return SENT

    channel = Scripted(say)
    for _ in range(9):
        await change_deliveries(db, due_at=clock.now())
        try:
            await outbox.deliver(db, settings, channel)
        except RuntimeError:
            continue

    assert channel.left == ["one@example.com", "three@example.com"]
    rows = await deliveries(db)
    assert [row.state for row in rows] == ["sent", "dead", "sent"]
    assert (rows[1].attempts, rows[1].error) == (4, "Each attempt broke off.")


async def test_what_was_withdrawn_while_it_was_sent_stays_withdrawn(
    db: Database, settings: Settings
) -> None:
    await write(db)

    class Slow(Scripted):
        async def send(self, db, settings, claimed, is_over):  # type: ignore[no-untyped-def]
            await change_deliveries(db, state="skipped", reason="withdrawn")
            yield [claimed[0].id], SENT

    await outbox.deliver(db, settings, Slow())

    [row] = await deliveries(db)
    assert (row.state, row.reason) == ("skipped", "withdrawn")


async def test_who_lost_the_lease_does_not_settle(db: Database, settings: Settings) -> None:
    await write(db)

    class Asleep(Scripted):
        async def send(self, db, settings, claimed, is_over):  # type: ignore[no-untyped-def]
            await change_deliveries(db, due_at=clock.now())
            taken = await claims.claim(db, self, "another")
            assert taken
            yield [claimed[0].id], NEVER

    await outbox.deliver(db, settings, Asleep(), is_over=iter([False, True, True]).__next__)

    [row] = await deliveries(db)
    assert (row.state, row.attempts) == ("pending", 2)
    assert str(row.claimed_by).startswith("another.")


async def test_what_is_urgent_goes_before_what_has_waited_longer(
    db: Database, settings: Settings
) -> None:
    await write(db, "bundle@example.com", "digest@example.com", "alone@example.com")
    async with db.write() as session:
        for gathering in ("bundle", "digest"):
            ordinary = update(Delivery).where(Delivery.address == f"{gathering}@example.com")
            await session.execute(
                ordinary.values(
                    gathering=gathering, bundle_id=Delivery.id, due_at=clock.now() - MINUTE
                )
            )
    channel = Scripted()

    await outbox.deliver(db, settings, channel)

    assert [address.partition("@")[0] for address in channel.left] == ["alone", "bundle", "digest"]
