"""Retention: which rows the nightly clean-up removes, and which it keeps."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, func, select, update

from app import clock
from app.database import Database
from app.models import (
    Change,
    CleanUp,
    Delivery,
    Event,
    Mailing,
    Notification,
    RemovedDevice,
    Team,
    User,
)
from app.notifications.delivery.retention import BATCH, clean_up, purge_deleted
from app.notifications.inbox import acts
from app.notifications.inbox.acts import UNDO_FOR
from app.notifications.inbox.selection import Selection
from tests.bell import newest_notices
from tests.benchmarks._world import add_members, add_people
from tests.factories import make_team
from tests.mailing import change_deliveries, deliveries, share, write
from tests.notifications.conftest import Hands

DAY = timedelta(days=1)
RETENTION_DAYS = 30
A_MOMENT = timedelta(seconds=1)


@pytest.fixture
async def squad(db: Database, alice: User, bob: User, hands: Hands) -> Team:
    hands.set("2026-11-01 00:00")
    return await make_team(db, alice, editors=[bob])


async def notify_bob(db: Database, alice: User, squad: Team) -> int:
    """The id of his notification."""
    await share(db, alice, squad)
    async with db.read() as session:
        return int(await session.scalar(select(func.max(Notification.id))) or 0)


async def read(db: Database, user: User, notification_id: int) -> None:
    async with db.act() as session:
        await acts.mark(session, user.id, Selection([notification_id]), read=True)


async def delete(db: Database, user: User, notification_id: int) -> None:
    async with db.act() as session:
        await acts.delete(session, user.id, Selection([notification_id]))


async def ids(db: Database, model: Any) -> Sequence[int]:
    async with db.read() as session:
        return (await session.scalars(select(model.id).order_by(model.id))).all()


async def test_a_notification_read_long_ago_is_removed_with_its_deliveries(
    db: Database, alice: User, bob: User, squad: Team, hands: Hands
) -> None:
    await read(db, bob, await notify_bob(db, alice, squad))
    hands.move(RETENTION_DAYS * DAY + A_MOMENT)

    removed = await clean_up(db, RETENTION_DAYS)

    assert removed["notifications"] == 1
    assert await ids(db, Notification) == []
    assert await deliveries(db) == []


@pytest.mark.parametrize("days", [1_000_000, 10**30])
async def test_nothing_is_removed_where_everything_is_kept_for_longer_than_time_goes_back(
    db: Database, alice: User, bob: User, squad: Team, days: int
) -> None:
    notification_id = await notify_bob(db, alice, squad)
    await read(db, bob, notification_id)

    await clean_up(db, days)

    assert await ids(db, Notification) == [notification_id]


async def test_an_unread_notification_is_never_removed(
    db: Database, alice: User, squad: Team, hands: Hands
) -> None:
    unread = await notify_bob(db, alice, squad)
    hands.move(3650 * DAY)

    await clean_up(db, RETENTION_DAYS)

    assert await ids(db, Notification) == [unread]
    assert len(await ids(db, Event)) == 1


async def test_retention_counts_from_reading_not_from_arrival(
    db: Database, alice: User, bob: User, squad: Team, hands: Hands
) -> None:
    old = await notify_bob(db, alice, squad)
    hands.move(365 * DAY)
    await read(db, bob, old)
    hands.move(RETENTION_DAYS * DAY)

    await clean_up(db, RETENTION_DAYS)
    assert await ids(db, Notification) == [old]

    hands.move(A_MOMENT)
    await clean_up(db, RETENTION_DAYS)
    assert await ids(db, Notification) == []


async def test_notifications_marked_as_unread_again_are_kept(
    db: Database, alice: User, bob: User, squad: Team, hands: Hands
) -> None:
    kept = await notify_bob(db, alice, squad)
    await read(db, bob, kept)
    async with db.act() as session:
        await acts.mark(session, bob.id, Selection([kept]), read=False)
    hands.move(3650 * DAY)

    await clean_up(db, RETENTION_DAYS)

    assert await ids(db, Notification) == [kept]


async def test_done_notifications_expire_like_read_ones_and_saved_or_snoozed_ones_stay(
    db: Database, alice: User, bob: User, squad: Team, hands: Hands
) -> None:
    done, saved, snoozed = [await notify_bob(db, alice, squad) for _number in range(3)]
    async with db.act() as session:
        for act, chosen in (
            (acts.saving(), [saved]),
            (acts.doing(), [done, saved]),
            (acts.reading(), [snoozed]),
            (acts.snoozing(clock.now() + 3650 * DAY), [snoozed]),
        ):
            await acts.carry_out(session, bob.id, act, Selection(chosen))
    hands.move(RETENTION_DAYS * DAY + A_MOMENT)

    await clean_up(db, RETENTION_DAYS)

    assert await ids(db, Notification) == [saved, snoozed]


async def test_only_the_recipient_who_has_read_it_loses_it(
    db: Database, alice: User, bob: User, carol: User, hands: Hands
) -> None:
    hands.set("2026-11-01 00:00")
    squad = await make_team(db, alice, editors=[bob, carol])
    await share(db, alice, squad)
    async with db.read() as session:
        [hers] = await newest_notices(session, carol.id)
        [his] = await newest_notices(session, bob.id)
    await read(db, bob, his.id)
    hands.move(RETENTION_DAYS * DAY + A_MOMENT)

    await clean_up(db, RETENTION_DAYS)

    assert await ids(db, Notification) == [hers.id]
    assert len(await ids(db, Event)) == 1


async def test_a_deleted_notification_stays_while_it_can_be_undone(
    db: Database, alice: User, bob: User, squad: Team, hands: Hands
) -> None:
    deleted = await notify_bob(db, alice, squad)
    await delete(db, bob, deleted)
    hands.move(UNDO_FOR)
    assert await purge_deleted(db) == 0

    hands.move(A_MOMENT)

    assert await purge_deleted(db) == 1
    assert await ids(db, Notification) == []


async def test_a_deletion_of_a_long_read_notification_can_still_be_undone(
    db: Database, alice: User, bob: User, squad: Team, hands: Hands
) -> None:
    old = await notify_bob(db, alice, squad)
    await read(db, bob, old)
    hands.move(RETENTION_DAYS * DAY + A_MOMENT)
    await delete(db, bob, old)

    assert (await clean_up(db, RETENTION_DAYS))["notifications"] == 0

    assert await ids(db, Notification) == [old]


async def test_an_event_without_a_notification_stays_for_seven_days(
    db: Database, alice: User, bob: User, squad: Team, hands: Hands
) -> None:
    """A stream that resumes within that time reads it."""
    await delete(db, bob, await notify_bob(db, alice, squad))
    hands.move(7 * DAY)
    assert (await clean_up(db, RETENTION_DAYS))["deleted"] == 1
    assert len(await ids(db, Event)) == 1

    hands.move(A_MOMENT)
    removed = await clean_up(db, RETENTION_DAYS)

    assert (removed["events"], await ids(db, Event)) == (1, [])


async def test_an_event_goes_with_the_last_of_its_notifications(
    db: Database, alice: User, bob: User, squad: Team, hands: Hands
) -> None:
    await read(db, bob, await notify_bob(db, alice, squad))
    hands.move(RETENTION_DAYS * DAY)
    assert (await clean_up(db, RETENTION_DAYS))["events"] == 0

    hands.move(A_MOMENT)

    assert (await clean_up(db, RETENTION_DAYS))["events"] == 1


async def test_a_change_is_kept_for_seven_days(
    db: Database, alice: User, squad: Team, hands: Hands
) -> None:
    await notify_bob(db, alice, squad)
    hands.move(7 * DAY)
    await notify_bob(db, alice, squad)
    assert (await clean_up(db, RETENTION_DAYS))["changes"] == 0

    hands.move(A_MOMENT)
    removed = await clean_up(db, RETENTION_DAYS)

    assert (removed["changes"], await ids(db, Change)) == (1, [2])


@pytest.mark.parametrize("state", ["sent", "skipped", "failed", "dead"])
async def test_a_settled_transactional_mail_is_removed_and_a_pending_one_is_not(
    db: Database, hands: Hands, state: str
) -> None:
    hands.set("2026-11-01 00:00")
    await write(db, "settled@example.com", "pending@example.com")
    settled = Delivery.address == "settled@example.com"
    await change_deliveries(db, settled, state=state, settled_at=clock.now())
    hands.move(RETENTION_DAYS * DAY)
    assert (await clean_up(db, RETENTION_DAYS))["transactional"] == 0

    hands.move(A_MOMENT)

    assert (await clean_up(db, RETENTION_DAYS))["transactional"] == 1
    assert [row.address for row in await deliveries(db)] == ["pending@example.com"]


async def test_a_settled_delivery_of_a_notification_stays_with_it(
    db: Database, alice: User, squad: Team, hands: Hands
) -> None:
    await notify_bob(db, alice, squad)
    await change_deliveries(db, state="sent", settled_at=clock.now())
    hands.move(3650 * DAY)

    await clean_up(db, RETENTION_DAYS)

    assert len(await deliveries(db)) == 1


async def test_more_than_a_batch_is_removed_a_batch_at_a_time(
    db: Database, alice: User, hands: Hands
) -> None:
    """Others can write in between."""
    hands.set("2026-11-01 00:00")
    squad = await make_team(db, alice)
    await add_members(db, squad.id, await add_people(db, BATCH + 1))
    await share(db, alice, squad)
    async with db.write() as session:
        await session.execute(update(Notification).values(read_at=clock.now()))
    hands.move(RETENTION_DAYS * DAY + A_MOMENT)
    batches: list[int] = []

    def count(_connection: Any, cursor: Any, sql: str, *_more: Any) -> None:
        if sql.startswith("DELETE FROM notification"):
            batches.append(cursor.rowcount)

    event.listen(db.engine.sync_engine, "after_cursor_execute", count)
    removed = await clean_up(db, RETENTION_DAYS)

    assert removed["notifications"] == BATCH + 1
    assert batches[:2] == [BATCH, 1]


@pytest.mark.parametrize("model", [CleanUp, RemovedDevice])
async def test_records_of_nights_and_removed_devices_are_kept_for_ninety_days(
    db: Database, bob: User, hands: Hands, model: type[CleanUp | RemovedDevice]
) -> None:
    hands.set("2026-08-01 00:00")
    async with db.write() as session:
        session.add(CleanUp(removed={}, finished_at=clock.now()))
        session.add(RemovedDevice(user_id=bob.id, endpoint_hash="x", removed_at=clock.now()))
    [first] = await ids(db, model)
    hands.move(90 * DAY)
    await clean_up(db, RETENTION_DAYS)
    assert first in await ids(db, model)

    hands.move(A_MOMENT)
    await clean_up(db, RETENTION_DAYS)

    assert first not in await ids(db, model)


async def test_a_mailing_is_kept_for_as_long_as_a_limit_counts_it(
    db: Database, hands: Hands
) -> None:
    hands.set("2026-11-01 00:00")
    async with db.write() as session:
        session.add(Mailing(name="invitation", mailbox="x@example.com", mailed_at=clock.now()))
    hands.move(DAY)
    await clean_up(db, RETENTION_DAYS)
    assert len(await ids(db, Mailing)) == 1

    hands.move(A_MOMENT)
    await clean_up(db, RETENTION_DAYS)

    assert await ids(db, Mailing) == []


async def test_a_night_keeps_the_numbers_for_administrators(
    db: Database, alice: User, bob: User, squad: Team, hands: Hands
) -> None:
    await read(db, bob, await notify_bob(db, alice, squad))
    hands.move(RETENTION_DAYS * DAY + A_MOMENT)

    removed = await clean_up(db, RETENTION_DAYS)

    async with db.read() as session:
        [night] = await session.scalars(select(CleanUp))
    assert night.removed == removed
    assert removed == {
        "notifications": 1,
        "deleted": 0,
        "transactional": 0,
        "changes": 2,
        "events": 1,
    }
