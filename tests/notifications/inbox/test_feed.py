from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.database import Database
from app.errors import NotFound
from app.models import Change, Event, Notification, Team, User
from app.notifications.inbox import acts, feed
from app.notifications.inbox.filters import Filter
from app.notifications.inbox.open_rows import RemovedRow, read_open_rows
from app.notifications.inbox.selection import Selection
from app.notifications.inbox.totals import Totals, count_totals
from app.notifications.withdraw import withdraw_team
from tests.bell import newest_notices, position_within
from tests.mailing import repeat
from tests.notifications.conftest import Hands
from tests.notifications.inbox.conftest import Alter, Tell
from tests.statements import statements_heard

EVERYTHING, UNREAD = Filter(), Filter({"status": ("unread",)})
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


async def slice_of(session: AsyncSession, user: User, first: int, most: int) -> list[int]:
    matching = (await count_totals(session, user.id, EVERYTHING)).filtered_count
    notices = await feed.read_slice(session, user.id, EVERYTHING, first, most, matching)
    return [notice.id for notice in notices]


async def changes_of(db: Database, user: User) -> list[tuple[str, Any, Any]]:
    """(kind, ids, up_to) of the changes to the user's notifications."""
    rows = select(Change.kind, Change.ids, Change.up_to).where(Change.user_id == user.id)
    async with db.read() as session:
        return [tuple(row) for row in await session.execute(rows.order_by(Change.id))]  # type: ignore[misc]


async def are_read(db: Database, ids: list[int]) -> list[bool]:
    rows = select(Notification.read_at.is_not(None)).where(Notification.id.in_(ids))
    async with db.read() as session:
        return list(await session.scalars(rows.order_by(Notification.id)))


async def test_pages_show_every_notice_once_newest_first(
    db: Database, bob: User, tell_bob: Tell
) -> None:
    told = await tell_bob(45)

    async with db.read() as session:
        pages = [
            [notice.id for notice in await feed.read_page(session, bob.id, EVERYTHING, page, 45)]
            for page in (0, 1, 2, 3, 4)
        ]

    assert [len(page) for page in pages] == [0, 20, 20, 5, 0]
    assert [one for page in pages for one in page] == told[::-1]


async def all_up_to(db: Database, user: User, wanted: Filter, newest: int) -> Selection:
    """What matches, up to the notification with this id."""
    async with db.read() as session:
        end = await feed.made_at(session, user.id, newest)
    return Selection(filter=replace(wanted, up_to_position=end))


@pytest.mark.parametrize("most", [1, 2, 4, 7, 100])
async def test_a_slice_is_the_same_from_either_end(
    db: Database, bob: User, tell_bob: Tell, most: int
) -> None:
    newest_first = (await tell_bob(7))[::-1]

    async with db.read() as session:
        slices = [await slice_of(session, bob, first, most) for first in range(8)]

    assert slices == [newest_first[first : first + most] for first in range(8)]


async def test_a_slice_holds_only_what_matches(
    db: Database, bob: User, tell_bob: Tell, alter: Alter
) -> None:
    """From either end; carol has the same notifications, all unread."""
    ids = await tell_bob(6)
    await alter(ids[::2], read_at=LONG_AGO)

    async with db.read() as session:
        slices = [
            [notice.id for notice in await feed.read_slice(session, bob.id, UNREAD, first, 1, 3)]
            for first in range(3)
        ]
        totals = await count_totals(session, bob.id, UNREAD)

    assert slices == [[ids[5]], [ids[3]], [ids[1]]]
    assert (totals.total, totals.filtered_count) == (6, 3)


async def test_one_notice_is_found_by_its_recipient_alone(
    db: Database, alice: User, bob: User, tell_bob: Tell, alter: Alter
) -> None:
    shown, hidden, deleted = await tell_bob(3)
    await alter([hidden], hidden=True)
    await alter([deleted], deleted_at=LONG_AGO)

    async with db.read() as session:
        assert (await feed.find(session, bob.id, shown)).id == shown
        assert (await feed.find(session, bob.id, hidden, also_hidden=True)).id == hidden
        for user, one in [(alice, shown), (bob, hidden), (bob, deleted)]:
            with pytest.raises(NotFound):
                await feed.find(session, user.id, one)
        for user, one in [(alice, shown), (bob, deleted)]:
            with pytest.raises(NotFound):
                await feed.find(session, user.id, one, also_hidden=True)


