"""What is kept for how long."""

from datetime import timedelta

from app import clock
from app.database import Database
from app.models import Delivery
from app.notifications.delivery.retention import clean_up
from tests.mailing import change_deliveries, deliveries, write
from tests.notifications.conftest import Hands


async def test_a_settled_letter_goes_after_a_while_and_one_that_waits_does_not(
    db: Database, hands: Hands
) -> None:
    hands.set("2026-11-01 00:00")
    await write(db, "settled@example.com", "waiting@example.com")
    settled, waiting = await deliveries(db)
    done = {"state": "sent", "settled_at": clock.now()}
    await change_deliveries(db, Delivery.id == settled.id, **done)

    hands.move(timedelta(days=29))
    assert (await clean_up(db, 30))["letters"] == 0
    hands.move(timedelta(days=2))

    assert (await clean_up(db, 30))["letters"] == 1
    assert [row.address for row in await deliveries(db)] == [waiting.address]
