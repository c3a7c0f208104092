"""Which cookies are sent, and that under HTTPS none is sent or believed without protection."""

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from app.models import User
from app.settings import Settings
from tests.application import browser, serving
from tests.conftest import post, sign_in


@pytest.fixture
def public(settings: Settings) -> Settings:
    return replace(settings, base_url="https://testserver")


@pytest.fixture
async def over_https(public: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(public) as app, browser(app, "https://testserver") as client:
        yield client


def cookies_of(*answers: httpx.Response) -> dict[str, str]:
    lines = [line for one in answers for line in one.headers.get_list("Set-Cookie")]
    return {line.partition("=")[0]: line for line in lines}


async def every_cookie(client: httpx.AsyncClient) -> dict[str, str]:
    """Those of the login page, of a login, of a flash message and of a logout."""
    shown = await client.get("/login")
    entered = await post(client, "/login", login="alice", password="correct horse")
    flashed = await post(client, "/teams", name="Video Squad")
    page = await client.get(flashed.headers["Location"])
    left = await post(client, "/logout")
    return cookies_of(shown, entered, flashed, page, left)


async def test_under_https_every_cookie_is_secure(
    over_https: httpx.AsyncClient, alice: User
) -> None:
    cookies = await every_cookie(over_https)

    assert cookies.keys() >= {"csrftoken", "__Host-session", "flash"}
    assert [name for name, line in cookies.items() if "; Secure" not in line] == []


async def test_over_plain_http_none_is(client: httpx.AsyncClient, alice: User) -> None:
    cookies = await every_cookie(client)

    assert cookies.keys() >= {"csrftoken", "session", "flash"}
    assert [name for name, line in cookies.items() if "Secure" in line] == []


async def test_under_https_a_session_without_the_prefix_is_nobodys(
    over_https: httpx.AsyncClient, public: Settings, alice: User
) -> None:
    await sign_in(over_https, alice)
    token = over_https.cookies["__Host-session"]
    async with serving(public) as app, browser(app, "https://testserver") as other:
        plain = await other.get("/account", headers={"Cookie": f"session={token}"})
        both = await other.get(
            "/account", headers={"Cookie": f"session=planted; __Host-session={token}"}
        )

    assert (plain.status_code, both.status_code) == (303, 200)


async def test_over_plain_http_a_session_with_the_prefix_is_nobodys(
    client: httpx.AsyncClient, alice: User
) -> None:
    await sign_in(client, alice)
    token = client.cookies["session"]
    client.cookies.clear()

    answer = await client.get("/account", headers={"Cookie": f"__Host-session={token}"})

    assert answer.status_code == 303


@pytest.mark.parametrize("path", ["/healthz", "/sw.js", "/api/openapi.json"])
async def test_a_stranger_gets_no_cookie_without_a_form(
    client: httpx.AsyncClient, path: str
) -> None:
    answer = await client.get(path, headers={"Accept": "application/json"})

    assert "Set-Cookie" not in answer.headers


async def test_the_bells_of_two_people_have_different_tags(
    client: httpx.AsyncClient, alice: User, bob: User
) -> None:
    tags = []
    for user in (alice, bob):
        await sign_in(client, user)
        answer = await client.get("/notifications/bell")
        tags.append(answer.headers["ETag"])
        assert answer.headers["Cache-Control"] == "private, no-cache"
        await post(client, "/logout")

    assert tags[0] != tags[1]