async def test_the_unread_of_the_inbox_are_counted_all_or_up_to_a_limit(
    db: Database, alice: User, bob: User, tell_bob: Tell, alter: Alter
) -> None:
    ids = await tell_bob(6)
    await alter(ids[:1], hidden=True)
    await alter(ids[1:2], deleted_at=LONG_AGO)
    await alter(ids[2:3], read_at=LONG_AGO)

    async with db.read() as session:
        assert await feed.unread_count(session, bob.id) == 3
        assert await session.scalar(feed.count_up_to(2, bob.id, feed.unread)) == 2
        assert await feed.unread_count(session, alice.id) == 0


@pytest.mark.sqlite
async def test_the_unread_are_not_looked_for_among_the_read(db: Database, bob: User) -> None:
    with statements_heard() as heard:
        await feed.count_unread(db, bob.id)

    [asked] = heard
    async with db.engine.connect() as connection:
        plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked.text}", asked.values)
        assert "INDEX ix_notification_unread" in plan.one().detail


async def test_hidden_notices_are_still_unread_until_they_are_read_or_deleted(
    db: Database, alice: User, bob: User, tell_bob: Tell, alter: Alter
) -> None:
    shown, hidden, read, deleted, unasked = await tell_bob(5)
    await alter([hidden], hidden=True)
    await alter([read], read_at=LONG_AGO)
    await alter([deleted], deleted_at=LONG_AGO)

    async with db.read() as session:
        asked = [shown, hidden, read, deleted]
        assert sorted(await feed.still_unread(session, bob.id, asked)) == [shown, hidden]
        assert await feed.still_unread(session, alice.id, [*asked, unasked]) == []


async def test_the_newest_leave_out_hidden_and_deleted_notices(
    db: Database, bob: User, tell_bob: Tell, alter: Alter
) -> None:
    ids = await tell_bob(5)
    await alter(ids[4:], hidden=True)
    await alter(ids[3:4], deleted_at=LONG_AGO)

    async with db.read() as session:
        assert [notice.id for notice in await newest_notices(session, bob.id, 2)] == ids[2:0:-1]


async def test_notices_of_a_newer_version_are_left_out(
    db: Database, bob: User, tell_bob: Tell
) -> None:
    """Its types have no sentence here."""
    old, unknown, new = await tell_bob(3)
    async with db.write() as session:
        row = await session.get_one(Notification, unknown)
        event = await session.get_one(Event, row.event_id)
        row.type = event.type = "of_the_future"

    async with db.read() as session:
        assert [notice.id for notice in await newest_notices(session, bob.id)] == [new, old]
        assert await slice_of(session, bob, 0, 10) == [new, old]
        with pytest.raises(NotFound):
            await feed.find(session, bob.id, unknown)
        rows = await read_open_rows(session, bob.id, [old, unknown, new])
    assert [row.id for row in rows] == [old, unknown, new]
    assert isinstance(rows[1], RemovedRow)


async def test_the_position_is_that_of_the_last_event_or_change(
    db: Database, alice: User, bob: User, tell_bob: Tell
) -> None:
    ids = await tell_bob(2)
    async with db.act() as session:
        told = await position_within(session, bob)
        await acts.mark(session, bob.id, Selection(ids[:1]), read=True)
        marked = await position_within(session, bob)
        nobody = await position_within(session, alice)
    await tell_bob(1)

    async with db.read() as session:
        assert nobody == 0 < told < marked < await position_within(session, bob)


async def test_totals_count_the_inbox_the_matching_and_the_unread(
    db: Database, alice: User, bob: User, tell_bob: Tell, alter: Alter
) -> None:
    ids = await tell_bob(9)
    await alter(ids[:2], read_at=LONG_AGO)
    await alter(ids[2:3], hidden=True)
    await alter(ids[8:], deleted_at=LONG_AGO)

    async with db.read() as session:
        totals = await count_totals(session, bob.id, Filter({"status": ("read",)}))
        whole = await count_totals(session, bob.id, EVERYTHING)
        position = await position_within(session, bob)
        others = await count_totals(session, alice.id, EVERYTHING)

    assert totals == Totals(7, 2, 5, position=position)
    assert whole == Totals(7, 7, 5, position=position)
    assert others == Totals(0, 0, 0, position=0)


