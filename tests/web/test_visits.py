"""What counts as a visit to a page, and that a page never waits or fails for what the visit marks."""

import asyncio
import logging
import sqlite3
from collections.abc import Mapping

import httpx
import pytest
from litestar import Litestar

from app.database import Database
from app.models import Team, User
from app.notifications.events.audience import Recipients, personally
from app.notifications.events.catalogue import TEAM_UPDATED
from app.notifications.inbox import feed
from app.notifications.notify import notify
from app.settings import Settings
from app.web import visits
from tests.api.conftest import key_of
from tests.conftest import post, sign_in
from tests.contract.markup import unread_on
from tests.factories import make_team

DOCUMENT = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
async def editors(db: Database, alice: User, bob: User) -> Team:
    return await make_team(db, alice, "Editors", editors=[bob])


@pytest.fixture
async def page(db: Database, alice: User, editors: Team) -> str:
    """bob has an unread notice about this page."""
    await rename(db, alice, editors)
    return f"/teams/{editors.id}"


@pytest.fixture
async def as_bob(client: httpx.AsyncClient, bob: User) -> httpx.AsyncClient:
    await sign_in(client, bob)
    return client


async def rename(db: Database, actor: User, team: Team) -> None:
    async with db.act() as session:
        await notify(session, TEAM_UPDATED, actor=actor, team=team, old_name="A", new_name="B")


def only(user: User) -> Recipients:
    return personally(User.id).where(User.id == user.id)


async def unread(db: Database, user: User) -> int:
    async with db.read() as session:
        return await feed.unread_count(session, user.id)


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="no Fetch Metadata"),
        pytest.param(DOCUMENT | {"Sec-Fetch-Site": "same-origin"}, id="a link in a page"),
        pytest.param(DOCUMENT | {"Sec-Fetch-Site": "cross-site"}, id="a link in a mail"),
        pytest.param(DOCUMENT | {"Sec-Fetch-Site": "none"}, id="typed in"),
        pytest.param(DOCUMENT | {"Sec-Fetch-Dest": "empty"}, id="through a service worker"),
    ],
)
async def test_a_navigation_is_a_visit(
    as_bob: httpx.AsyncClient, db: Database, bob: User, page: str, headers: Mapping[str, str]
) -> None:
    visited = await as_bob.get(page, headers=headers)

    assert (visited.status_code, unread_on(visited.text)) == (200, 0)
    assert await unread(db, bob) == 0


@pytest.mark.parametrize("path", ["{}/", "{}//", "/{}"])
async def test_a_visit_with_more_slashes_than_needed_is_one(
    as_bob: httpx.AsyncClient, db: Database, bob: User, page: str, path: str
) -> None:
    visited = await as_bob.get("http://testserver" + path.format(page))

    assert visited.status_code == 200
    assert await unread(db, bob) == 0


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(PARTIAL, id="a live refresh"),
        pytest.param(PARTIAL | {"HX-Request-Type": "full"}, id="a live refresh of a selection"),
        pytest.param(DOCUMENT | {"Sec-Purpose": "prefetch"}, id="a prefetch"),
        pytest.param(DOCUMENT | {"Sec-Purpose": "prefetch;prerender"}, id="a prerendering"),
        pytest.param({"Purpose": "prefetch"}, id="a prefetch of an older browser"),
        pytest.param({"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}, id="a script"),
        pytest.param({"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}, id="an image"),
        pytest.param(DOCUMENT | {"Sec-Fetch-Dest": "iframe"}, id="a frame"),
        pytest.param({"Sec-Fetch-Dest": "empty"}, id="a script without a mode"),
    ],
)
async def test_any_other_request_marks_nothing(
    as_bob: httpx.AsyncClient, db: Database, bob: User, page: str, headers: Mapping[str, str]
) -> None:
    fetched = await as_bob.get(page, headers=headers)

    assert fetched.status_code == 200
    assert await unread(db, bob) == 1


async def test_a_head_request_marks_nothing(
    as_bob: httpx.AsyncClient, db: Database, bob: User, page: str
) -> None:
    await as_bob.head(page)

    assert await unread(db, bob) == 1


async def test_a_form_sent_to_a_page_marks_nothing_by_itself(
    as_bob: httpx.AsyncClient, db: Database, bob: User, page: str
) -> None:
    sent = await post(as_bob, f"{page}/mute")

    assert sent.headers["Location"] == page
    assert await unread(db, bob) == 1


async def test_the_json_api_marks_nothing(
    client: httpx.AsyncClient, db: Database, bob: User, page: str
) -> None:
    key = {"Authorization": f"Bearer {await key_of(db, bob)}"}
    await sign_in(client, bob)

    for headers in (key, {}):
        for path in (f"/api{page}", "/api/notifications", "/api/notifications/1"):
            assert (await client.get(path, headers=headers)).status_code == 200

    assert await unread(db, bob) == 1


async def test_the_visit_of_another_user_marks_nothing_of_mine(
    client: httpx.AsyncClient, db: Database, alice: User, bob: User, page: str
) -> None:
    await sign_in(client, alice)

    await client.get(page)
    await client.get("/notifications/1")

    assert await unread(db, bob) == 1


async def test_a_page_that_the_user_may_not_see_any_more_is_opened_all_the_same(
    as_bob: httpx.AsyncClient, db: Database, alice: User, bob: User
) -> None:
    """Otherwise its notice would stay unread after bob has used the link."""
    theirs = await make_team(db, alice, "Others")
    async with db.act() as session:
        await notify(
            session, TEAM_UPDATED, team=theirs, recipients=only(bob), old_name="A", new_name="B"
        )

    missing = await as_bob.get(f"/teams/{theirs.id}")

    assert (missing.status_code, unread_on(missing.text)) == (404, 0)


@pytest.mark.sqlite
async def test_the_page_comes_in_time_where_another_process_holds_the_database(
    as_bob: httpx.AsyncClient,
    app: Litestar,
    db: Database,
    settings: Settings,
    bob: User,
    page: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(visits, "MARKING_SECONDS", 0.01)
    other = sqlite3.connect(settings.sqlite_path)
    other.execute("BEGIN IMMEDIATE")

    meanwhile = await as_bob.get(page)
    other.rollback()
    await asyncio.gather(*app.state.visits._marking)
    later = await as_bob.get("/account/notifications")

    assert (meanwhile.status_code, unread_on(meanwhile.text)) == (200, 1)
    assert unread_on(later.text) == 0


async def test_the_page_comes_where_nothing_can_be_marked_and_one_line_says_why(
    as_bob: httpx.AsyncClient,
    app: Litestar,
    page: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail() -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(app.state.db, "act", fail)
    with caplog.at_level(logging.WARNING, visits.__name__):
        visited = await as_bob.get(page)

    assert (visited.status_code, unread_on(visited.text)) == (200, 1)
    [line] = [record for record in caplog.records if record.name == visits.__name__]
    assert "database or disk is full" in line.getMessage()
    assert line.exc_info is None


async def test_a_page_without_news_writes_nothing(
    as_bob: httpx.AsyncClient, app: Litestar, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await as_bob.get(page)
    written: list[str] = []
    monkeypatch.setattr(app.state.db, "write", lambda: written.append("write"))

    again = await as_bob.get(page)

    assert (again.status_code, written) == (200, [])
