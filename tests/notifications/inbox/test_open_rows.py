"""A list that is open in a browser is updated in place."""

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database
from app.errors import NotFound
from app.models import Notification, Team, User
from app.notifications.inbox import acts, feed
from app.notifications.inbox.filters import Filter
from app.notifications.inbox.open_rows import (
    MOST_OPEN_ROWS,
    OpenRows,
    RemovedRow,
    count_newer,
    open_rows_in,
    read_open_rows,
)
from app.notifications.inbox.selection import Selection
from app.notifications.withdraw import withdraw_team
from tests.conftest import sign_in
from tests.notifications.conftest import Hands
from tests.notifications.inbox.conftest import Alter, Tell
from tests.notifications.seen import made_at

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}
EVERYTHING = Filter()


async def newer(session: AsyncSession, user: User, wanted: Filter, than: int) -> int:
    """How many notifications came after the one with this id."""
    return await count_newer(session, user.id, wanted, await feed.made_at(session, user.id, than))


async def test_rows_read_elsewhere_are_shown_as_read(
    db: Database, bob: User, tell_bob: Tell
) -> None:
    one, two, three = await tell_bob(3)
    async with db.act() as session:
        await acts.mark(session, bob.id, Selection([two]), read=True)

    async with db.read() as session:
        rows = await read_open_rows(session, bob.id, [three, one, two])

    assert [(row.id, row.is_deleted) for row in rows] == [
        (three, False),
        (one, False),
        (two, False),
    ]
    assert [row.is_read for row in rows if not isinstance(row, RemovedRow)] == [False, False, True]


async def test_rows_deleted_elsewhere_keep_their_place_and_can_be_restored(
    db: Database, bob: User, tell_bob: Tell
) -> None:
    ids = await tell_bob(3)
    async with db.act() as session:
        await acts.delete(session, bob.id, Selection(ids[1:2]))

    async with db.read() as session:
        [_first, removed, _last] = await read_open_rows(session, bob.id, ids)

    assert isinstance(removed, RemovedRow)
    assert removed.id == ids[1]
    async with db.act() as session:
        assert await acts.undo(session, bob.id, removed.undo) == 1


async def test_after_ten_minutes_nothing_is_restored_however_often_the_page_was_updated(
    db: Database, bob: User, tell_bob: Tell, hands: Hands
) -> None:
    ids = await tell_bob(1)
    hands.set("2026-06-30 12:00")
    async with db.act() as session:
        await acts.delete(session, bob.id, Selection(ids))
    hands.move(timedelta(minutes=9, seconds=59))
    async with db.read() as session:
        [removed] = await read_open_rows(session, bob.id, ids)
    assert isinstance(removed, RemovedRow)
    assert removed.undo

    hands.move(timedelta(seconds=1))
    async with db.act() as session:
        with pytest.raises(NotFound):
            await acts.undo(session, bob.id, removed.undo)
        assert await read_open_rows(session, bob.id, ids) == [RemovedRow(ids[0])]


async def test_withdrawn_rows_are_gone_for_good(
    db: Database, bob: User, squad: Team, tell_bob: Tell
) -> None:
    ids = await tell_bob(3)
    async with db.act() as session:
        await withdraw_team(session, squad.id, select(User.id).where(User.id == bob.id))

    async with db.read() as session:
        assert await read_open_rows(session, bob.id, ids) == [RemovedRow(one) for one in ids]


async def test_hidden_rows_and_those_of_other_users_are_not_shown(
    db: Database, alice: User, bob: User, tell_bob: Tell, alter: Alter
) -> None:
    shown, hidden = ids = await tell_bob(2)
    await alter([hidden], hidden=True)

    async with db.read() as session:
        first, second = await read_open_rows(session, bob.id, ids)
        foreign = await read_open_rows(session, alice.id, ids)

    assert (first.id, first.is_deleted) == (shown, False)
    assert second == RemovedRow(hidden)
    assert foreign == [RemovedRow(one) for one in ids]


async def test_newer_notifications_are_counted_if_they_match(
    db: Database, alice: User, bob: User, tell_bob: Tell
) -> None:
    oldest, _middle, newest = await tell_bob(3)
    async with db.act() as session:
        await acts.mark(session, bob.id, Selection([newest]), read=True)

    async with db.read() as session:
        assert await newer(session, bob, EVERYTHING, oldest) == 2
        assert await newer(session, bob, Filter({"status": ("unread",)}), oldest) == 1
        assert await newer(session, bob, EVERYTHING, newest) == 0
        assert await newer(session, alice, EVERYTHING, oldest) == 0


async def test_newer_notifications_are_counted_after_the_last_known_one_was_purged(
    db: Database, bob: User, tell_bob: Tell
) -> None:
    first, last = await tell_bob(2)
    await tell_bob(3)
    async with db.write() as session:
        await session.execute(delete(Notification).where(Notification.id == last))

    async with db.read() as session:
        assert await newer(session, bob, EVERYTHING, last) == 3
    async with db.write() as session:
        await session.execute(delete(Notification).where(Notification.id == first))
    async with db.read() as session:
        assert await newer(session, bob, EVERYTHING, last) == 3


def test_a_page_names_its_rows_in_their_order_and_the_newest_it_knows() -> None:
    assert open_rows_in({"shown": "3,x,1,,2", "seen": "7"}) == OpenRows([3, 1, 2], 7)


def test_a_page_names_at_most_a_hundred_rows() -> None:
    shown = ",".join(str(one) for one in range(1, MOST_OPEN_ROWS + 50))

    rows = open_rows_in({"shown": shown, "seen": "7"})

    assert rows == OpenRows(list(range(1, 101)), 7)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"shown": "1,2"},
        {"seen": "2"},
        {"shown": "1,2", "seen": "0"},
        {"shown": ",,", "seen": "2"},
        {"shown": "x,-1,1.5,9999999999999999999", "seen": "2"},
    ],
)
def test_a_page_without_sensible_fields_has_no_open_rows(fields: dict[str, str]) -> None:
    assert open_rows_in(fields) is None


async def test_the_open_page_gets_its_own_rows_and_the_count_of_the_new_ones(
    client: httpx.AsyncClient, db: Database, bob: User, tell_bob: Tell
) -> None:
    oldest, middle, newest = await tell_bob(3)
    seen = await made_at(db, bob, middle)
    await sign_in(client, bob)

    answer = await client.get(
        f"/notifications?shown={middle},{oldest}&seen={seen}", headers=PARTIAL
    )

    assert f'id="notice-{newest}"' not in answer.text
    assert answer.text.index(f'id="notice-{middle}"') < answer.text.index(f'id="notice-{oldest}"')
    assert "Show 1 new notification" in answer.text
    assert "Select all 2 matching" in answer.text
    assert f'name="seen" value="{seen}"' in answer.text


async def test_a_page_that_is_loaded_anew_shows_everything(
    client: httpx.AsyncClient, bob: User, tell_bob: Tell
) -> None:
    oldest, newest = await tell_bob(2)
    await sign_in(client, bob)

    page = await client.get(f"/notifications?shown={oldest}&seen={oldest}")

    assert f'id="notice-{newest}"' in page.text
    assert "Select all 2 matching" in page.text