async def test_marking_counts_only_the_users_own_kept_notices_that_change(
    db: Database, alice: User, bob: User, tell_bob: Tell, alter: Alter
) -> None:
    unread, read, deleted, other = ids = await tell_bob(4)
    await alter([read], read_at=LONG_AGO)
    await alter([deleted], deleted_at=LONG_AGO)
    some = Selection([unread, read, deleted])

    async with db.act() as session:
        assert (await acts.mark(session, alice.id, some, read=True))[0] == 0
        assert (await acts.mark(session, bob.id, some, read=True))[0] == 1
        assert (await acts.mark(session, bob.id, some, read=True))[0] == 0
    assert await are_read(db, ids) == [True, True, False, False]

    async with db.act() as session:
        assert (await acts.mark(session, bob.id, Selection([unread, other]), read=False))[0] == 1
    assert await are_read(db, ids) == [False, True, False, False]
    assert await changes_of(db, bob) == [("read", [unread], None), ("unread", [unread], None)]


async def test_hidden_notices_are_marked_by_id_without_an_event_on_the_streams(
    db: Database, bob: User, tell_bob: Tell, alter: Alter
) -> None:
    shown, hidden = await tell_bob(2)
    await alter([hidden], hidden=True)

    async with db.act() as session:
        assert (await acts.mark(session, bob.id, Selection([hidden]), read=True))[0] == 1
    assert await changes_of(db, bob) == []

    async with db.act() as session:
        assert (await acts.mark(session, bob.id, Selection([shown, hidden]), read=False))[0] == 1
        assert (await acts.mark(session, bob.id, Selection([shown, hidden]), read=True))[0] == 2
    assert await changes_of(db, bob) == [("read", [shown], None)]


@pytest.mark.parametrize(("wanted", "is_whole"), [(EVERYTHING, True), (UNREAD, False)])
async def test_a_filter_marks_up_to_its_watermark_and_nothing_hidden_or_anothers(
    db: Database,
    bob: User,
    carol: User,
    tell_bob: Tell,
    alter: Alter,
    wanted: Filter,
    is_whole: bool,
) -> None:
    ids = await tell_bob(4)
    await alter(ids[:1], hidden=True)
    seen = await all_up_to(db, bob, wanted, ids[2])

    async with db.act() as session:
        assert (await acts.mark(session, bob.id, seen, read=True))[0] == 2
        assert await feed.unread_count(session, carol.id) == 4

    assert await are_read(db, ids) == [False, True, True, False]
    change = ("read", None, ids[2]) if is_whole else ("read", ids[1:3], None)
    assert await changes_of(db, bob) == [change]


async def test_a_filter_marks_only_what_matches(
    db: Database, bob: User, tell_bob: Tell, alter: Alter
) -> None:
    ids = await tell_bob(3)
    await alter(ids[:2], read_at=LONG_AGO)
    seen = await all_up_to(db, bob, Filter({"type": ("member_left",)}), ids[2])
    whole = await all_up_to(db, bob, EVERYTHING, ids[2])

    async with db.act() as session:
        assert (await acts.mark(session, bob.id, seen, read=True))[0] == 0
        assert (await acts.mark(session, bob.id, whole, read=False))[0] == 2

    assert await are_read(db, ids) == [False, False, False]
    assert await changes_of(db, bob) == [("unread", ids[:2], None)]


async def test_the_whole_inbox_is_read_in_one_change_that_names_its_watermark(
    db: Database, alice: User, bob: User, carol: User, tell_bob: Tell, alter: Alter
) -> None:
    ids = await tell_bob(4)
    await alter(ids[:1], hidden=True)
    await alter(ids[1:2], deleted_at=LONG_AGO)

    async with db.act() as session:
        end = await feed.made_at(session, bob.id, ids[2])
        assert (await acts.read_all(session, alice.id, end))[0] == 0
        assert (await acts.read_all(session, bob.id, end))[0] == 1
        assert (await acts.read_all(session, bob.id, end))[0] == 0
        assert await feed.unread_count(session, carol.id) == 4
    assert await are_read(db, ids) == [False, False, True, False]
    assert await changes_of(db, bob) == [("read", None, ids[2])]
    assert await changes_of(db, alice) == []


@pytest.mark.parametrize("up_to", [None, 10**9])
async def test_a_watermark_beyond_the_newest_notice_spares_what_comes_later(
    db: Database, bob: User, tell_bob: Tell, up_to: int | None
) -> None:
    ids = await tell_bob(2)

    async with db.act() as session:
        assert (await acts.read_all(session, bob.id, up_to))[0] == 2

    assert await changes_of(db, bob) == [("read", None, ids[1])]


