"""What is done in the inbox, as a plain form and as htmx asks for it."""

import re
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from app.database import Database
from app.models import Team, User
from app.notifications.events.catalogue import TEAM_UPDATED
from app.notifications.inbox import feed
from app.notifications.inbox.filters import Filter
from app.notifications.notify import notify
from app.teams.invitations import invite
from tests.conftest import post, sign_in
from tests.factories import make_team

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
async def editors(db: Database, alice: User, bob: User) -> Team:
    return await make_team(db, alice, "Editors", editors=[bob])


@pytest.fixture
async def told(db: Database, alice: User, bob: User, editors: Team) -> list[int]:
    """Bob was told three times; the ids of his notices, newest first."""
    for number in range(3):
        await rename(db, alice, editors, str(number))
    async with db.read() as session:
        return [notice.id for notice in await feed.newest(session, bob.id)]


async def test_deleting_all_that_match_asks_how_many_and_spares_what_came_since(
    client: httpx.AsyncClient,
    db: Database,
    alice: User,
    bob: User,
    editors: Team,
    told: list[int],
) -> None:
    await sign_in(client, bob)
    chosen = {"do": "delete", "all_matching": "1", "status": "unread", "up_to": told[0]}
    await rename(db, alice, editors, "News")

    asked = await post(client, "/notifications/bulk", **chosen)
    await post(client, "/notifications/bulk", confirmed="1", **chosen)

    assert "Delete 3 notifications?" in asked.text
    assert 'href="/notifications?status=unread"' in asked.text
    assert await total(db, bob) == 1


async def test_what_can_be_deleted_can_be_undone_where_the_reader_was(
    client: httpx.AsyncClient, db: Database, bob: User, told: list[int]
) -> None:
    await sign_in(client, bob)
    chosen = {"do": "delete", "ids": told[:2], "status": "unread", "confirmed": "1"}

    deleted = await post(client, "/notifications/bulk", **chosen)
    page = await client.get(deleted.headers["location"])
    undo = re.search(r'action="(/notifications/undo[^"]+)"', page.text)
    assert undo
    restored = await post(client, undo[1].replace("&amp;", "&"))

    assert restored.headers["location"] == "/notifications?status=unread"
    assert await total(db, bob) == 3


async def test_the_word_in_an_open_page_undoes_in_place_and_keeps_the_filters(
    client: httpx.AsyncClient, db: Database, bob: User, told: list[int]
) -> None:
    await sign_in(client, bob)
    chosen = {"do": "delete", "ids": told[:1], "type": "team_updated"}

    deleted = await post_partial(client, "/notifications/bulk", **chosen)
    undo = re.search(r'hx-post="(/notifications/undo[^"]+)"', deleted.text)
    assert undo
    url = undo[1].replace("&amp;", "&")
    restored = await post_partial(client, url)

    assert parse_qs(urlsplit(url).query)["type"] == ["team_updated"]
    assert "1 notification restored" in restored.text
    assert 'hx-get="/notifications?type=team_updated"' in restored.text
    assert await total(db, bob) == 3


@pytest.mark.parametrize("do", ["read", "unread", "delete"])
async def test_nothing_selected_is_said_at_once(
    client: httpx.AsyncClient, db: Database, bob: User, told: list[int], do: str
) -> None:
    await sign_in(client, bob)

    answer = await post(client, "/notifications/bulk", do=do, up_to=told[0])

    assert "Select some" in (await client.get(answer.headers["location"])).text
    assert await total(db, bob) == 3


async def test_an_answer_in_an_open_page_is_the_row_as_it_is_now(
    client: httpx.AsyncClient, db: Database, alice: User, carol: User, editors: Team
) -> None:
    async with db.act() as session:
        await invite(session, alice, editors.id, carol.email, "viewer")
    async with db.read() as session:
        [notice] = await feed.newest(session, carol.id)
    await sign_in(client, carol)

    answer = await post_partial(client, f"/notifications/{notice.id}/accept")

    row = answer.text[: answer.text.index("</li>")]
    assert f'id="notice-{notice.id}"' in row
    assert "is-unread" not in row
    assert "/accept" not in row
    assert "Welcome to &#39;Editors&#39;." in answer.text


async def rename(db: Database, actor: User, team: Team, name: str) -> None:
    async with db.act() as session:
        await notify(
            session, TEAM_UPDATED, actor=actor, team=team, old_name=team.name, new_name=name
        )


async def total(db: Database, user: User) -> int:
    async with db.read() as session:
        return (await feed.count_totals(session, user.id, Filter())).total


async def post_partial(client: httpx.AsyncClient, url: str, **fields: object) -> httpx.Response:
    headers = PARTIAL | {"X-CSRF-Token": client.cookies["csrftoken"]}
    answer = await client.post(url, data=fields, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer
