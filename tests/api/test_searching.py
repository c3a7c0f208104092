"""The search in JSON (CONTRACT §6)."""

from typing import Any

import pytest

from app.database import Database
from app.models import Team, User
from app.notifications.events.catalogue import CUSTOM
from app.notifications.notify import notify
from tests.api.conftest import Program
from tests.factories import make_team

URL = "/api/notifications"


@pytest.fixture
async def told(db: Database, alice: User, bob: User) -> Team:
    team = await make_team(db, alice, "My Team", editors=[bob])
    async with db.act() as session:
        for title in ("Render 1 done", "Render 2 failed", "Backup done"):
            await notify(session, CUSTOM, actor=alice, team=team, title=title, priority="normal")
    return team


async def search(program: Program, q: str, **query: Any) -> dict[str, Any]:
    answer = await program.get(URL, params={"q": q, **query})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize("grouped", ["false", "true"])
async def test_a_list_shows_the_search_results(for_bob: Program, told: Team, grouped: str) -> None:
    found = await search(for_bob, "DÖNE -backup", grouped=grouped)

    assert [one["message"] for one in found["notifications"]] == ["Render 1 done"]
    assert (found["filtered_count"], found["pages"], found["total"]) == (1, 1, 3)


async def test_a_group_counts_its_matching_parts(for_bob: Program, told: Team) -> None:
    found = await search(for_bob, "render", grouped="true")

    assert [one["group"]["count"] for one in found["notifications"]] == [2]


async def test_a_search_sets_the_view_where_none_is_given(for_bob: Program, told: Team) -> None:
    [one, *_] = (await search(for_bob, "backup"))["notifications"]
    await for_bob.post(f"{URL}/{one['id']}/done")

    assert (await search(for_bob, "backup"))["filtered_count"] == 0
    assert (await search(for_bob, "backup is:done"))["filtered_count"] == 1
    assert (await search(for_bob, "backup is:done", view="all"))["filtered_count"] == 1
    assert (await search(for_bob, "backup is:done", view="snoozed"))["filtered_count"] == 0
    assert (await search(for_bob, "backup is:done", view="inbox"))["filtered_count"] == 0


async def test_a_bulk_action_takes_the_same_text(for_bob: Program, told: Team) -> None:
    position = (await search(for_bob, "render"))["position"]
    body = {"action": "done", "filter": {"q": "render"}, "up_to_position": position}

    answer = await for_bob.post(f"{URL}/bulk", json=body)

    assert (answer.status_code, answer.json()["count"]) == (200, 2)
    assert (await search(for_bob, ""))["filtered_count"] == 1


async def test_a_saved_view_counts_its_matches(for_bob: Program, told: Team) -> None:
    view = {"name": "Renders", "query": "q=render+-failed"}
    await for_bob.post("/api/notification-views", json=view)

    views = (await for_bob.get("/api/notification-views")).json()["views"]

    assert [(one["query"], one["unread_count"]) for one in views] == [("q=render+-failed", 1)]


async def test_a_text_that_is_too_long_is_refused_by_name(for_bob: Program) -> None:
    answers = [
        await for_bob.get(URL, params={"q": "x" * 301}),
        await for_bob.post(
            f"{URL}/bulk",
            json={"action": "read", "filter": {"q": "x" * 301}, "up_to_position": 1},
        ),
    ]

    assert [answer.status_code for answer in answers] == [400, 400]
    fields = [answer.json()["errors"][0]["field"] for answer in answers]
    assert fields == ["q", "filter.q"]