@pytest.mark.parametrize("wanted", [None, UNREAD])
async def test_a_deletion_counts_its_notices_first(
    db: Database, alice: User, bob: User, tell_bob: Tell, alter: Alter, wanted: Filter | None
) -> None:
    ids = await tell_bob(6)
    await alter(ids[:1], hidden=True)
    await alter(ids[1:2], deleted_at=LONG_AGO, changed_in=1)
    selection = await all_up_to(db, bob, wanted, ids[3]) if wanted else Selection(ids[:4])

    async with db.act() as session:
        assert await feed.count(session, alice.id, selection) == 0
        assert await acts.delete(session, alice.id, selection) == (0, "")
        assert await feed.count(session, bob.id, selection) == 2
        assert (await acts.delete(session, bob.id, selection))[0] == 2
        assert await feed.count(session, bob.id, selection) == 0

    async with db.read() as session:
        assert await slice_of(session, bob, 0, 10) == [ids[5], ids[4]]
    assert await changes_of(db, bob) == [("deleted", ids[2:4], None)]


async def test_undo_restores_exactly_what_one_deletion_removed_and_only_once(
    db: Database, alice: User, bob: User, tell_bob: Tell
) -> None:
    ids = await tell_bob(5)
    async with db.act() as session:
        await acts.delete(session, bob.id, Selection(ids[:1]))
        count, token = await acts.delete(session, bob.id, Selection(ids[1:4]))
    assert count == 3

    async with db.act() as session:
        with pytest.raises(NotFound):
            await acts.undo(session, alice.id, token)
        assert await acts.undo(session, bob.id, token) == 3
        with pytest.raises(NotFound, match="nothing left to undo"):
            await acts.undo(session, bob.id, token)

    async with db.read() as session:
        assert await slice_of(session, bob, 0, 10) == ids[:0:-1]
    assert await changes_of(db, bob) == [
        ("deleted", ids[:1], None),
        ("deleted", ids[1:4], None),
        ("restored", ids[1:4], None),
    ]


async def test_a_later_account_of_the_same_id_undoes_nothing(
    db: Database, bob: User, tell_bob: Tell
) -> None:
    ids = await tell_bob(1)
    async with db.act() as session:
        _count, token = await acts.delete(session, bob.id, Selection(ids))
        later = update(User).where(User.id == bob.id).values(link_nonce="another account's")
        await session.execute(later)

    async with db.act() as session:
        with pytest.raises(NotFound):
            await acts.undo(session, bob.id, token)


async def test_a_deletion_is_ones_own_though_another_deletes_at_the_same_moment(
    db: Database, bob: User, carol: User, tell_bob: Tell, hands: Hands
) -> None:
    ids = await tell_bob(1)
    hands.set("2026-06-30 12:00")
    async with db.write() as session:
        others = update(Notification).where(Notification.user_id == carol.id)
        await session.execute(others.values(deleted_at=clock.now()))

    async with db.act() as session:
        await acts.delete(session, bob.id, Selection(ids))

    async with db.read() as session:
        theirs = select(Notification.changed_in).where(Notification.user_id == carol.id)
        assert (await session.scalars(theirs)).all() == [None]


async def test_restored_notices_can_be_deleted_and_restored_again(
    db: Database, bob: User, tell_bob: Tell
) -> None:
    ids = await tell_bob(2)

    for _time in range(2):
        async with db.act() as session:
            _count, token = await acts.delete(session, bob.id, Selection(ids))
        async with db.act() as session:
            assert await acts.undo(session, bob.id, token) == 2


async def test_a_deletion_can_be_undone_for_ten_minutes(
    db: Database, bob: User, tell_bob: Tell, hands: Hands
) -> None:
    first, second = await tell_bob(2)
    hands.set("2026-06-30 12:00")
    async with db.act() as session:
        _count, in_time = await acts.delete(session, bob.id, Selection([first]))
        _count, too_late = await acts.delete(session, bob.id, Selection([second]))

    hands.move(timedelta(minutes=9, seconds=59))
    async with db.act() as session:
        assert await acts.undo(session, bob.id, in_time) == 1
    hands.move(timedelta(seconds=1))
    async with db.act() as session:
        with pytest.raises(NotFound):
            await acts.undo(session, bob.id, too_late)


async def test_the_undo_of_an_earlier_account_with_the_same_id_restores_nothing(
    db: Database, bob: User, tell_bob: Tell
) -> None:
    [one] = await tell_bob(1)
    async with db.act() as session:
        _count, token = await acts.delete(session, bob.id, Selection([one]))
    async with db.write() as session:
        await session.execute(update(User).values(link_nonce="of a later account"))

    async with db.act() as session:
        with pytest.raises(NotFound):
            await acts.undo(session, bob.id, token)


