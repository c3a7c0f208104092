"""Saved views on their page, by plain forms."""

import re
from html import unescape
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database
from app.database.short_reads import ShortSession
from app.models import User
from app.notifications.events.catalogue import TEAM_UPDATED
from app.notifications.inbox.saved_views import count_saved_views
from app.notifications.notify import notify
from app.notifications.pages import listing
from tests.conftest import post, sign_in
from tests.factories import make_team

URL = "/notifications/views"


@pytest.fixture
async def as_bob(client: httpx.AsyncClient, bob: User) -> httpx.AsyncClient:
    await sign_in(client, bob)
    return client


async def names_on(client: httpx.AsyncClient) -> list[str]:
    page = await client.get(URL)
    return re.findall(r'<a href="/notifications\?[^"]*"><bdi>([^<]+)</bdi>', page.text)


async def save(client: httpx.AsyncClient, name: str, query: str = "status=unread") -> str:
    """Returns the path of the new view's forms."""
    await post(client, URL, name=name, query=query)
    page = (await client.get(URL)).text
    return str(re.findall(r'action="(/notifications/views/\d+)"', page)[-1])


async def test_without_views_the_page_says_how_to_save_one(as_bob: httpx.AsyncClient) -> None:
    assert "No saved views" in (await as_bob.get(URL)).text


async def test_a_filtered_list_is_saved_under_a_name(as_bob: httpx.AsyncClient) -> None:
    asked = await as_bob.get(URL, params={"query": "status=unread&type=team_updated"})
    assert 'value="status=unread&amp;type=team_updated"' in asked.text

    saved = await post(as_bob, URL, name="Renamed", query="status=unread&type=team_updated")

    assert saved.headers["location"] == "/notifications?status=unread&type=team_updated"
    page = await as_bob.get(URL)
    assert 'href="/notifications?status=unread&type=team_updated"' in unescape(page.text)
    assert "0 unread" in page.text


async def test_a_view_of_two_types_opens_with_both_as_the_current_tab(
    as_bob: httpx.AsyncClient, db: Database, alice: User, bob: User
) -> None:
    squad = await make_team(db, alice, editors=[bob])
    async with db.act() as session:
        await notify(session, TEAM_UPDATED, actor=alice, team=squad, old_name="Old")
    query = "status=unread&type=member_left&type=team_updated"
    await save(as_bob, "Comings and goings", query)

    page = unescape((await as_bob.get(f"/notifications?{query}")).text)

    assert "is now called" in page.partition('id="inbox"')[2]
    assert re.findall(r'aria-current="page">(Comings and goings|Inbox)', page) == [
        "Comings and goings"
    ]
    chosen = re.findall(r'<input type="hidden" name="type" value="(\w+)"', page)
    assert set(chosen) == {"member_left", "team_updated"}


@pytest.mark.sqlite
async def test_views_are_not_counted_where_that_would_hold_up_all_others(
    as_bob: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list itself is a short read, in the thread of the event loop."""
    await save(as_bob, "Unread")
    sessions = []

    async def note(session: AsyncSession, *args: Any) -> Any:
        sessions.append(session)
        return await count_saved_views(session, *args)

    monkeypatch.setattr(listing, "count_saved_views", note)
    await as_bob.get("/notifications")

    assert [isinstance(one, ShortSession) for one in sessions] == [False]


async def test_views_are_renamed_moved_and_deleted(as_bob: httpx.AsyncClient) -> None:
    one, two = await save(as_bob, "One"), await save(as_bob, "Two")

    await post(as_bob, one, name="First")
    await post(as_bob, f"{two}/up")
    assert await names_on(as_bob) == ["Two", "First"]
    await post(as_bob, f"{two}/up")
    await post(as_bob, f"{two}/down")
    assert await names_on(as_bob) == ["First", "Two"]

    await post(as_bob, f"{one}/delete")
    assert await names_on(as_bob) == ["Two"]


@pytest.mark.parametrize(
    ("name", "query"), [("", "status=unread"), ("Odd", "status=odd"), ("Odd", "//example.com")]
)
async def test_a_wrong_view_comes_back_with_what_was_typed(
    as_bob: httpx.AsyncClient, name: str, query: str
) -> None:
    answer = await post(as_bob, URL, name=name, query=query)

    assert answer.status_code == 422
    assert f'value="{query}"' in answer.text
    assert await names_on(as_bob) == []


async def test_a_wrong_name_leaves_the_old_one(as_bob: httpx.AsyncClient) -> None:
    one = await save(as_bob, "One")

    answer = await post(as_bob, one, name="x" * 61)

    assert (answer.status_code, await names_on(as_bob)) == (422, ["One"])


async def test_nobody_reaches_the_views_of_others(as_bob: httpx.AsyncClient, carol: User) -> None:
    one = await save(as_bob, "Mine")
    await sign_in(as_bob, carol)

    answers = [
        await post(as_bob, path, name="Hers") for path in (one, f"{one}/up", f"{one}/delete")
    ]

    assert [answer.status_code for answer in answers] == [404, 404, 404]
