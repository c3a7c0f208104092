"""States, views and their counts in JSON (CONTRACT §6)."""

from typing import Any

import pytest

from app.database import Database
from app.models import Team, User
from app.notifications.api.inbox import InboxQuery
from app.notifications.api.selection import FilterObject
from app.notifications.events.catalogue import MEMBER_ADDED
from app.notifications.notify import notify
from tests.api.conftest import Program
from tests.factories import make_team

URL = "/api/notifications"


@pytest.fixture
async def squad(db: Database, alice: User, bob: User) -> Team:
    return await make_team(db, alice, "My Team", editors=[bob])


@pytest.fixture
async def told(
    for_bob: Program, db: Database, squad: Team, alice: User, bob: User
) -> list[dict[str, Any]]:
    """Three notices, newest first."""
    for _number in range(3):
        async with db.act() as session:
            await notify(
                session, MEMBER_ADDED, actor=alice, affected=bob, team=squad, role="editor"
            )
    return await listed(for_bob)


async def listed(program: Program, **query: Any) -> list[dict[str, Any]]:
    answer = await program.get(URL, params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["notifications"]
    return found


async def ids_of(program: Program, **query: Any) -> list[int]:
    return [notice["id"] for notice in await listed(program, **query)]


async def test_each_state_is_set_ended_and_undone(
    for_bob: Program, told: list[dict[str, Any]]
) -> None:
    one = told[0]["id"]
    for state, opposite, view in (("done", "undone", "done"), ("save", "unsave", "saved")):
        answer = await for_bob.post(f"{URL}/{one}/{state}")
        assert (answer.status_code, answer.json()["count"]) == (200, 1)
        assert await ids_of(for_bob, view=view) == [one]

        undone = await for_bob.post(f"{URL}/undo", json={"undo": answer.json()["undo"]})
        assert (undone.status_code, await ids_of(for_bob, view=view)) == (200, [])

        await for_bob.post(f"{URL}/{one}/{state}")
        assert (await for_bob.post(f"{URL}/{one}/{opposite}")).json()["count"] == 1
        assert await ids_of(for_bob, view=view) == []


async def test_a_snoozed_notice_says_until_when_and_comes_back_on_top(
    for_bob: Program, told: list[dict[str, Any]]
) -> None:
    oldest = told[-1]["id"]

    until = "2031-01-01T08:00:00Z"
    answer = await for_bob.post(f"{URL}/{oldest}/snooze", json={"until": until})
    assert answer.status_code == 200, answer.text
    [snoozed] = await listed(for_bob, view="snoozed")
    assert (snoozed["id"], snoozed["snoozed_until"]) == (oldest, until)
    assert len(await ids_of(for_bob)) == 2

    await for_bob.post(f"{URL}/{oldest}/unsnooze")
    back, *others = await listed(for_bob)
    assert (back["id"], back["is_read"], back["snoozed_until"]) == (oldest, False, None)
    assert back["position"] > max(one["position"] for one in others)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "until"),
        ({"for": "hour", "until": "2031-01-01T08:00:00Z"}, "until"),
        ({"for": "ever"}, "for"),
        ({"until": "2020-01-01T00:00:00Z"}, "until"),
        ({"until": "tomorrow"}, "until"),
        ({"until": "9999-12-31T23:59:59-12:00"}, "until"),
        ({"until": "0001-01-01T00:00:00+12:00"}, "until"),
        ({"until": "2031-01-01T08:00:00"}, "until"),
    ],
)
async def test_a_wrong_end_is_named(
    for_bob: Program, told: list[dict[str, Any]], body: dict[str, str], field: str
) -> None:
    answer = await for_bob.post(f"{URL}/{told[0]['id']}/snooze", json=body)

    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_one_bulk_call_takes_every_action(
    for_bob: Program, told: list[dict[str, Any]]
) -> None:
    ids = [one["id"] for one in told]
    for action, more, view in (
        ("read", {}, "inbox"),
        ("unread", {}, "inbox"),
        ("save", {}, "saved"),
        ("unsave", {}, "inbox"),
        ("done", {}, "done"),
        ("undone", {}, "inbox"),
        ("snooze", {"for": "hour"}, "snoozed"),
        ("unsnooze", {}, "inbox"),
    ):
        body = {"action": action, "notification_ids": ids, **more}
        answer = await for_bob.post(f"{URL}/bulk", json=body)

        assert (answer.status_code, answer.json()["count"]) == (200, 3), (action, answer.text)
        assert sorted(await ids_of(for_bob, view=view)) == sorted(ids), action


