"""Preferences in JSON: responses hold all of them, requests any part; every wrong field is named."""

from typing import Any

import httpx
import pytest

from app.database import Database
from app.models import User
from app.notifications.events.catalogue import TYPES
from app.notifications.preferences import switches
from tests.api.conftest import Program
from tests.conftest import sign_in
from tests.factories import make_account

URL = "/api/notification-preferences"


@pytest.fixture
async def bob(db: Database) -> User:
    """With groups, as everyone is who registers."""
    return await make_account(db, "bob", grouping=True)


def wrong_fields(answer: httpx.Response) -> set[str]:
    assert answer.status_code == 400, answer.text
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    return {one["field"] for one in answer.json()["errors"]}


async def test_the_response_holds_every_preference_in_effect(for_bob: Program) -> None:
    held = (await for_bob.get(URL)).json()

    looks = {
        "grouping": True,
        "ungrouped_types": [],
        "density": "comfortable",
        "shortcuts": True,
        "sound": False,
        "urgent_first": False,
    }
    assert list(held) == ["preferences", "digest", "timezone", "added_directly_by", *looks]
    assert {name: held[name] for name in looks} == looks
    assert list(held["preferences"]) == list(TYPES)
    assert held["preferences"]["member_added"] == {"in_app": True, "email": True, "push": False}
    assert held["digest"] == {"enabled": False, "frequency": "daily", "hour": 8}
    assert held["timezone"] == "UTC"
    assert held["added_directly_by"] == "anyone"


async def test_how_the_inbox_looks_and_acts_is_changed_like_the_rest(for_bob: Program) -> None:
    looks = {"grouping": False, "density": "compact", "shortcuts": False}
    wanted = looks | {"sound": True, "urgent_first": True}

    changed = (await for_bob.put(URL, json=wanted)).json()
    wrong = await for_bob.put(URL, json={"density": "cosy", "sound": "loud", "urgent_first": "yes"})

    assert {name: changed[name] for name in wanted} == wanted
    assert wrong.status_code == 400
    assert sorted(error["field"] for error in wrong.json()["errors"]) == [
        "density",
        "sound",
        "urgent_first",
    ]


async def test_types_that_form_no_groups_are_in_the_order_of_the_catalogue(
    for_bob: Program,
) -> None:
    names = ["compilation_complete", "member_added", "member_added"]

    chosen = (await for_bob.put(URL, json={"ungrouped_types": names})).json()
    wrong = [{"ungrouped_types": value} for value in (["<b>"], [1], "custom", None)]
    refused = [await for_bob.put(URL, json=one) for one in wrong]

    assert chosen["ungrouped_types"] == ["member_added", "compilation_completed"]
    assert [wrong_fields(one) for one in refused] == [{"ungrouped_types"}] * 4
    assert (await for_bob.get(URL)).json() == chosen


@pytest.mark.parametrize(
    "part",
    [
        {},
        {"preferences": {}},
        {"preferences": {"member_added": {"email": False}}},
        {"preferences": {"member_added": {"in_app": False, "push": True}, "member_left": {}}},
        {"digest": {"enabled": True}},
        {"digest": {"frequency": "weekly", "hour": 0}},
        {"timezone": "Asia/Kathmandu"},
        {
            "preferences": {"compilation_failed": {"in_app": False, "email": False, "push": False}},
            "digest": {"enabled": True, "frequency": "daily", "hour": 23},
            "timezone": "Europe/Berlin",
        },
    ],
)
async def test_any_part_can_be_changed_and_the_response_holds_everything(
    for_bob: Program, part: dict[str, Any]
) -> None:
    before = (await for_bob.get(URL)).json()

    answer = await for_bob.put(URL, json=part)

    assert answer.status_code == 200
    assert answer.json() == merged(before, part)
    assert (await for_bob.get(URL)).json() == answer.json()


