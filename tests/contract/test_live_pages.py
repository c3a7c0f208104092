"""Every form that changes a team or project tells the open pages that show it."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from litestar import Litestar

from app.database import Database
from tests.contract.doors import doors
from tests.contract.test_forms import send
from tests.contract.world import World

pytestmark = pytest.mark.asyncio(loop_scope="session")
AREAS = ("/teams", "/projects", "/invitations/")
IN_NOTICES = {
    f"/notifications/{{notification_id:int}}/{do}" for do in ("accept", "decline", "retry")
}
ALICE, BOB, TEAM, PROJECT = (
    "user {alice}",
    "user {user_id}",
    "team {team_id}",
    "project {project_id}",
)
A_TEAM, A_PROJECT = "/teams/{team_id:int}", "/projects/{project_id:int}"

TOUCHED = {
    "/teams": {ALICE},
    f"{A_TEAM}/rename": {TEAM},
    f"{A_TEAM}/mute": {ALICE},
    f"{A_TEAM}/unmute": {ALICE},
    f"{A_TEAM}/leave": {TEAM, ALICE},
    f"{A_TEAM}/delete": {TEAM, ALICE, BOB, PROJECT},
    f"{A_TEAM}/members/add": {TEAM},
    f"{A_TEAM}/members/{{user_id:int}}/role": {TEAM},
    f"{A_TEAM}/members/{{user_id:int}}/hand-over": {TEAM},
    f"{A_TEAM}/members/{{user_id:int}}/remove": {TEAM, BOB},
    f"{A_TEAM}/invitations": {TEAM},
    f"{A_TEAM}/invitations/{{invitation_id:int}}/again": {TEAM},
    f"{A_TEAM}/invitations/{{invitation_id:int}}/revoke": {TEAM},
    "/invitations/{token:str}/accept": {ALICE},
    "/invitations/{token:str}/decline": {"team "},
    "/notifications/{notification_id:int}/accept": {ALICE},
    "/notifications/{notification_id:int}/decline": {"team "},
    "/notifications/{notification_id:int}/retry": {PROJECT},
    "/projects": {ALICE},
    f"{A_PROJECT}/rename": {PROJECT},
    f"{A_PROJECT}/mute": {ALICE},
    f"{A_PROJECT}/delete": {PROJECT, ALICE, BOB, TEAM},
    f"{A_PROJECT}/share": {PROJECT, "team {other_team_id}"},
    f"{A_PROJECT}/unshare": {PROJECT, TEAM, BOB},
    f"{A_PROJECT}/compile": {PROJECT},
    f"{A_PROJECT}/compilations/{{compilation_id:int}}/cancel": {PROJECT},
    f"{A_PROJECT}/clips/{{clip_id:int}}/move": {PROJECT},
    f"{A_PROJECT}/clips/{{clip_id:int}}/delete": {PROJECT},
}
# Takes files; tests/projects/test_clips.py and the journeys upload some.
UPLOAD = f"{A_PROJECT}/clips"


async def test_every_form_of_teams_and_projects_is_in_the_table(house: Litestar) -> None:
    found = {door.path for door in doors(house, "POST") if door.path.startswith(AREAS)}

    assert found | IN_NOTICES == TOUCHED.keys() | {UPLOAD}


@pytest.mark.parametrize("path", TOUCHED)
async def test_each_form_updates_the_open_pages_that_show_its_subject(
    world: World, path: str
) -> None:
    ids = world.ids | world._own(path) | {"alice": world.alice.id}
    expected = {topic.format_map(ids) for topic in TOUCHED[path]}
    with poked(world.app.state.db) as topics:
        answer = await send(world, path, world.right(path))

    assert answer.status_code == 303, answer
    assert {one for one in expected if not any(topic.startswith(one) for topic in topics)} == set()


@contextmanager
def poked(db: Database) -> Iterator[list[str]]:
    topics: list[str] = []
    poke, db._poke = db._poke, topics.append
    try:
        yield topics
    finally:
        db._poke = poke
