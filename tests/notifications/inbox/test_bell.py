from datetime import UTC, datetime

from sqlalchemy import update

from app.database import Database
from app.models import Event, Notification, User
from app.notifications.inbox import acts, feed
from app.notifications.inbox.bell import read_bell
from app.notifications.inbox.selection import Selection
from tests.notifications.inbox.conftest import Alter, Tell

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


async def test_the_bell_knows_count_newest_and_position(
    db: Database, bob: User, tell_bob: Tell
) -> None:
    ids = await tell_bob(45)

    bell = await read_bell(db, bob)

    assert bell.unread == 45
    assert [notice.id for notice in bell.notices] == ids[:24:-1]
    assert bell.position == bell.notices[0].position


async def test_the_bell_of_a_user_without_notifications_is_empty(
    db: Database, alice: User, tell_bob: Tell
) -> None:
    await tell_bob(1)

    bell = await read_bell(db, alice)

    assert (bell.unread, bell.position, bell.notices) == (0, 0, [])


async def test_the_bell_leaves_out_hidden_deleted_and_unknown_notices(
    db: Database, bob: User, tell_bob: Tell, alter: Alter
) -> None:
    hidden, deleted, unknown, read, unread = await tell_bob(5)
    await alter([hidden], hidden=True)
    await alter([deleted], deleted_at=LONG_AGO)
    await alter([read], read_at=LONG_AGO)
    async with db.write() as session:
        newer = (
            update(Notification).where(Notification.id == unknown).returning(Notification.event_id)
        )
        event_id = await session.scalar(newer.values(type="of_the_future", read_at=LONG_AGO))
        await session.execute(
            update(Event).where(Event.id == event_id).values(type="of_the_future")
        )

    bell = await read_bell(db, bob)

    assert bell.unread == 1
    assert [notice.id for notice in bell.notices] == [unread, read]


async def test_a_returned_notification_is_first_in_the_bell(
    db: Database, bob: User, tell_bob: Tell, alter: Alter
) -> None:
    first, second = await tell_bob(2)
    await alter([first], position=1_000)

    bell = await read_bell(db, bob)

    assert [notice.id for notice in bell.notices] == [first, second]


async def test_the_count_stops_at_a_hundred(db: Database, bob: User, tell_bob: Tell) -> None:
    await tell_bob(101)

    assert (await read_bell(db, bob)).unread == 100


async def test_a_change_moves_the_position_on(db: Database, bob: User, tell_bob: Tell) -> None:
    ids = await tell_bob(1)
    before = await read_bell(db, bob)

    async with db.act() as session:
        await acts.mark(session, bob.id, Selection(ids), read=True)
    after = await read_bell(db, bob)

    assert before.position < after.position == await feed.position_of(db, bob.id)
