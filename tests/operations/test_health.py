"""The endpoints for load balancers."""

import json

import httpx
from litestar import Litestar

from app.broker import Broker


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
    await broker.queue.write_worker_info("w", {"stats": None}, ttl=60)  # type: ignore[typeddict-item]

    answer = await client.get("/readyz")

    assert (answer.status_code, answer.json()["status"]) == (200, "ok")


async def test_a_failing_part_is_named(app: Litestar, client: httpx.AsyncClient) -> None:
    await app.state.broker.queue.disconnect()

    answer = await client.get("/readyz")

    assert answer.status_code == 503
    assert json.loads(answer.text)["checks"]["queue"] == "unavailable"
