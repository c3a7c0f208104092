"""What an open live page gets when it asks for itself again."""

import re

import httpx
import pytest

from app.database import Database
from app.models import Project, Team, User
from app.projects.projects import create_project, rename_project
from app.projects.sharing import share_project, unshare_project
from tests.conftest import post, sign_in, text_of
from tests.factories import make_team

# As htmx asks for the region.
ASKING = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "div#live"}


@pytest.fixture
async def squad(db: Database, alice: User, bob: User) -> Team:
    return await make_team(db, alice, "Video Squad", viewers=[bob])


@pytest.fixture
async def reel(db: Database, alice: User, squad: Team) -> Project:
    async with db.act() as session:
        project = await create_project(session, alice, "Highlight Reel")
        await share_project(session, alice, project.id, squad.id)
    return project


@pytest.fixture
async def as_bob(client: httpx.AsyncClient, bob: User) -> httpx.AsyncClient:
    await sign_in(client, bob)
    return client


async def refresh(client: httpx.AsyncClient, url: str, etag: str) -> httpx.Response:
    return await client.get(url, headers=ASKING | {"If-None-Match": etag})


def etag_of(page: httpx.Response) -> str:
    """The one that stands in the region."""
    found = re.search(r'id="live" data-etag="([^ ]*?)" ', page.text)
    assert found, page.text
    return found[1].replace("&#34;", '"')


@pytest.mark.parametrize("path", ["/teams", "/projects", "/teams/{team}", "/projects/{project}"])
async def test_a_page_that_is_up_to_date_gets_nothing(
    as_bob: httpx.AsyncClient, squad: Team, reel: Project, path: str
) -> None:
    url = path.format(team=squad.id, project=reel.id)

    answer = await refresh(as_bob, url, etag_of(await as_bob.get(url)))

    assert (answer.status_code, answer.content) == (304, b"")


async def test_a_page_that_is_outdated_gets_its_region_and_title_alone(
    as_bob: httpx.AsyncClient, db: Database, alice: User, reel: Project
) -> None:
    url = f"/projects/{reel.id}"
    etag = etag_of(await as_bob.get(url))
    async with db.act() as session:
        await rename_project(session, alice, reel.id, "Best Clips")

    answer = await refresh(as_bob, url, etag)

    assert answer.headers["ETag"].removeprefix("W/") == etag_of(answer) != etag
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert "HX-Request-Type" in answer.headers["Vary"]
    assert "<title>Best Clips · ClippyFront</title>" in answer.text
    assert "<h1><bdi>Best Clips</bdi></h1>" in answer.text
    assert "<html" not in answer.text


async def test_a_page_names_the_events_of_all_that_it_shows(
    as_bob: httpx.AsyncClient, bob: User, squad: Team, reel: Project
) -> None:
    team, project = f"team-{squad.id}-changed", f"project-{reel.id}-changed"

    for url in ("/projects", f"/projects/{reel.id}", f"/teams/{squad.id}"):
        page = (await as_bob.get(url)).text
        for event in (team, project, f"user-{bob.id}-changed", "stream-opened"):
            assert f"{event} from:body" in page, (url, event)


async def test_a_page_that_was_lost_says_so_and_asks_again_when_that_may_have_changed(
    as_bob: httpx.AsyncClient, db: Database, alice: User, bob: User, squad: Team, reel: Project
) -> None:
    url = f"/projects/{reel.id}"
    etag = etag_of(await as_bob.get(url))
    async with db.act() as session:
        await unshare_project(session, alice, reel.id, squad.id)

    answer = await refresh(as_bob, url, etag)

    assert answer.status_code == 404
    assert "There is nothing here, or you do not have access to it." in text_of(answer)
    assert f'hx-get="{url}"' in answer.text
    assert f"user-{bob.id}-changed from:body" in answer.text
    assert "Highlight" not in answer.text


async def test_a_list_of_members_is_fetched_again_as_it_was_searched(
    as_bob: httpx.AsyncClient, squad: Team
) -> None:
    page = await as_bob.get(f"/teams/{squad.id}?q=b%26c&page=3")

    assert f'hx-get="/teams/{squad.id}?q=b%26c"' in page.text


async def test_after_a_wrong_form_the_page_is_fetched_again_from_its_own_address(
    as_bob: httpx.AsyncClient, db: Database, bob: User
) -> None:
    async with db.act() as session:
        own = await create_project(session, bob, "Own Reel")

    answer = await post(as_bob, f"/projects/{own.id}/rename", name=" ")

    assert answer.status_code == 422
    assert f'hx-get="/projects/{own.id}"' in answer.text
    assert 'aria-invalid="true"' in answer.text
