"""The bell for pages that poll, and the button that marks everything read."""

import asyncio
import re
from html import unescape
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from app.accounts.endings import announce_ending
from app.database import Database
from app.models import User
from app.notifications.events.catalogue import TEAM_UPDATED
from app.notifications.inbox import acts, feed
from app.notifications.notify import notify
from tests.bell import newest_notices
from tests.conftest import post, sign_in
from tests.factories import make_team
from tests.notifications.seen import made_at

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
async def told(db: Database, alice: User, bob: User) -> list[int]:
    """Bob has three notifications; their ids, newest first."""
    team = await make_team(db, alice, editors=[bob])
    async with db.act() as session:
        for number in range(3):
            names: dict[str, Any] = {"old_name": "A", "new_name": str(number)}
            await notify(session, TEAM_UPDATED, actor=alice, team=team, **names)
        return [notice.id for notice in await newest_notices(session, bob.id)]


@pytest.fixture
async def as_bob(client: httpx.AsyncClient, bob: User) -> httpx.AsyncClient:
    await sign_in(client, bob)
    return client


async def test_the_bell_is_sent_once_and_again_after_a_change(
    as_bob: httpx.AsyncClient, db: Database, bob: User, told: list[int]
) -> None:
    first = await as_bob.get("/notifications/bell")
    known = {"If-None-Match": first.headers["ETag"]}
    position = first.headers["ETag"].strip('"').split("-")[1]
    since = f"/notifications/bell?since={position}"
    same, nothing = await as_bob.get("/notifications/bell", headers=known), await as_bob.get(since)
    async with db.act() as session:
        await acts.read_all(session, bob.id, told[1])
    changed, news = await as_bob.get("/notifications/bell", headers=known), await as_bob.get(since)

    assert 'aria-label="Notifications, 3 unread"' in first.text
    assert [panel_rows(one) for one in (first, changed, news)] == [told] * 3
    assert (same.status_code, nothing.status_code) == (304, 204)
    assert 'aria-label="Notifications, 1 unread"' in changed.text
    assert 'aria-label="Notifications, 1 unread"' in news.text


@pytest.mark.parametrize(
    "look",
    [
        {"language": "de"},
        {"timezone": "Asia/Tokyo"},
        {"urgent_first": True},
        {"grouping": True},
    ],
    ids=str,
)
async def test_the_bell_is_sent_again_once_the_user_sees_it_differently(
    as_bob: httpx.AsyncClient, db: Database, bob: User, told: list[int], look: dict[str, Any]
) -> None:
    first = await as_bob.get("/notifications/bell")
    async with db.exclusive() as session:
        await session.execute(update(User).where(User.id == bob.id).values(look))
        await announce_ending(session)

    seen = {"If-None-Match": first.headers["ETag"]}
    again = await as_bob.get("/notifications/bell", headers=seen)
    async with asyncio.timeout(10):  # a process may know the user as before for a second
        while again.status_code == 304:
            await asyncio.sleep(0.05)
            again = await as_bob.get("/notifications/bell", headers=seen)

    assert again.status_code == 200


async def test_all_are_read_up_to_the_newest_that_the_page_knew(
    as_bob: httpx.AsyncClient, db: Database, bob: User, told: list[int]
) -> None:
    answer = await post(as_bob, "/notifications/read-all", seen=await made_at(db, bob, told[1]))

    assert answer.headers["location"] == "/notifications"
    assert await unread(db, bob) == 1


async def test_in_an_open_page_the_bell_comes_back_at_once(
    as_bob: httpx.AsyncClient, db: Database, bob: User, told: list[int]
) -> None:
    headers = PARTIAL | {"X-CSRF-Token": as_bob.cookies["csrftoken"]}

    answer = await as_bob.post(
        "/notifications/read-all", data={"seen": await made_at(db, bob, told[0])}, headers=headers
    )

    assert 'aria-label="Notifications"' in answer.text
    assert panel_rows(answer) == told
    assert await unread(db, bob) == 0


async def test_without_scripts_the_next_page_offers_to_undo_it(
    as_bob: httpx.AsyncClient, db: Database, bob: User, told: list[int]
) -> None:
    await post(as_bob, "/notifications/read-all", seen=await made_at(db, bob, told[0]))
    page = await as_bob.get("/notifications")
    undo_url = re.search(r'action="(/notifications/undo\?[^"]+)"', page.text)
    assert undo_url
    assert "3 notifications marked as read" in page.text

    await post(as_bob, unescape(undo_url[1]))

    assert await unread(db, bob) == 3


async def test_an_open_page_is_offered_to_undo_it_wherever_it_is(
    as_bob: httpx.AsyncClient, db: Database, bob: User, told: list[int]
) -> None:
    headers = PARTIAL | {"X-CSRF-Token": as_bob.cookies["csrftoken"]}
    answer = await as_bob.post(
        "/notifications/read-all", data={"seen": await made_at(db, bob, told[1])}, headers=headers
    )
    button = re.search(r'hx-swap="none" hx-post="([^"]+)"', answer.text)
    assert button

    back = await as_bob.post(unescape(button[1]), headers=headers)

    assert 'aria-label="Notifications, 3 unread"' in back.text
    assert await unread(db, bob) == 3


@pytest.mark.parametrize("seen", ["", "0", "-1", "all"])
async def test_a_page_that_knew_of_nothing_marks_nothing(
    as_bob: httpx.AsyncClient, db: Database, bob: User, told: list[int], seen: str
) -> None:
    await post(as_bob, "/notifications/read-all", seen=seen)

    assert await unread(db, bob) == 3


def panel_rows(answer: httpx.Response) -> list[int]:
    """The ids of the notifications in the panel."""
    return [int(one.split('"')[0]) for one in answer.text.split('id="panel-notice-')[1:]]


async def unread(db: Database, user: User) -> int:
    async with db.read() as session:
        return await feed.unread_count(session, user.id)
