"""A list that is being read is renewed in place."""

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select

from app import clock
from app.database import Database
from app.errors import NotFound
from app.models import User
from app.notifications.events.catalogue import TEAM_UPDATED
from app.notifications.inbox import feed
from app.notifications.inbox.filters import Filter
from app.notifications.inbox.open_rows import RemovedRow, count_newer, open_rows_in, read_open_rows
from app.notifications.inbox.selection import Selection
from app.notifications.notify import notify
from app.notifications.withdraw import withdraw_team
from tests.conftest import sign_in
from tests.factories import make_team

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
async def told(db: Database, alice: User, bob: User) -> list[int]:
    """Bob was told three times; the ids of his notices, newest first."""
    team = await make_team(db, alice, editors=[bob])
    async with db.act() as session:
        for number in range(3):
            await notify(
                session, TEAM_UPDATED, actor=alice, team=team, old_name="A", new_name=str(number)
            )
    async with db.read() as session:
        return [notice.id for notice in await feed.newest(session, bob.id)]


async def test_what_was_read_elsewhere_is_shown_as_read(
    db: Database, bob: User, told: list[int]
) -> None:
    async with db.act() as session:
        await feed.mark(session, bob.id, Selection(told[:1]), read=True)

    async with db.read() as session:
        held = await read_open_rows(session, bob.id, told)

    assert [(one.id, one.is_deleted) for one in held] == [(one, False) for one in told]
    assert [one.is_read for one in held if not isinstance(one, RemovedRow)] == [True, False, False]


async def test_what_was_deleted_elsewhere_keeps_its_place_and_can_be_brought_back(
    db: Database, bob: User, told: list[int]
) -> None:
    async with db.act() as session:
        await feed.delete(session, bob.id, Selection(told[1:2]))

    async with db.read() as session:
        [_first, gone, _last] = await read_open_rows(session, bob.id, told)

    assert isinstance(gone, RemovedRow)
    async with db.act() as session:
        assert await feed.undo(session, bob.id, gone.undo) == 1


async def test_after_ten_minutes_nothing_comes_back_however_often_the_page_was_renewed(
    db: Database, bob: User, told: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with db.act() as session:
        await feed.delete(session, bob.id, Selection(told[:1]))
    async with db.read() as session:
        [gone] = await read_open_rows(session, bob.id, told[:1])
    assert isinstance(gone, RemovedRow)

    later = clock.now() + timedelta(minutes=11)
    monkeypatch.setattr(clock, "now", lambda: later)
    async with db.act() as session:
        with pytest.raises(NotFound):
            await feed.undo(session, bob.id, gone.undo)
        assert await read_open_rows(session, bob.id, told[:1]) == [RemovedRow(told[0])]


async def test_what_was_withdrawn_is_gone_for_good(
    db: Database, bob: User, told: list[int]
) -> None:
    async with db.act() as session:
        notice = await feed.find(session, bob.id, told[0])
        team_id = int(notice.actions[0].url.rpartition("/")[2])
        await withdraw_team(session, team_id, select(User.id).where(User.id == bob.id))

    async with db.read() as session:
        assert await read_open_rows(session, bob.id, told) == [RemovedRow(one) for one in told]


async def test_what_is_another_persons_is_not_shown(
    db: Database, alice: User, told: list[int]
) -> None:
    async with db.read() as session:
        assert await read_open_rows(session, alice.id, told) == [RemovedRow(one) for one in told]


async def test_what_came_since_is_counted_as_far_as_it_matches(
    db: Database, bob: User, told: list[int]
) -> None:
    async with db.act() as session:
        await feed.mark(session, bob.id, Selection(told[:1]), read=True)

    async with db.read() as session:
        assert await count_newer(session, bob.id, Filter(), told[-1]) == 2
        assert await count_newer(session, bob.id, Filter({"status": ("unread",)}), told[-1]) == 1
        assert await count_newer(session, bob.id, Filter(), told[0]) == 0


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"shown": "1,2"},
        {"up_to": "2"},
        {"shown": ",,", "up_to": "2"},
        {"shown": "x,-1,1.5,9999999999999999999", "up_to": "2"},
    ],
)
def test_a_page_that_says_nothing_sensible_holds_nothing(fields: dict[str, str]) -> None:
    assert open_rows_in(fields) is None


async def test_the_open_page_gets_its_own_rows_and_the_count_of_the_new(
    client: httpx.AsyncClient, bob: User, told: list[int]
) -> None:
    await sign_in(client, bob)
    newest, middle, oldest = told

    answer = await client.get(
        f"/notifications?shown={middle},{oldest}&up_to={middle}", headers=PARTIAL
    )

    assert f'id="notice-{newest}"' not in answer.text
    assert answer.text.index(f'id="notice-{middle}"') < answer.text.index(f'id="notice-{oldest}"')
    assert "Show 1 new notification" in answer.text
    assert "Select all 2 matching" in answer.text