@pytest.mark.parametrize("by_filter", [True, False], ids=["filter", "group"])
@pytest.mark.parametrize(("act", "opposite"), [("done", "undone"), ("snooze", "unsnooze")])
async def test_the_opposite_of_a_bulk_act_finds_its_notifications_without_a_view(
    for_bob: Program, told: list[dict[str, Any]], act: str, opposite: str, by_filter: bool
) -> None:
    wanted = (
        {"filter": {"type": "member_added"}} if by_filter else {"group_key": told[0]["group_key"]}
    )
    selection = wanted | {"up_to_position": told[0]["position"]}
    end = {"for": "hour"} if act == "snooze" else {}

    taken = await for_bob.post(f"{URL}/bulk", json={"action": act} | end | selection)
    assert await ids_of(for_bob) == []
    back = await for_bob.post(f"{URL}/bulk", json={"action": opposite} | selection)

    assert (taken.json()["count"], back.json()["count"]) == (3, 3)
    assert sorted(await ids_of(for_bob)) == sorted(one["id"] for one in told)


@pytest.mark.parametrize("view", [{"view": "inbox"}, {"q": "is:saved"}])
async def test_a_view_that_is_named_stays(
    for_bob: Program, told: list[dict[str, Any]], view: dict[str, str]
) -> None:
    await for_bob.post(f"{URL}/bulk", json={"action": "done", "notification_ids": [told[0]["id"]]})

    selection = {"filter": view, "up_to_position": told[0]["position"] + 1}
    back = await for_bob.post(f"{URL}/bulk", json={"action": "undone"} | selection)

    assert back.json()["count"] == 0


async def test_the_position_of_an_empty_list_is_one_to_act_up_to(for_bob: Program) -> None:
    position = (await for_bob.get(URL)).json()["position"]
    body = {"action": "done", "filter": {}, "up_to_position": position}

    answer = await for_bob.post(f"{URL}/bulk", json=body)

    assert (position, answer.status_code, answer.json().get("count")) == (0, 200, 0)


async def test_a_bulk_call_by_filter_spares_what_came_back_after_the_position(
    for_bob: Program, told: list[dict[str, Any]]
) -> None:
    newest, _middle, oldest = told
    await for_bob.post(f"{URL}/{oldest['id']}/snooze", json={"for": "hour"})
    await for_bob.post(f"{URL}/{oldest['id']}/unsnooze")

    for seen in ({"up_to": newest["id"]}, {"up_to_position": newest["position"]}):
        body = {"action": "done", "filter": {"type": "member_added"}, **seen}
        await for_bob.post(f"{URL}/bulk", json=body)

        assert await ids_of(for_bob) == [oldest["id"]]


async def test_of_both_watermarks_the_position_counts(
    for_bob: Program, told: list[dict[str, Any]]
) -> None:
    newest, middle, oldest = told
    seen = {"up_to": newest["id"], "up_to_position": oldest["position"]}

    done = await for_bob.post(f"{URL}/bulk", json={"action": "done", "filter": {}} | seen)
    read = await for_bob.post(f"{URL}/read-all", json=seen | {"up_to_position": middle["position"]})

    assert (done.status_code, read.status_code) == (200, 200)
    assert await ids_of(for_bob) == [newest["id"], middle["id"]]
    assert await ids_of(for_bob, status="unread") == [newest["id"]]


def test_a_filter_takes_every_parameter_of_the_list() -> None:
    assert set(FilterObject.__struct_fields__) == set(InboxQuery.__struct_fields__)


