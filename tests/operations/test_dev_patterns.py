import dataclasses
from collections.abc import AsyncIterator

import httpx
import pytest

from app.models import User
from app.settings import Settings
from tests.application import browser, serving
from tests.conftest import sign_in, text_of


@pytest.fixture
async def local(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A browser on the server's own machine."""
    home = "http://127.0.0.1:8000"
    at_home = dataclasses.replace(settings, base_url=home, port=8000, allowed_hosts=("127.0.0.1",))
    async with serving(at_home) as app, browser(app, home) as client:
        yield client


async def test_patterns_show_every_component_on_a_local_installation(
    local: httpx.AsyncClient, alice: User
) -> None:
    signed_out = await local.get("/dev/patterns")
    await sign_in(local, alice)
    signed_in = await local.get("/dev/patterns")

    for answer in (signed_out, signed_in):
        assert answer.status_code == 200
        assert "Alice invited you to join team" in text_of(answer)
        assert "Deleted." in answer.text


async def test_patterns_do_not_exist_behind_a_proxy(
    local: httpx.AsyncClient,
) -> None:
    answer = await local.get("/dev/patterns", headers={"X-Forwarded-For": "203.0.113.7"})

    assert answer.status_code == 404


async def test_patterns_do_not_exist_on_a_public_address(client: httpx.AsyncClient) -> None:
    assert (await client.get("/dev/patterns")).status_code == 404
