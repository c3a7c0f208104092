"""Acts that notify others are limited for each user, all of them together."""

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest
from litestar import Litestar
from sqlalchemy import func, select

from app.database import Database
from app.models import Event, User
from app.settings import Settings
from tests.api.conftest import key_of
from tests.application import browser, serving
from tests.conftest import post, sign_in, text_of
from tests.factories import make_account, make_team
from tests.teams.conftest import share

OF_PAGES = [
    "/teams/{team}/rename",
    "/teams/{team}/delete",
    "/teams/{team}/leave",
    "/teams/{team}/members/{member}/role",
    "/teams/{team}/members/{member}/hand-over",
    "/teams/{team}/members/{member}/remove",
    "/projects/{project}/share",
    "/projects/{project}/unshare",
    "/projects/{project}/delete",
    "/projects/{project}/compile",
    "/projects/{project}/compilations/1/cancel",
    "/notifications/1/retry",
]
OF_PROGRAMS = [
    ("PUT", "/api/teams/{team}", {"name": "Film Squad"}),
    ("DELETE", "/api/teams/{team}", None),
    ("POST", "/api/teams/{team}/leave", None),
    ("PUT", "/api/teams/{team}/members/{member}", {"role": "viewer"}),
    ("DELETE", "/api/teams/{team}/members/{member}", None),
    ("POST", "/api/projects/{project}/share", {"team_id": 1}),
    ("POST", "/api/projects/{project}/unshare", {"team_id": 1}),
    ("DELETE", "/api/projects/{project}", None),
    ("POST", "/api/projects/{project}/compile", None),
    ("POST", "/api/projects/{project}/compilations/1/cancel", None),
]


@pytest.fixture
async def limited(settings: Settings) -> AsyncIterator[Litestar]:
    async with serving(replace(settings, rate_limits=True)) as application:
        yield application


@pytest.fixture
async def client(limited: Litestar, alice: User) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(limited) as page:
        await sign_in(page, alice)
        yield page


@pytest.fixture
async def ids(db: Database, alice: User, bob: User) -> dict[str, int]:
    team = await make_team(db, alice, editors=[bob])
    project = await share(db, alice, "Highlight Reel", team)
    return {"team": team.id, "project": project.id, "member": bob.id}


async def use_up(client: httpx.AsyncClient, ids: dict[str, int]) -> None:
    url = f"/teams/{ids['team']}/rename"
    answers = [await post(client, url, name=f"Squad {n}") for n in range(60)]
    assert {answer.status_code for answer in answers} == {303}


async def count_events(db: Database) -> int | None:
    async with db.read() as session:
        return await session.scalar(select(func.count()).select_from(Event))


async def test_beyond_sixty_a_minute_no_act_notifies_anybody(
    client: httpx.AsyncClient, limited: Litestar, db: Database, alice: User, ids: dict[str, int]
) -> None:
    await use_up(client, ids)
    events = await count_events(db)

    answers = [await post(client, path.format(**ids)) for path in OF_PAGES]
    async with browser(limited) as program:
        program.headers["Authorization"] = f"Bearer {await key_of(db, alice)}"
        for method, path, body in OF_PROGRAMS:
            answers.append(await program.request(method, path.format(**ids), json=body))

    assert {
        str(one.request.url): one.status_code for one in answers if one.status_code != 429
    } == {}
    assert all(0 < int(one.headers["Retry-After"]) <= 60 for one in answers)
    assert await count_events(db) == events


async def test_the_page_says_so_and_keeps_what_was_typed(
    client: httpx.AsyncClient, ids: dict[str, int]
) -> None:
    await use_up(client, ids)

    answer = await post(client, f"/teams/{ids['team']}/rename", name="Film Squad")

    assert answer.status_code == 429
    assert "Too many attempts. Please try again later." in text_of(answer)
    assert 'value="Film Squad"' in answer.text
    assert f'action="/teams/{ids["team"]}/rename"' in answer.text


async def test_another_user_has_a_limit_of_their_own(
    client: httpx.AsyncClient, limited: Litestar, db: Database, ids: dict[str, int]
) -> None:
    await use_up(client, ids)
    carol = await make_account(db, "carol")
    team = await make_team(db, carol)

    async with browser(limited) as page:
        await sign_in(page, carol)
        answer = await post(page, f"/teams/{team.id}/rename", name="Choir")

    assert answer.status_code == 303


async def test_the_installation_can_switch_it_off(
    settings: Settings, db: Database, alice: User
) -> None:
    team = await make_team(db, alice)
    url = f"/teams/{team.id}/rename"
    unlimited = replace(settings, rate_limits=False)
    async with serving(unlimited) as application, browser(application) as page:
        await sign_in(page, alice)
        answers = [await post(page, url, name=f"Squad {n}") for n in range(61)]

    assert {answer.status_code for answer in answers} == {303}
