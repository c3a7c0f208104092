"""A row shows the picture of its actor, or that of the video it is about with its length."""

import re

import httpx
from sqlalchemy import update

from app.database import Database
from app.models import Project, Team, User
from app.notifications.events.catalogue import CUSTOM, PROJECT_SHARED
from app.notifications.notify import notify
from app.settings import Settings
from tests.conftest import sign_in
from tests.factories import make_account, make_team
from tests.projects.conftest import finish


async def row_of(client: httpx.AsyncClient) -> str:
    """The only one in the inbox."""
    page = (await client.get("/notifications")).text
    [row] = re.findall(r'<li id="notice-\d+".*?</li>', page, re.DOTALL)
    return str(row)


async def test_a_finished_video_is_shown_by_its_picture_and_its_length(
    client: httpx.AsyncClient, db: Database, settings: Settings, alice: User
) -> None:
    async with db.write() as session:
        session.add(reel := Project(name="Highlight Reel", owner_id=alice.id))
    video = await finish(db, settings, reel)
    await sign_in(client, alice)

    row = await row_of(client)
    picture = await client.get(f"/projects/{reel.id}/compilations/{video.id}/thumbnail")

    assert f'src="{picture.url.path}"' in row
    assert "<span>1:05</span>" in row
    assert picture.headers["Content-Type"] == "image/jpeg"


async def test_an_actor_is_shown_by_the_picture_that_they_have_now(
    client: httpx.AsyncClient, db: Database, alice: User, bob: User
) -> None:
    team: Team = await make_team(db, alice, editors=[bob])
    async with db.act() as session:
        await notify(session, PROJECT_SHARED, actor=alice, team=team, project_name="Reel")
    await sign_in(client, bob)
    before = await row_of(client)
    async with db.write() as session:
        await session.execute(update(User).where(User.id == alice.id).values(avatar="5eed"))

    assert ">AL</span>" in before
    assert f'src="/avatars/{alice.id}/5eed"' in await row_of(client)


async def test_the_row_of_a_group_shows_the_faces_of_at_most_three_the_newest_first(
    client: httpx.AsyncClient, db: Database, alice: User, bob: User, carol: User
) -> None:
    others = [await make_account(db, name) for name in ("dave", "erin")]
    reader = await make_account(db, "frank", grouping=True)
    team = await make_team(db, alice, editors=[bob, carol, *others, reader])
    async with db.act() as session:
        for actor in (alice, bob, alice, carol, *others):
            await notify(session, CUSTOM, actor=actor, team=team, title="Ready", group_key="a")
    await sign_in(client, reader)

    row = await row_of(client)

    assert re.findall(r'class="avatar [^>]+>(\w+)<', row) == ["ER", "DA", "CA"]