def merged(whole: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    return whole | {
        name: merged(whole[name], value) if isinstance(value, dict) else value
        for name, value in part.items()
    }


async def test_a_response_can_be_sent_back(for_bob: Program) -> None:
    whole = (await for_bob.get(URL)).json()

    assert (await for_bob.put(URL, json=whole)).json() == whole


async def test_the_synonym_of_a_type_is_accepted(for_bob: Program) -> None:
    part = {"preferences": {"compilation_complete": {"push": False}}}

    held = (await for_bob.put(URL, json=part)).json()

    assert held["preferences"]["compilation_completed"]["push"] is False
    assert "compilation_complete" not in held["preferences"]


async def test_every_wrong_field_is_named_at_once_and_nothing_is_changed(
    for_bob: Program,
) -> None:
    before = (await for_bob.get(URL)).json()

    answer = await for_bob.put(
        URL,
        json={
            "preferences": {
                "member_added": {"sms": True, "email": False, "push": "yes"},
                "nonsense": {"email": True},
            },
            "digest": {"enabled": None, "frequency": "hourly", "hour": 24},
            "timezone": "Mars/Base",
            "pushes_always": True,
        },
    )

    assert wrong_fields(answer) == {
        "preferences.member_added.sms",
        "preferences.member_added.push",
        "preferences.nonsense",
        "digest.enabled",
        "digest.frequency",
        "digest.hour",
        "timezone",
        "pushes_always",
    }
    assert (await for_bob.get(URL)).json() == before


@pytest.mark.parametrize(
    ("part", "field"),
    [
        ({"timezone": "Mars/Base"}, "timezone"),
        ({"timezone": ""}, "timezone"),
        ({"timezone": None}, "timezone"),
        ({"digest": {"hour": 8.5}}, "digest.hour"),
        ({"digest": {"hour": True}}, "digest.hour"),
        ({"digest": []}, "digest"),
        ({"preferences": None}, "preferences"),
        ({"preferences": {"member_added": True}}, "preferences.member_added"),
        ({"preferences": {"<b>": {}}}, "preferences.<b>"),
        ([], "body"),
    ],
)
async def test_one_wrong_field_is_named_by_its_path(
    for_bob: Program, part: Any, field: str
) -> None:
    assert wrong_fields(await for_bob.put(URL, json=part)) == {field}


async def test_they_belong_to_one_user(for_bob: Program, db: Database, alice: User) -> None:
    await for_bob.put(URL, json={"preferences": {"member_added": {"email": False}}})

    async with db.read() as session:
        assert await switches.exceptions_of(session, alice) == {}


async def test_a_session_needs_its_csrf_token_and_signed_out_callers_are_refused(
    client: httpx.AsyncClient, nobody: Program, bob: User
) -> None:
    await sign_in(client, bob)
    token = {"X-CSRF-Token": client.cookies["csrftoken"]}

    assert (await nobody.get(URL)).status_code == 401
    assert (await nobody.put(URL, json={})).status_code == 401
    assert (await client.put(URL, json={})).status_code == 403
    assert (await client.put(URL, json={}, headers=token)).status_code == 200


@pytest.mark.parametrize("type", ["account_password_changed", "account_address_change_requested"])
@pytest.mark.parametrize("channel", ["in_app", "email"])
async def test_notifications_about_account_security_cannot_be_turned_off(
    for_bob: Program, db: Database, bob: User, type: str, channel: str
) -> None:
    refused = await for_bob.put(URL, json={"preferences": {type: {channel: False, "push": True}}})
    accepted = await for_bob.put(URL, json={"preferences": {type: {channel: True, "push": False}}})

    assert wrong_fields(refused) == {f"preferences.{type}.{channel}"}
    held = accepted.json()["preferences"][type]
    assert held == {"in_app": True, "email": True, "push": False}


@pytest.mark.parametrize("type", ["account_token_created", "account_signed_in_elsewhere"])
async def test_tokens_and_sign_ins_are_mailed_and_can_be_turned_off(
    for_bob: Program, type: str
) -> None:
    before = (await for_bob.get(URL)).json()["preferences"][type]
    changed = {"in_app": True, "email": False, "push": True}

    answer = await for_bob.put(URL, json={"preferences": {type: changed}})

    assert before == {"in_app": False, "email": True, "push": False}
    assert answer.json()["preferences"][type] == changed


async def test_who_may_add_a_user_directly_is_a_preference(
    for_alice: Program, for_bob: Program, bob: User
) -> None:
    team = (await for_alice.post("/api/teams", json={"name": "Choir"})).json()["id"]
    changed = await for_bob.put(URL, json={"added_directly_by": "nobody"})
    wrong = await for_bob.put(URL, json={"added_directly_by": "friends"})

    for login in (bob.username, bob.email.upper()):
        member = {"username": login, "role": "viewer"}
        refused = await for_alice.post(f"/api/teams/{team}/members", json=member)
        assert refused.status_code == 409
        assert "Send an invitation instead." in refused.json()["detail"]
        assert "\u2068" not in refused.text
        assert [one["field"] for one in refused.json()["errors"]] == ["username"]
    assert changed.json()["added_directly_by"] == "nobody"
    assert wrong_fields(wrong) == {"added_directly_by"}
    invitation = {"email": bob.email, "role": "viewer"}
    invited = await for_alice.post(f"/api/teams/{team}/invitations", json=invitation)
    assert invited.status_code == 201
