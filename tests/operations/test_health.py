"""The endpoints for load balancers."""

import asyncio
import json

import httpx
import pytest
from litestar import Litestar
from saq.types import WorkerInfo

from app.broker import Broker
from app.operations import health


async def test_a_running_process_is_healthy(client: httpx.AsyncClient) -> None:
    assert (await client.get("/healthz")).json() == {"status": "ok"}


async def test_without_a_worker_it_is_not_ready(client: httpx.AsyncClient) -> None:
    answer = await client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["checks"] == {
        "database": "ok",
        "queue": "ok",
        "relay": "ok",
        "worker": "unavailable",
    }


async def test_with_a_worker_it_is_ready(app: Litestar, client: httpx.AsyncClient) -> None:
    broker: Broker = app.state.broker
    info: WorkerInfo = {"stats": None, "queue_key": "default", "metadata": None}
    await broker.queue.write_worker_info("w", info, ttl=60)

    answer = await client.get("/readyz")

    assert (answer.status_code, answer.json()["status"]) == (200, "ok")


async def test_a_failing_part_is_named(
    app: Litestar, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def is_away(_kind: str) -> int:
        raise ConnectionError

    monkeypatch.setattr(app.state.broker.queue, "count", is_away)

    answer = await client.get("/readyz")

    assert answer.status_code == 503
    assert json.loads(answer.text)["checks"]["queue"] == "unavailable"


async def test_a_part_that_does_not_answer_is_waited_for_no_longer_than_a_load_balancer_does(
    app: Litestar, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hangs(_kind: str) -> int:
        return await asyncio.Event().wait()

    monkeypatch.setattr(health, "CHECK_SECONDS", 0.05)
    monkeypatch.setattr(app.state.broker.queue, "count", hangs)

    checks = (await client.get("/readyz")).json()["checks"]

    assert checks["queue"] == "unavailable"
