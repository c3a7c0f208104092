"""Saved views in JSON (CONTRACT §6)."""

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database, is_act
from app.models import User
from app.notifications.events.catalogue import MEMBER_ADDED, TEAM_UPDATED
from app.notifications.inbox import saved_views, searching
from app.notifications.inbox.saved_views import MOST_VIEWS
from app.notifications.notify import notify
from tests.api.conftest import Program, newest
from tests.factories import make_team

URL = "/api/notification-views"


async def create(program: Program, name: str, query: str = "") -> int:
    answer = await program.post(URL, json={"name": name, "query": query})
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


async def views_of(program: Program) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await program.get(URL)).json()["views"]
    return found


async def test_a_view_counts_what_is_unread_in_it(
    for_bob: Program, db: Database, alice: User, bob: User
) -> None:
    team = await make_team(db, alice, editors=[bob])
    async with db.act() as session:
        await notify(session, MEMBER_ADDED, actor=alice, affected=bob, team=team, role="editor")
        await notify(session, TEAM_UPDATED, actor=alice, team=team, old_name="A", new_name="B")
    await create(for_bob, "Everything")
    await create(for_bob, "Renamed", "type=team_updated&status=unread")
    await create(for_bob, "Done", "?view=done")

    found = [(one["name"], one["query"], one["unread_count"]) for one in await views_of(for_bob)]

    assert found == [
        ("Everything", "", 2),
        ("Renamed", "type=team_updated&status=unread", 1),
        ("Done", "view=done", 0),
    ]


async def test_of_what_a_search_finds_a_view_counts_the_newest(
    for_bob: Program, db: Database, alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = await make_team(db, alice, editors=[bob])
    for name in ("one", "two", "three"):
        async with db.act() as session:
            await notify(session, TEAM_UPDATED, actor=alice, team=team, old_name="A", new_name=name)
    await for_bob.post("/api/notifications/bulk", json=reading_of(await newest(for_bob)))
    for query in (
        "q=from:alice",
        "q=from:alice&status=unread",
        "q=from:alice&status=read",
        "q=is:read",
    ):
        await create(for_bob, query, query)
    monkeypatch.setattr(searching, "MOST_FOUND", 1)

    assert [one["unread_count"] for one in await views_of(for_bob)] == [1, 1, 0, 0]
    monkeypatch.undo()
    assert [one["unread_count"] for one in await views_of(for_bob)] == [2, 2, 0, 0]


def reading_of(id: int) -> dict[str, Any]:
    return {"action": "read", "notification_ids": [id]}


async def test_views_are_counted_after_an_act_not_within_it(
    for_bob: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = [await create(for_bob, name) for name in ("One", "Two")]
    acts, count = [], saved_views.count_saved_views

    async def note(session: AsyncSession, *args: Any) -> Any:
        acts.append(is_act(session))
        return await count(session, *args)

    monkeypatch.setattr(saved_views, "count_saved_views", note)
    await for_bob.put(f"{URL}/order", json={"ids": [two, one]})
    await for_bob.put(f"{URL}/{two}", json={"name": "Second", "query": ""})
    await create(for_bob, "Three")

    assert acts == [False, False, False]


async def test_views_are_renamed_ordered_and_deleted(for_bob: Program) -> None:
    one, two, three = [await create(for_bob, name) for name in ("One", "Two", "Three")]

    changed = await for_bob.put(f"{URL}/{two}", json={"name": "Second", "query": "view=saved"})
    ordered = await for_bob.put(f"{URL}/order", json={"ids": [three, one, two]})
    deleted = await for_bob.delete(f"{URL}/{one}")

    assert [answer.status_code for answer in (changed, ordered, deleted)] == [200, 200, 200]
    assert [one["id"] for one in ordered.json()["views"]] == [three, one, two]
    assert [one["name"] for one in await views_of(for_bob)] == ["Three", "Second"]


async def test_a_view_is_changed_in_part(for_bob: Program) -> None:
    view = await create(for_bob, "One", "view=saved")

    await for_bob.put(f"{URL}/{view}", json={"name": "Uno"})
    await for_bob.put(f"{URL}/{view}", json={"query": "view=done"})
    same = await for_bob.put(f"{URL}/{view}", json={})

    assert (same.json()["name"], same.json()["query"]) == ("Uno", "view=done")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("q=a%20b&page=3&limit=50&offset=4&up_to_position=9&grouped=true", "q=a%20b&grouped=true"),
        ("unread_only=true&type=custom", "type=custom&status=unread"),
        ("unread_only=true&status=read", "status=read"),
        ("unread_only=false", ""),
    ],
)
async def test_a_view_takes_any_query_of_the_list_and_keeps_what_it_filters_by(
    for_bob: Program, given: str, kept: str
) -> None:
    await create(for_bob, "One", given)

    [view] = await views_of(for_bob)

    assert view["query"] == kept


async def test_nobody_sees_or_changes_the_views_of_others(
    for_bob: Program, for_carol: Program
) -> None:
    view = await create(for_bob, "Mine")

    answers = [
        await for_carol.put(f"{URL}/{view}", json={"name": "Hers", "query": ""}),
        await for_carol.delete(f"{URL}/{view}"),
    ]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert await views_of(for_carol) == []
    assert [one["name"] for one in await views_of(for_bob)] == ["Mine"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": " ", "query": ""}, "name"),
        ({"name": "x" * 61, "query": ""}, "name"),
        ({"name": "A", "query": "type=nonsense"}, "query"),
        ({"name": "A", "query": "colour=red"}, "query"),
        ({"name": "A", "query": "unread_only=maybe"}, "query"),
        ({"name": "A", "query": "view=done&view=saved"}, "query"),
        ({"name": "A", "query": "status=read&status=unread"}, "query"),
        ({"name": "A", "query": "type=" + "x" * 2000}, "query"),
        ({"name": "A"}, "query"),
    ],
)
async def test_a_wrong_view_names_its_field(
    for_bob: Program, body: dict[str, str], field: str
) -> None:
    answer = await for_bob.post(URL, json=body)

    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_a_view_says_whether_it_is_grouped_as_the_list_reads_it(for_bob: Program) -> None:
    for value in ("true", "0"):
        await create(for_bob, value, f"type=team_updated&grouped={value}")

    refused = await for_bob.post(URL, json={"name": "A", "query": "grouped=maybe"})

    assert refused.status_code == 400
    assert refused.json()["errors"] == [
        {"field": "query", "detail": "grouped must be true or false."}
    ]


async def test_an_order_that_leaves_views_out_is_refused(for_bob: Program) -> None:
    one, _two = await create(for_bob, "One"), await create(for_bob, "Two")

    for ids in ([one], [one, one], [one, one + 999]):
        assert (await for_bob.put(f"{URL}/order", json={"ids": ids})).status_code == 400


async def test_a_person_keeps_a_limited_number_of_views(for_bob: Program) -> None:
    for number in range(MOST_VIEWS):
        await create(for_bob, str(number))

    assert (await for_bob.post(URL, json={"name": "More", "query": ""})).status_code == 409
