"""A batch: what its channel is to send, in which order, and what becomes of the rest."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from app import clock
from app.database import Database
from app.models import Delivery, Team, User
from app.notifications.channels.base import SENT, Channel
from app.notifications.delivery import claims
from app.notifications.delivery.batch import BATCH_SECONDS, ClaimedBatch
from app.notifications.inbox import acts
from tests.factories import make_team
from tests.mailing import change_deliveries, deliveries, make_due, share, write
from tests.notifications._scripted import Scripted
from tests.notifications.conftest import Hands

CHANNEL = Scripted()
PRESENT = "2026-11-23 10:00"


@pytest.fixture
async def squad(db: Database, alice: User, bob: User, carol: User) -> Team:
    return await make_team(db, alice, editors=[bob], viewers=[carol])


async def open_batch(
    db: Database,
    channel: Channel = CHANNEL,
    is_stopping: Callable[[], bool] = lambda: False,
) -> ClaimedBatch:
    claimed = await claims.claim(db, channel, "worker")
    assert claimed
    return ClaimedBatch(db, channel, claimed, is_stopping)


async def to_send(batch: ClaimedBatch) -> list[str]:
    return [row.address for row in await batch.decide()]


async def read_all(db: Database, user: User) -> None:
    async with db.act() as session:
        await acts.read_all(session, user.id)


async def states(db: Database) -> list[tuple[str, str | None]]:
    return [(row.state, row.reason) for row in await deliveries(db)]


async def test_deliveries_go_in_the_order_in_which_they_were_claimed(db: Database) -> None:
    await write(db, "bundle@example.com", "late@example.com", "early@example.com")
    is_bundle = Delivery.address == "bundle@example.com"
    await change_deliveries(db, is_bundle, bundling="bundle", bundle_id=Delivery.id)
    earlier = clock.now() - timedelta(minutes=1)
    await change_deliveries(db, Delivery.address == "early@example.com", due_at=earlier)

    batch = await open_batch(db)

    assert await to_send(batch) == ["early@example.com", "late@example.com", "bundle@example.com"]


async def test_a_begun_mail_is_not_decided_on_again(db: Database) -> None:
    await write(db, "one@example.com", "two@example.com", "three@example.com")
    batch = await open_batch(db)
    one, two, three = [row.delivery_id for row in await batch.decide()]

    batch.begin([one])
    assert [row.delivery_id for row in await batch.decide()] == [two, three]

    batch.begin([three])
    assert [row.delivery_id for row in await batch.decide()] == [two]


async def test_only_claimed_deliveries_are_sent(db: Database) -> None:
    await write(db, "claimed@example.com", "fresh@example.com")
    batch = await open_batch(db, Scripted(batch_size=1))

    assert await to_send(batch) == ["claimed@example.com"]


async def test_an_unneeded_delivery_is_decided_once_and_settled_with_its_reason(
    db: Database, alice: User, bob: User, carol: User, squad: Team
) -> None:
    await share(db, alice, squad)
    await read_all(db, bob)
    await make_due(db)
    batch = await open_batch(db)

    assert await to_send(batch) == [carol.email]
    await batch.settle_decided()
    await read_all(db, carol)
    assert await to_send(batch) == []
    await batch.settle_decided()
    await batch.settle_decided()

    assert batch.settled == 2
    assert await states(db) == [("skipped", "read"), ("skipped", "read")]


async def test_a_begun_mail_is_sent_although_it_was_read_since(
    db: Database, alice: User, bob: User, carol: User, squad: Team
) -> None:
    await share(db, alice, squad)
    await make_due(db)
    batch = await open_batch(db)
    batch.begin([row.delivery_id for row in await batch.decide()])
    for user in (bob, carol):
        await read_all(db, user)

    assert await batch.decide() == []
    await batch.settle_decided()

    assert batch.settled == 0
    assert await states(db) == [("pending", None), ("pending", None)]


async def test_outcomes_are_written_and_counted(db: Database) -> None:
    await write(db, "one@example.com", "two@example.com", "three@example.com")
    batch = await open_batch(db)
    assert batch.settled == 0

    await batch.settle([1, 2], SENT)
    await batch.settle([3], SENT)

    assert batch.settled == 3
    assert await states(db) == [("sent", None)] * 3


async def test_a_batch_is_over_after_its_time(db: Database, hands: Hands) -> None:
    hands.set(PRESENT)
    await write(db)
    batch = await open_batch(db)

    hands.move(timedelta(seconds=BATCH_SECONDS))
    assert not batch.is_over()
    hands.move(timedelta(microseconds=1))
    assert batch.is_over()


async def test_a_batch_is_over_when_its_worker_stops(db: Database) -> None:
    await write(db)
    stops = [False]
    batch = await open_batch(db, is_stopping=lambda: stops[0])
    assert not batch.is_over()

    stops[0] = True

    assert batch.is_over()
