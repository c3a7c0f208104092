"""What a user does with notifications, and what undo makes of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app import clock
from app.database import Database
from app.errors import NotFound
from app.models import Change, Notification, User
from app.notifications.inbox import acts, feed
from app.notifications.inbox.acts import Act
from app.notifications.inbox.filters import Filter
from app.notifications.inbox.selection import Selection
from app.notifications.inbox.snoozing import next_return, return_due
from app.notifications.inbox.totals import count_totals, count_views
from tests.notifications.conftest import Hands
from tests.notifications.inbox.conftest import Alter, Tell

TODAY = "2026-11-02 09:00"
TOMORROW = datetime(2026, 11, 3, 7, tzinfo=UTC)


async def does(db: Database, user: User, act: Act, *ids: int) -> tuple[int, str]:
    async with db.act() as session:
        return await acts.carry_out(session, user.id, act, Selection(ids))


async def undoes(db: Database, user: User, token: str) -> int:
    async with db.act() as session:
        return await acts.undo(session, user.id, token)


async def state_of(db: Database, notification_id: int) -> tuple[str, bool, bool]:
    """(folder, is_saved, is_read)."""
    columns = (
        Notification.folder,
        Notification.is_saved,
        Notification.read_at.is_not(None),
    )
    async with db.read() as session:
        row = await session.execute(select(*columns).where(Notification.id == notification_id))
        return tuple(row.one())  # type: ignore[return-value]


async def shown_in(db: Database, user: User, view: str = "inbox") -> list[int]:
    wanted = Filter({} if view == "inbox" else {"view": (view,)})
    async with db.read() as session:
        matching = (await count_totals(session, user.id, wanted)).filtered_count
        notices = await feed.read_slice(session, user.id, wanted, 0, 100, matching)
    return [notice.id for notice in notices]


async def told_to_streams(db: Database, user: User) -> list[tuple[str, Any]]:
    rows = select(Change.kind, Change.ids).where(Change.user_id == user.id).order_by(Change.id)
    async with db.read() as session:
        return [(row.kind, row.ids) for row in await session.execute(rows)]


async def test_a_done_notification_is_read_and_leaves_the_inbox(
    db: Database, bob: User, tell_bob: Tell
) -> None:
    one, two, three = await tell_bob(3)

    assert (await does(db, bob, acts.doing(), one, three))[0] == 2

    assert await state_of(db, one) == ("done", False, True)
    assert (await shown_in(db, bob), await shown_in(db, bob, "done")) == ([two], [three, one])
    assert await feed.count_unread(db, bob.id) == 1
    assert await told_to_streams(db, bob) == [("done", [one, three])]


async def test_a_notification_no_longer_done_is_back_in_its_old_position(
    db: Database, bob: User, tell_bob: Tell
) -> None:
    one, two = await tell_bob(2)
    await does(db, bob, acts.doing(), one)

    await does(db, bob, acts.reopening(), one)

    assert await state_of(db, one) == ("inbox", False, True)
    assert await shown_in(db, bob) == [two, one]


async def test_a_notification_can_be_saved_in_any_folder(
    db: Database, bob: User, tell_bob: Tell
) -> None:
    one, two = await tell_bob(2)
    await does(db, bob, acts.saving(), one, two)
    await does(db, bob, acts.doing(), one)

    assert await shown_in(db, bob, "saved") == [two, one]
    assert await count_views(db, bob.id) == {
        "inbox": (1, 1),
        "saved": (2, 1),
        "done": (1, 0),
        "snoozed": (0, 0),
    }

    await does(db, bob, acts.unsaving(), two)
    assert await shown_in(db, bob, "saved") == [one]


async def test_a_snoozed_notification_comes_back_on_top_and_unread_when_due(
    db: Database, bob: User, tell_bob: Tell, hands: Hands
) -> None:
    hands.set(TODAY)
    one, two = await tell_bob(2)
    await does(db, bob, acts.reading(), one)
    await does(db, bob, acts.snoozing(TOMORROW), one)
    assert (await shown_in(db, bob), await shown_in(db, bob, "snoozed")) == ([two], [one])
    assert await next_return(db) == TOMORROW

    hands.set(TOMORROW - timedelta(seconds=1))
    assert await return_due(db) == 0
    hands.set(TOMORROW)
    assert await return_due(db) == 1

    assert await shown_in(db, bob) == [one, two]
    assert await state_of(db, one) == ("inbox", False, False)
    assert (await told_to_streams(db, bob))[-1] == ("returned", [one])
    assert await next_return(db) is None


async def test_a_notification_deleted_while_snoozed_does_not_come_back(
    db: Database, bob: User, tell_bob: Tell, hands: Hands
) -> None:
    hands.set(TODAY)
    [one] = await tell_bob(1)
    await does(db, bob, acts.snoozing(TOMORROW), one)
    await does(db, bob, acts.deleting(), one)

    hands.set(TOMORROW)

    assert (await return_due(db), await shown_in(db, bob)) == (0, [])


async def test_more_than_one_batch_of_snoozed_notifications_comes_back(
    db: Database, bob: User, tell_bob: Tell, alter: Alter, hands: Hands
) -> None:
    hands.set(TODAY)
    ids = await tell_bob(520)
    await alter(ids, folder="snoozed", snoozed_until=clock.now())

    assert await return_due(db) == 520
    assert len(await shown_in(db, bob)) == 100


Case = tuple[Act, tuple[str, bool, bool], list[str]]
UNDONE: dict[str, Case] = {
    "reading": (acts.reading(), ("inbox", False, True), ["unread"]),
    "doing": (acts.doing(), ("done", False, True), ["undone", "unread"]),
    "saving": (acts.saving(), ("inbox", True, False), ["unsaved"]),
    "snoozing": (acts.snoozing(TOMORROW), ("snoozed", False, False), ["returned"]),
}


@pytest.mark.parametrize("name", UNDONE)
async def test_undo_restores_the_state_before_the_act(
    db: Database, bob: User, tell_bob: Tell, name: str
) -> None:
    act, after, kinds = UNDONE[name]
    [one] = await tell_bob(1)
    _count, token = await does(db, bob, act, one)
    assert await state_of(db, one) == after
    told = len(await told_to_streams(db, bob))

    assert await undoes(db, bob, token) == 1

    assert await state_of(db, one) == ("inbox", False, False)
    assert await told_to_streams(db, bob) == [
        *(await told_to_streams(db, bob))[:told],
        *((kind, [one]) for kind in kinds),
    ]
    with pytest.raises(NotFound):
        await undoes(db, bob, token)


async def test_undo_of_doing_marks_as_unread_only_notices_that_were_unread(
    db: Database, bob: User, tell_bob: Tell
) -> None:
    read, unread = await tell_bob(2)
    await does(db, bob, acts.reading(), read)
    _count, token = await does(db, bob, acts.doing(), read, unread)

    await undoes(db, bob, token)

    assert await state_of(db, read) == ("inbox", False, True)
    assert await state_of(db, unread) == ("inbox", False, False)


async def test_undo_of_a_return_snoozes_again_until_the_same_time(
    db: Database, bob: User, tell_bob: Tell, hands: Hands
) -> None:
    hands.set(TODAY)
    [one] = await tell_bob(1)
    await does(db, bob, acts.reading(), one)
    await does(db, bob, acts.snoozing(TOMORROW), one)
    _count, token = await does(db, bob, acts.returning(), one)

    await undoes(db, bob, token)

    assert await state_of(db, one) == ("snoozed", False, True)
    assert await next_return(db) == TOMORROW
    assert [kind for kind, _ids in await told_to_streams(db, bob)][-2:] == ["snoozed", "read"]


async def test_undo_spares_notices_changed_since(db: Database, bob: User, tell_bob: Tell) -> None:
    one, two = await tell_bob(2)
    _count, token = await does(db, bob, acts.doing(), one, two)
    await does(db, bob, acts.saving(), two)

    assert await undoes(db, bob, token) == 1

    assert await state_of(db, one) == ("inbox", False, False)
    assert await state_of(db, two) == ("done", True, True)


async def test_a_selection_spares_notices_that_came_back_since(
    db: Database, bob: User, tell_bob: Tell
) -> None:
    one, two = await tell_bob(2)
    await does(db, bob, acts.snoozing(TOMORROW), one)
    async with db.read() as session:
        seen = await feed.made_at(session, bob.id, two)
    await does(db, bob, acts.returning(), one)

    async with db.act() as session:
        selection = Selection(filter=Filter(up_to_position=seen))
        count, _token = await acts.carry_out(session, bob.id, acts.doing(), selection)

    assert (count, await shown_in(db, bob)) == (1, [one])


async def test_an_act_on_what_is_so_already_changes_nothing(
    db: Database, bob: User, tell_bob: Tell
) -> None:
    [one] = await tell_bob(1)

    for act in (acts.reopening(), acts.unsaving(), acts.returning(), acts.unreading()):
        assert await does(db, bob, act, one) == (0, "")
    assert await told_to_streams(db, bob) == []


async def test_nobody_acts_on_notices_of_others(
    db: Database, bob: User, carol: User, tell_bob: Tell
) -> None:
    ids = await tell_bob(2)

    for act in (acts.doing(), acts.saving(), acts.snoozing(TOMORROW), acts.deleting()):
        assert await does(db, carol, act, *ids) == (0, "")