async def test_a_filter_reads_unread_only_as_the_list_does(
    for_bob: Program, told: list[dict[str, Any]]
) -> None:
    await for_bob.post(f"{URL}/{told[0]['id']}/read")
    body = {"action": "save", "up_to_position": told[0]["position"]}

    for wanted in ({}, {"status": "all"}):
        given = {"unread_only": True, **wanted}
        listed = await ids_of(for_bob, **given)
        acted = await for_bob.post(f"{URL}/bulk", json=body | {"filter": given})
        await for_bob.post(f"{URL}/undo", json={"undo": acted.json()["undo"]})

        assert acted.json()["count"] == len(listed)


async def test_a_filter_selects_the_same_on_every_page_of_the_list(
    for_bob: Program, told: list[dict[str, Any]]
) -> None:
    shown = {"grouped": True, "page": 2, "limit": 1, "offset": 1}
    body = {"action": "done", "filter": shown, "up_to_position": told[0]["position"]}

    assert (await for_bob.post(f"{URL}/bulk", json=body)).json()["count"] == 3


@pytest.mark.parametrize("beside", [{}, {"up_to_position": 0}])
async def test_the_position_in_a_filter_counts_if_there_is_none_beside_it(
    for_bob: Program, told: list[dict[str, Any]], beside: dict[str, int]
) -> None:
    wanted = {"filter": {"up_to_position": told[1]["position"]}}

    answer = await for_bob.post(f"{URL}/bulk", json={"action": "done"} | wanted | beside)

    assert answer.status_code == 200, answer.text
    assert answer.json()["count"] == (0 if beside else 2)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"action": "burn", "notification_ids": [1]}, "action"),
        ({"action": "done"}, "notification_ids"),
        ({"action": "done", "filter": {}}, "up_to"),
        ({"action": "done", "filter": {"page": 0}, "up_to": 1}, "filter.page"),
        ({"action": "done", "filter": {"unread_only": "no"}, "up_to": 1}, "filter.unread_only"),
        ({"action": "done", "notification_ids": [1], "for": "hour"}, "for"),
        ({"action": "snooze", "notification_ids": [1]}, "until"),
        ({"action": "done", "filter": {"view": "attic"}, "up_to": 1}, "filter.view"),
    ],
)
async def test_a_wrong_bulk_call_names_its_field(
    for_bob: Program, body: dict[str, Any], field: str
) -> None:
    answer = await for_bob.post(f"{URL}/bulk", json=body)

    assert answer.status_code == 400, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_the_summary_counts_each_view(for_bob: Program, told: list[dict[str, Any]]) -> None:
    newest, middle, oldest = [one["id"] for one in told]
    await for_bob.post(f"{URL}/{newest}/done")
    await for_bob.post(f"{URL}/{middle}/save")
    await for_bob.post(f"{URL}/{oldest}/snooze", json={"for": "week"})

    summary = (await for_bob.get(f"{URL}/summary")).json()

    assert summary == {
        "views": {
            "inbox": {"total": 1, "unread": 1},
            "saved": {"total": 1, "unread": 1},
            "done": {"total": 1, "unread": 0},
            "snoozed": {"total": 1, "unread": 1},
        }
    }
    answer = (await for_bob.get(URL, params={"view": "done"})).json()
    assert (answer["total"], answer["filtered_count"], answer["unread_count"]) == (1, 1, 1)


async def test_the_list_is_filtered_by_person_team_project_and_priority(
    for_bob: Program, told: list[dict[str, Any]], alice: User, bob: User, squad: Team
) -> None:
    ids = [one["id"] for one in told]

    assert await ids_of(for_bob, actor=alice.id) == ids
    assert await ids_of(for_bob, actor=bob.id) == []
    assert await ids_of(for_bob, actor=[bob.id, alice.id], team=squad.id) == ids
    assert await ids_of(for_bob, team=squad.id + 1) == []
    assert await ids_of(for_bob, project=1) == []
    assert await ids_of(for_bob, priority=told[0]["priority"]) == ids
    assert await ids_of(for_bob, priority="low") == []


@pytest.mark.parametrize(
    "query", [{"team": "x"}, {"actor": 0}, {"priority": "urgent"}, {"view": "attic"}]
)
async def test_a_wrong_filter_is_named(for_bob: Program, query: dict[str, Any]) -> None:
    answer = await for_bob.get(URL, params=query)

    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == list(query)
