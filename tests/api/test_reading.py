"""How request bodies and parameters are read: strictly, and naming every invalid field."""

import httpx
import pytest

from tests.api.conftest import Program


def errors_of(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 400
    return {error["field"]: error["detail"] for error in answer.json()["errors"]}


async def test_an_empty_body_is_an_object_without_fields(for_alice: Program) -> None:
    required = await for_alice.post("/api/tokens", content=b"")
    optional = await for_alice.post("/api/notifications/read-all", content=b"")

    assert errors_of(required) == dict.fromkeys(
        ["login", "password", "name"], "This field is required."
    )
    assert optional.json() == {"message": "All notifications marked as read", "undo": None}


async def test_the_content_type_does_not_matter(for_alice: Program) -> None:
    headers = {"Content-Type": "text/plain"}

    created = await for_alice.post("/api/teams", content=b'{"name": "Squad"}', headers=headers)

    assert created.json()["name"] == "Squad"


async def test_a_number_in_quotes_is_no_number_in_a_body(for_alice: Program) -> None:
    answer = await for_alice.post("/api/notifications/read-all", json={"up_to": "5"})

    assert errors_of(answer) == {"up_to": f"A whole number from 1 to {2**63 - 1}."}


async def test_unknown_fields_are_named_beside_wrong_ones(for_alice: Program) -> None:
    body = {"notification_ids": [1, -1], "filter": {"status": "old", "colour": "red"}, "all": True}

    answer = await for_alice.post("/api/notifications/bulk-delete", json=body)

    assert errors_of(answer) == {
        "all": "Unknown field.",
        "filter.colour": "Unknown field.",
        "filter.status": "One of: all, read, unread.",
        "notification_ids": f"A list of at most 1000 items. Each item: A whole number from 1 to {2**63 - 1}.",
    }


async def test_every_invalid_parameter_says_what_it_takes(for_alice: Program) -> None:
    query = {"limit": "0", "page": "x", "status": "null", "unread_only": "maybe"}

    answer = await for_alice.get("/api/notifications", params=query)

    assert errors_of(answer) == {
        "limit": "A whole number from 1 to 100.",
        "page": "A whole number from 1 to ….",
        "status": "One of: all, read, unread.",
        "unread_only": "true or false.",
    }


async def test_a_parameter_that_may_be_repeated_says_what_each_value_is(
    for_alice: Program,
) -> None:
    query = {"team": "squad", "priority": "", "actor": ["1", "0"]}

    answer = await for_alice.get("/api/notifications", params=query)

    whole_number = f"A whole number from 1 to {2**63 - 1}."
    assert errors_of(answer) == {
        "team": whole_number,
        "priority": "One of: high, low, normal.",
        "actor": whole_number,
    }


@pytest.mark.parametrize("until", ["2026-11-30T10:00:00", "tomorrow", ""])
async def test_a_time_without_a_zone_gets_a_specific_error(for_alice: Program, until: str) -> None:
    answer = await for_alice.post("/api/notifications/1/snooze", json={"until": until})

    assert errors_of(answer) == {"until": "A time with its zone, like 2026-11-01T18:00:00Z."}


async def test_nul_is_refused_in_bodies_and_parameters(for_alice: Program) -> None:
    body = await for_alice.post("/api/teams", json={"name": "Squ\x00ad"})
    team = await for_alice.post("/api/teams", json={"name": "Squad"})
    parameter = await for_alice.get(team.headers["Location"], params={"q": "a\x00"})

    assert errors_of(body) == {
        "name": "Text of 1 to 80 characters. A single line, without characters that change the "
        "direction of the text."
    }
    assert errors_of(parameter) == {"q": "Text."}
