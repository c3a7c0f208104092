"""Urgent notifications above the days, on the inbox of a user who wants that."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from app.database import Database
from app.models import Team, User
from app.notifications.events.catalogue import CUSTOM
from app.notifications.inbox import acts
from app.notifications.inbox.selection import Selection
from app.notifications.inbox.urgent import MOST_URGENT
from app.notifications.notify import notify
from app.notifications.preferences.switches import change
from tests.conftest import post, sign_in
from tests.factories import make_account, make_team
from tests.notifications.pages.test_actions import post_partial
from tests.notifications.pages.test_bell import panel_rows
from tests.notifications.pages.test_groups import PARTIAL, folders, seen_on
from tests.notifications.pages.test_numbered_pages import link_of

URL = "/notifications"
Told = Callable[..., Awaitable[None]]


@pytest.fixture(params=[True, False], ids=["groups", "single rows"])
async def bob(db: Database, request: pytest.FixtureRequest) -> User:
    """He wants urgent notifications first."""
    bob = await make_account(db, "bob", grouping=request.param)
    async with db.act() as session:
        await change(session, bob, {"urgent_first": True})
    return bob


@pytest.fixture
async def squad(db: Database, alice: User, bob: User) -> Team:
    return await make_team(db, alice, editors=[bob])


@pytest.fixture
async def as_bob(client: httpx.AsyncClient, bob: User) -> httpx.AsyncClient:
    await sign_in(client, bob)
    return client


@pytest.fixture
def tell(db: Database, alice: User, squad: Team) -> Told:
    """Tells the team so many things with this priority, each in a group of its own unless there is a
    key. The ids of bob's notifications count from 1.
    """
    told = 0

    async def send(times: int, priority: str = "normal", *, key: str = "") -> None:
        nonlocal told
        async with db.act() as session:
            for _ in range(times):
                told += 1
                facts: dict[str, Any] = {"title": f"No. {told}", "group_key": key or f"{told}"}
                await notify(session, CUSTOM, actor=alice, team=squad, priority=priority, **facts)

    return send


async def read(db: Database, bob: User, *ids: int) -> None:
    async with db.act() as session:
        await acts.mark(session, bob.id, Selection(ids), read=True)


def sections(page: httpx.Response) -> dict[str, list[int]]:
    """The rows under each heading, in their order."""
    found = re.findall(
        r'<h2 class="day"[^>]*>([^<]+)</h2>(.*?)(?=<h2 class="day"|$)', page.text, re.S
    )
    rows = re.compile(r'<li id="notice-(\d+)"')
    return {heading: [int(one) for one in rows.findall(rest)] for heading, rest in found}


async def test_unread_urgent_ones_stand_above_the_days_and_nowhere_else(
    as_bob: httpx.AsyncClient, tell: Told
) -> None:
    await tell(1, "high")
    await tell(1)
    await tell(1, "high")
    await tell(1, "low")

    page = await as_bob.get(URL)

    assert sections(page) == {"Urgent": [3, 1], "Today": [4, 2]}
    assert "Select all 4 matching" in page.text


async def test_urgent_rows_stand_on_top_only_for_users_who_chose_that(
    as_bob: httpx.AsyncClient, db: Database, bob: User, tell: Told
) -> None:
    async with db.act() as session:
        await change(session, bob, {"urgent_first": False})
    await tell(1, "high")
    await tell(1)

    assert sections(await as_bob.get(URL)) == {"Today": [2, 1]}


@pytest.mark.parametrize(
    "query", ["status=unread", "q=No", "view=all", "priority=high&priority=normal"]
)
async def test_a_list_that_is_narrowed_has_the_order_of_time(
    as_bob: httpx.AsyncClient, tell: Told, query: str
) -> None:
    await tell(1, "high")
    await tell(1)

    assert sections(await as_bob.get(f"{URL}?{query}")) == {"Today": [2, 1]}


async def test_a_read_row_goes_back_to_its_place(
    as_bob: httpx.AsyncClient, db: Database, bob: User, tell: Told
) -> None:
    await tell(1, "high")
    await tell(1)

    await read(db, bob, 1)

    assert sections(await as_bob.get(URL)) == {"Today": [2, 1]}


async def test_the_pages_below_have_each_of_the_others_once(
    as_bob: httpx.AsyncClient, tell: Told
) -> None:
    await tell(22)
    await tell(2, "high")
    await tell(22)
    page = await as_bob.get(URL)
    pages = [sections(page)]

    for _page in (2, 3):
        await tell(1, "high")
        page = await as_bob.get(URL + link_of(page, "next"))
        pages.append(sections(page))

    assert pages == [
        {"Urgent": [24, 23], "Today": list(range(46, 26, -1))},
        {"Today": [26, 25, *range(22, 4, -1)]},
        {"Today": [4, 3, 2, 1]},
    ]
    assert "Page 3 of 3" in page.text


async def test_rows_above_the_list_are_on_no_page(as_bob: httpx.AsyncClient, tell: Told) -> None:
    await tell(20)
    await tell(3, "high")

    page = await as_bob.get(URL)

    assert 'rel="next"' not in page.text
    assert sections(page) == {"Urgent": [23, 22, 21], "Today": list(range(20, 0, -1))}


async def test_more_than_twenty_keep_their_places_in_the_list(
    as_bob: httpx.AsyncClient, tell: Told
) -> None:
    await tell(MOST_URGENT + 2, "high")
    await tell(1)

    assert sections(await as_bob.get(URL)) == {
        "Urgent": list(range(22, 2, -1)),
        "Today": [23, 2, 1],
    }


async def test_rows_that_are_being_read_stay_under_their_heading(
    as_bob: httpx.AsyncClient, db: Database, bob: User, tell: Told
) -> None:
    await tell(1)
    await tell(3, "high")
    seen = seen_on(await as_bob.get(URL))
    opened = {"shown": "4,3,2,1", "urgent": "3", "seen": seen}
    await read(db, bob, 4, 2)
    await tell(1, "high")

    kept = await as_bob.get(URL, params=opened, headers=PARTIAL)
    anew = await as_bob.get(URL, headers=PARTIAL)

    assert sections(kept) == {"Urgent": [4, 3, 2], "Today": [1]}
    assert "Show 1 new notification" in kept.text
    assert sections(anew) == {"Urgent": [5, 3], "Today": [4, 2, 1]}


async def test_a_done_row_leaves_and_undo_brings_it_back_on_top(
    as_bob: httpx.AsyncClient, tell: Told
) -> None:
    await tell(2, "high")
    await tell(1)

    done = await post_partial(as_bob, f"{URL}/1/done")
    left = await as_bob.get(URL)
    undo = re.findall(r'"(/notifications/undo\?undo=[^"]+)"', done.text)[0]
    back = await post_partial(as_bob, undo)

    assert sections(left) == {"Urgent": [2], "Today": [3]}
    assert sections(back) == {"Urgent": [2, 1], "Today": [3]}


@pytest.mark.parametrize("path", [URL, f"{URL}?status=read", f"{URL}/bell", "/teams"])
async def test_they_are_the_first_in_the_bell_of_any_page(
    as_bob: httpx.AsyncClient, tell: Told, path: str
) -> None:
    await tell(2, "high")
    await tell(21)

    page = await as_bob.get(path)

    assert panel_rows(page) == [2, 1, *range(23, 5, -1)]


async def test_the_bell_of_others_has_the_order_of_time(
    as_bob: httpx.AsyncClient, db: Database, bob: User, tell: Told
) -> None:
    async with db.act() as session:
        await change(session, bob, {"urgent_first": False})
    await tell(1, "high")
    await tell(21)

    assert panel_rows(await as_bob.get("/teams")) == list(range(22, 2, -1))


async def test_a_row_read_in_the_bell_goes_back_to_its_place_there(
    as_bob: httpx.AsyncClient, tell: Told
) -> None:
    await tell(2, "high")
    await tell(1)

    answer = await post_partial(as_bob, f"{URL}/2/read")

    assert panel_rows(answer) == [1, 3, 2]


@pytest.mark.parametrize("bob", [True], indirect=True)
async def test_a_group_with_an_urgent_part_stands_there_as_one_row_and_is_acted_on_as_one(
    as_bob: httpx.AsyncClient, db: Database, bob: User, tell: Told
) -> None:
    await tell(1, "high", key="a")
    await tell(1, key="a")
    await tell(1)

    page = await as_bob.get(URL)
    assert sections(page) == {"Urgent": [2], "Today": [3]}
    opened = await as_bob.get(f"{URL}?open=2", headers=PARTIAL)
    assert re.findall(r'<li id="notice-part-(\d+)"', opened.text) == ["2", "1"]

    await post(as_bob, f"{URL}/2/done", grouped="1", seen=seen_on(page))
    assert await folders(db, bob) == [("done", 2), ("inbox", 1)]


@pytest.mark.parametrize("bob", [True], indirect=True)
async def test_a_group_whose_newest_part_has_gone_stays_under_the_heading(
    as_bob: httpx.AsyncClient, db: Database, bob: User, tell: Told
) -> None:
    await tell(2, "high", key="a")
    await tell(1, "high")
    seen = seen_on(await as_bob.get(URL))
    async with db.act() as session:
        await acts.carry_out(session, bob.id, acts.doing(), Selection([2]))

    opened = {"shown": "3,2", "urgent": "2", "seen": seen}
    kept = await as_bob.get(URL, params=opened, headers=PARTIAL)

    assert sections(kept) == {"Urgent": [3, 1]}
