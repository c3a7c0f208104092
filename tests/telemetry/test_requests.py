"""Each request has an id and a line in the log, and counts in the metrics."""

import json
import logging

import httpx
import pytest

from app.models import User
from app.telemetry import logs
from tests.conftest import sign_in


async def test_each_response_has_its_request_id(client: httpx.AsyncClient) -> None:
    first, second = [(await client.get("/login")).headers["X-Request-ID"] for _ in range(2)]

    assert first != second


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere", 404), ("POST", "/nowhere", 404), ("PUT", "/login", 405)],
)
async def test_a_request_that_is_not_routed_has_an_id_and_is_logged(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture, method: str, path: str, status: int
) -> None:
    caplog.set_level(logging.INFO, "app.requests")

    answer = await client.request(method, path)

    assert answer.status_code == status
    assert answer.headers["X-Request-ID"]
    [line] = [one for one in caplog.records if one.name == "app.requests"]
    assert line.getMessage() == f"{method} unknown"
    assert vars(line)["status"] == status


@pytest.mark.parametrize(
    ("given", "kept"), [("a-proxys-id-42", True), ("short", False), ("x\x01y" * 5, False)]
)
async def test_a_proxys_id_is_kept_if_it_is_valid(
    client: httpx.AsyncClient, given: str, kept: bool
) -> None:
    answer = await client.get("/login", headers={"X-Request-ID": given})

    assert (answer.headers["X-Request-ID"] == given) is kept


async def test_a_request_is_logged_by_its_route_with_its_outcome(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture, alice: User
) -> None:
    await sign_in(client, alice)
    caplog.set_level(logging.INFO, "app.requests")

    await client.get("/teams/41?q=secret")

    line = [one for one in caplog.records if one.name == "app.requests"][-1]
    assert line.getMessage() == "GET /teams/{team_id}"
    assert vars(line)["status"] == 404
    assert vars(line)["user"] == alice.id
    assert "secret" not in logs.Json().format(line)


def test_a_json_line_has_the_requests_id() -> None:
    logs.new_request_id("a-proxys-id-42")
    record = logging.makeLogRecord({"name": "app", "levelname": "INFO", "msg": "hi", "status": 200})

    line = json.loads(logs.Json().format(record))

    assert line["request"] == "a-proxys-id-42"
    assert (line["level"], line["message"], line["status"]) == ("info", "hi", 200)
