"""Pages of the inbox end where the first one did: nothing repeats while notifications arrive."""

import re
from html import unescape

import httpx
import pytest

from app.database import Database
from app.models import User
from tests.conftest import sign_in
from tests.notifications.inbox.conftest import Tell, alter, squad, tell_bob
from tests.notifications.seen import made_at

__all__ = ["alter", "squad", "tell_bob"]

URL = "/notifications"
PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
async def as_bob(client: httpx.AsyncClient, bob: User) -> httpx.AsyncClient:
    await sign_in(client, bob)
    return client


async def test_the_next_pages_go_on_where_the_first_one_ended(
    as_bob: httpx.AsyncClient, tell_bob: Tell
) -> None:
    there = await tell_bob(45)
    page = await as_bob.get(f"{URL}?type=team_updated")
    rows = rows_of(page)

    for _page in (2, 3):
        await tell_bob(7)
        page = await as_bob.get(URL + link_of(page, "next"))
        rows += rows_of(page)

    assert rows == there[::-1]
    assert "Show 14 new notifications" in page.text
    assert f'href="{URL}?type=team_updated"' in page.text
    assert "Page 3 of 3" in page.text
    assert "Select all 45 matching" in page.text


async def test_the_first_page_is_always_the_newest(
    as_bob: httpx.AsyncClient, tell_bob: Tell
) -> None:
    await tell_bob(21)
    second = await as_bob.get(URL + link_of(await as_bob.get(URL), "next"))
    newest = (await tell_bob(1))[-1]

    first = await as_bob.get(URL + link_of(second, "prev"))

    assert rows_of(first)[0] == newest


async def test_a_refresh_of_an_open_page_keeps_its_links_where_they_were(
    as_bob: httpx.AsyncClient, db: Database, bob: User, tell_bob: Tell
) -> None:
    ids = await tell_bob(60)
    seen = await made_at(db, bob, ids[-1])
    page = await as_bob.get(f"{URL}?page=2")
    await tell_bob(5)
    shown = ",".join(str(one) for one in rows_of(page))

    query = f"{URL}?page=2&seen={seen}&shown={shown}"
    refreshed = await as_bob.get(query, headers=PARTIAL)

    assert link_of(refreshed, "next") == link_of(page, "next")
    third = await as_bob.get(URL + link_of(refreshed, "next"))
    assert rows_of(third) == ids[19::-1]


async def test_a_bulk_action_leads_back_to_the_same_page(
    as_bob: httpx.AsyncClient, tell_bob: Tell
) -> None:
    await tell_bob(45)
    page = await as_bob.get(URL + link_of(await as_bob.get(URL), "next"))
    field = re.search(r'name="up_to_position" value="(\d+)"', page.text)

    assert field
    assert f"page=2&up_to_position={field[1]}" in unescape(page.text)


@pytest.mark.parametrize("nonsense", ["", "abc", "-1", "9" * 40])
async def test_a_position_that_is_none_is_ignored(
    as_bob: httpx.AsyncClient, tell_bob: Tell, nonsense: str
) -> None:
    ids = await tell_bob(3)

    page = await as_bob.get(URL, params={"up_to_position": nonsense})

    assert (page.status_code, rows_of(page)) == (200, ids[::-1])


def rows_of(page: httpx.Response) -> list[int]:
    return [int(one) for one in re.findall(r'<li id="notice-(\d+)"', page.text)]


def link_of(page: httpx.Response, rel: str) -> str:
    found = re.search(rf'rel="{rel}" href="([^"]+)"', page.text)
    assert found
    return unescape(found[1])
