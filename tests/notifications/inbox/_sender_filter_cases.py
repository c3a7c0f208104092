"""What the one entry in `_sender_filter.py` adds; run by `test_new_filter.py`."""

import re

import httpx
import pytest

from app.database import Database
from app.models import Team, User
from app.notifications.events.catalogue import TEAM_UPDATED
from app.notifications.notify import notify
from tests.bell import newest_notices
from tests.conftest import post, sign_in
from tests.factories import make_team

URL = "/api/notifications"


@pytest.fixture
async def editors(db: Database, alice: User, bob: User, carol: User) -> Team:
    return await make_team(db, alice, editors=[bob, carol])


@pytest.fixture
async def told(db: Database, alice: User, bob: User, carol: User, editors: Team) -> list[int]:
    """Alice and carol each renamed the team; the ids of bob's notifications in this order."""
    async with db.act() as session:
        for actor in (alice, carol):
            await notify(
                session, TEAM_UPDATED, actor=actor, team=editors, old_name="A", new_name="B"
            )
        return [notice.id for notice in await newest_notices(session, bob.id)][::-1]


@pytest.fixture
async def as_bob(client: httpx.AsyncClient, bob: User) -> httpx.AsyncClient:
    await sign_in(client, bob)
    client.headers["X-CSRF-Token"] = client.cookies["csrftoken"]
    return client


async def test_the_page_narrows_its_list_and_shows_the_value(
    as_bob: httpx.AsyncClient, alice: User, told: list[int]
) -> None:
    page = await as_bob.get("/notifications", params={"sender": alice.id})

    assert re.findall(r'id="notice-(\d+)"', page.text) == [str(told[0])]
    assert '<label for="sender">Sender</label>' in page.text
    assert re.search(rf'<input id="sender" name="sender" type="text" value="{alice.id}"', page.text)
    assert f'hx-get="/notifications?sender={alice.id}"' in page.text


async def test_the_page_names_a_wrong_value(as_bob: httpx.AsyncClient, told: list[int]) -> None:
    page = await as_bob.get("/notifications?sender=alice")

    assert page.status_code == 422
    assert "The sender must be the id of a user." in page.text


async def test_a_form_acts_on_all_that_match(
    as_bob: httpx.AsyncClient, alice: User, told: list[int]
) -> None:
    page = await as_bob.get("/notifications", params={"sender": alice.id})
    bulk = page.text[page.text.index('id="bulk"') :].partition("</form>")[0]
    fields = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', bulk))

    answer = await post(as_bob, "/notifications/bulk", do="read", all_matching="1", **fields)

    assert answer.headers["location"] == f"/notifications?sender={alice.id}"
    assert await ids_of(as_bob, status="unread") == [told[1]]


async def test_json_lists_what_matches_and_names_a_wrong_value(
    as_bob: httpx.AsyncClient, alice: User, carol: User, told: list[int]
) -> None:
    wrong = await as_bob.get(URL, params={"sender": "alice"})

    assert await ids_of(as_bob, sender=carol.id) == [told[1]]
    assert await ids_of(as_bob, sender=[alice.id, carol.id]) == told[::-1]
    assert wrong.status_code == 400
    assert [error["field"] for error in wrong.json()["errors"]] == ["sender"]


@pytest.mark.parametrize("is_list", [False, True])
async def test_json_acts_on_all_that_match(
    as_bob: httpx.AsyncClient, alice: User, told: list[int], is_list: bool
) -> None:
    wanted = {"sender": [alice.id] if is_list else alice.id}

    answer = await as_bob.post(f"{URL}/bulk-delete", json={"filter": wanted, "up_to": told[1]})

    assert answer.json()["count"] == 1
    assert await ids_of(as_bob) == [told[1]]


async def test_the_document_describes_it(as_bob: httpx.AsyncClient) -> None:
    document = (await as_bob.get("/api/openapi.json")).json()

    [parameter] = [
        one
        for one in document["paths"]["/api/notifications"]["get"]["parameters"]
        if one["name"] == "sender"
    ]
    assert parameter["description"] == "Only what this user did. May be repeated."
    assert "sender" in document["components"]["schemas"]["FilterObject"]["properties"]


async def ids_of(client: httpx.AsyncClient, **query: object) -> list[int]:
    answer = await client.get(URL, params=query)  # type: ignore[arg-type]
    return [notice["id"] for notice in answer.json()["notifications"]]
