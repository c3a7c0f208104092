"""Groups in JSON: GET /api/notifications?grouped=true."""

from typing import Any

import pytest

from app.database import Database
from app.models import Team, User
from tests.api.conftest import Program
from tests.factories import make_team

GROUPED = {"grouped": "true"}


@pytest.fixture
async def squad(db: Database, alice: User, bob: User) -> Team:
    return await make_team(db, alice, editors=[bob])


async def send(program: Program, team: Team, title: str, **fields: Any) -> None:
    event = {"type": "custom", "title": title, "team_id": team.id} | fields
    assert (await program.post("/api/events", json=event)).status_code == 201


async def test_each_item_is_the_newest_of_its_group(
    for_alice: Program, for_bob: Program, alice: User, squad: Team
) -> None:
    for title, key in (("One", "a"), ("Two", "b"), ("Three", "a")):
        await send(for_alice, squad, title, group_key=key)

    page = (await for_bob.get("/api/notifications", params=GROUPED)).json()

    newest, other = page["notifications"]
    assert (newest["message"], other["message"]) == ("Three", "Two")
    assert newest["group_key"] == newest["group"]["key"] == f"custom:team:{squad.id}:a"
    assert newest["group"] == {
        "key": newest["group_key"],
        "count": 2,
        "unread_count": 2,
        "actors": [{"id": alice.id, "username": "alice"}],
        "actor_count": 1,
        "summary": "Three and 1 more",
    }
    assert other["group"]["summary"] == "Two"
    assert (page["filtered_count"], page["pages"]) == (2, 1)
    assert (page["total"], page["unread_count"]) == (3, 3)


async def test_its_parts_have_no_group(for_alice: Program, for_bob: Program, squad: Team) -> None:
    for title in ("One", "Two"):
        await send(for_alice, squad, title, group_key="a")
    await send(for_alice, squad, "Other", group_key="b")

    listed = await for_bob.get(
        "/api/notifications", params={"group_key": f"custom:team:{squad.id}:a"}
    )

    parts = listed.json()["notifications"]
    assert [part["message"] for part in parts] == ["Two", "One"]
    assert all("group" not in part for part in parts)


async def test_pages_and_their_links_count_groups(
    for_alice: Program, for_bob: Program, squad: Team
) -> None:
    for number in range(6):
        await send(for_alice, squad, str(number), group_key=str(number % 3))

    first = await for_bob.get("/api/notifications", params=GROUPED | {"limit": 2})
    second = await for_bob.get(first.links["next"]["url"])

    assert [one["message"] for one in first.json()["notifications"]] == ["5", "4"]
    assert [one["message"] for one in second.json()["notifications"]] == ["3"]
    assert first.json()["pages"] == 2


@pytest.mark.parametrize("others", [{}, {"status": "unread"}, {"view": "all", "q": "one"}])
@pytest.mark.parametrize("beyond", [{"page": 10**30}, {"page": 10**18}, {"offset": 10**30}])
async def test_a_page_beyond_all_numbers_of_the_database_is_empty(
    for_alice: Program,
    for_bob: Program,
    squad: Team,
    others: dict[str, Any],
    beyond: dict[str, Any],
) -> None:
    await send(for_alice, squad, "One")

    answer = await for_bob.get("/api/notifications", params=GROUPED | others | beyond)

    page = answer.json()
    assert (answer.status_code, page["notifications"]) == (200, [])
    assert (page["filtered_count"], page["pages"]) == (1, 1)


async def test_an_act_on_a_group_spares_what_came_later(
    for_alice: Program, for_bob: Program, squad: Team
) -> None:
    await send(for_alice, squad, "Seen", group_key="a")
    await send(for_alice, squad, "Of another group", group_key="b")
    seen = (await for_bob.get("/api/notifications", params=GROUPED)).json()
    await send(for_alice, squad, "Later", group_key="a")

    act = {
        "action": "done",
        "group_key": f"custom:team:{squad.id}:a",
        "up_to_position": seen["position"],
    }
    done = await for_bob.post("/api/notifications/bulk", json=act)

    left = (await for_bob.get("/api/notifications")).json()["notifications"]
    assert done.json()["count"] == 1
    assert [one["message"] for one in left] == ["Later", "Of another group"]


async def test_notices_of_a_type_that_forms_no_groups_are_groups_of_one(
    for_alice: Program, for_bob: Program, squad: Team
) -> None:
    for title in ("One", "Two", "Three"):
        await send(for_alice, squad, title, group_key="a")
    grouped = (await for_bob.get("/api/notifications", params=GROUPED)).json()
    await for_bob.put("/api/notification-preferences", json={"ungrouped_types": ["custom"]})

    page = (await for_bob.get("/api/notifications", params=GROUPED)).json()
    keys = [one["group_key"] for one in page["notifications"]]
    parts = (await for_bob.get("/api/notifications", params={"group_key": keys[0]})).json()
    act = {"action": "done", "group_key": keys[1], "up_to_position": page["position"]}
    done = (await for_bob.post("/api/notifications/bulk", json=act)).json()
    former = act | {"group_key": grouped["notifications"][0]["group_key"]}
    of_former = (await for_bob.post("/api/notifications/bulk", json=former)).json()

    assert (len(grouped["notifications"]), page["filtered_count"]) == (1, 3)
    assert [one["group"]["key"] for one in page["notifications"]] == keys
    assert [one["group"]["count"] for one in page["notifications"]] == [1, 1, 1]
    assert len(set(keys)) == 3
    assert [one["message"] for one in parts["notifications"]] == ["Three"]
    assert (done["count"], of_former["count"]) == (1, 0)
    await for_bob.put("/api/notification-preferences", json={"ungrouped_types": []})
    [again] = (await for_bob.get("/api/notifications", params=GROUPED)).json()["notifications"]
    assert (again["group"]["count"], again["group_key"]) == (2, former["group_key"])


@pytest.mark.parametrize("key", ["x" * 101, "two\nlines", "\u202eturned"])
async def test_a_key_must_be_a_short_line(for_alice: Program, squad: Team, key: str) -> None:
    event = {"type": "custom", "title": "A", "team_id": squad.id, "group_key": key}

    answer = await for_alice.post("/api/events", json=event)

    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == ["group_key"]