async def test_withdrawn_notices_are_gone_and_no_undo_restores_them(
    db: Database, bob: User, tell_bob: Tell
) -> None:
    ids = await tell_bob(5)
    async with db.act() as session:
        _count, token = await acts.delete(session, bob.id, Selection(ids[:2]))
        team = (await feed.find(session, bob.id, ids[4])).team
        assert team
        await withdraw_team(session, team[0], select(User.id).where(User.id == bob.id))

    async with db.act() as session:
        with pytest.raises(NotFound):
            await acts.undo(session, bob.id, token)
        assert await feed.unread_count(session, bob.id) == 0


async def test_a_large_selection_is_recorded_in_changes_of_a_thousand_ids(
    db: Database, bob: User, tell_bob: Tell
) -> None:
    await tell_bob(1)
    await repeat(db, bob, 2000)
    ids = await tell_bob(0)

    async with db.act() as session:
        count, token = await acts.delete(session, bob.id, Selection(ids))
    assert count == 2001
    assert [kept for _kind, kept, _up_to in await changes_of(db, bob)] == [
        ids[:1000],
        ids[1000:2000],
        ids[2000:],
    ]

    async with db.act() as session:
        assert await acts.undo(session, bob.id, token) == 2001
        rows = select(func.count()).where(Notification.deleted_at.is_not(None))
        assert await session.scalar(rows.select_from(Notification)) == 0


@pytest.mark.parametrize("is_whole", [True, False])
async def test_undo_marks_as_unread_exactly_the_notices_marked_as_read_and_only_once(
    db: Database, alice: User, bob: User, tell_bob: Tell, is_whole: bool
) -> None:
    ids = await tell_bob(4)
    everything = await all_up_to(db, bob, EVERYTHING, ids[2])
    async with db.act() as session:
        await acts.mark(session, bob.id, Selection(ids[:1]), read=True)
        selection = everything if is_whole else Selection(ids[:3])
        count, token = await acts.mark(session, bob.id, selection, read=True)
    assert (count, await are_read(db, ids)) == (2, [True, True, True, False])

    async with db.act() as session:
        with pytest.raises(NotFound):
            await acts.undo(session, alice.id, token)
        assert await acts.undo(session, bob.id, token) == 2
        with pytest.raises(NotFound):
            await acts.undo(session, bob.id, token)

    assert await are_read(db, ids) == [True, False, False, False]
    assert (await changes_of(db, bob))[-1] == ("unread", ids[1:3], None)


async def test_undo_marks_as_read_the_notices_marked_as_unread(
    db: Database, bob: User, tell_bob: Tell
) -> None:
    ids = await tell_bob(3)
    async with db.act() as session:
        await acts.mark(session, bob.id, Selection(ids[:2]), read=True)
        _count, token = await acts.mark(session, bob.id, Selection(ids), read=False)

    async with db.act() as session:
        assert await acts.undo(session, bob.id, token) == 2

    assert await are_read(db, ids) == [True, True, False]


async def test_undo_leaves_alone_notices_changed_again_or_withdrawn_since(
    db: Database, bob: User, squad: Team, tell_bob: Tell
) -> None:
    again, deleted, restored, left = ids = await tell_bob(4)
    async with db.act() as session:
        _count, token = await acts.read_all(session, bob.id)
        await acts.mark(session, bob.id, Selection([again]), read=False)
        await acts.mark(session, bob.id, Selection([again]), read=True)
        await acts.delete(session, bob.id, Selection([deleted]))
        _count, undo = await acts.delete(session, bob.id, Selection([restored]))
        await acts.undo(session, bob.id, undo)

    async with db.act() as session:
        assert await acts.undo(session, bob.id, token) == 1
        _count, late = await acts.read_all(session, bob.id)
        await withdraw_team(session, squad.id, select(User.id))
        with pytest.raises(NotFound):
            await acts.undo(session, bob.id, late)

    assert left == ids[-1]
    assert await are_read(db, [again, restored]) == [True, True]


async def test_marking_can_be_undone_for_ten_minutes(
    db: Database, bob: User, tell_bob: Tell, hands: Hands
) -> None:
    await tell_bob(1)
    hands.set("2026-06-30 12:00")
    async with db.act() as session:
        _count, token = await acts.read_all(session, bob.id)

    hands.move(timedelta(minutes=10))

    async with db.act() as session:
        with pytest.raises(NotFound):
            await acts.undo(session, bob.id, token)
