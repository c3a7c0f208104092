"""Projects in JSON: upload clips, compile, download the video."""

import asyncio
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from app import clock
from app.database import Database
from app.models import Project, Team, User
from app.projects.compilation_runs import run_compilation
from app.settings import Settings
from tests import clips
from tests.api.conftest import Program
from tests.conftest import sign_in
from tests.factories import make_team
from tests.projects.conftest import finished


@pytest.fixture
async def url(for_alice: Program) -> str:
    """The address of alice's project."""
    made = await for_alice.post("/api/projects", json={"name": "Highlight Reel"})
    assert made.status_code == 201
    return str(made.headers["Location"])


async def upload(program: Program, url: str, *paths: Path) -> httpx.Response:
    files = [("clips", (path.name, path.read_bytes(), "video/mp4")) for path in paths]
    return await program.post(f"{url}/clips", files=files)


async def test_a_project_is_created_listed_renamed_and_deleted(
    for_alice: Program, url: str, alice: User
) -> None:
    renamed = await for_alice.put(url, json={"name": "Best Clips"})
    listed = await for_alice.get("/api/projects")
    deleted = await for_alice.delete(url)

    owner = {"id": alice.id, "username": "alice"}
    assert renamed.json() == {
        "id": renamed.json()["id"],
        "name": "Best Clips",
        "owner": owner,
        "teams": [],
        "clips": [],
        "clip_count": 0,
        "compilations": [],
        "muted": False,
    }
    assert listed.json() == {"projects": [renamed.json()]}
    assert deleted.status_code == 200
    assert (await for_alice.get(url)).status_code == 404


async def test_clips_are_uploaded_together_moved_and_deleted(for_alice: Program, url: str) -> None:
    added = await upload(for_alice, url, clips.make("silent"), clips.make("portrait"))
    first, second = added.json()["clips"]

    moved = await for_alice.post(f"{url}/clips/{second['id']}/move", json={"by": -1})
    names = [clip["filename"] for clip in (await for_alice.get(url)).json()["clips"]]
    deleted = await for_alice.delete(f"{url}/clips/{first['id']}")

    assert added.status_code == 201
    assert added.json()["errors"] == []
    assert (moved.status_code, names) == (200, ["portrait.mp4", "silent.mp4"])
    assert deleted.status_code == 200
    assert [clip["id"] for clip in (await for_alice.get(url)).json()["clips"]] == [second["id"]]


async def test_files_that_are_no_videos_are_refused_and_the_others_stay(
    for_alice: Program, url: str
) -> None:
    mixed = await upload(for_alice, url, clips.make("silent"), clips.make("text"))
    wrong = await upload(for_alice, url, clips.make("text"))
    empty = await for_alice.post(f"{url}/clips", files={"other": ("a.mp4", b"x")})
    no_form = await for_alice.post(f"{url}/clips", json={"clips": []})

    assert mixed.status_code == 201
    assert [clip["filename"] for clip in mixed.json()["clips"]] == ["silent.mp4"]
    assert "text.mp4" in mixed.json()["errors"][0]["detail"]
    for answer in (wrong, empty, no_form):
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "clips")


async def test_one_compilation_runs_at_a_time_and_its_video_comes_in_ranges(
    for_alice: Program, url: str, db: Database, settings: Settings
) -> None:
    without = await for_alice.post(f"{url}/compile")
    await upload(for_alice, url, clips.make("silent"))
    first, second = [await for_alice.post(f"{url}/compile") for _time in range(2)]
    its_url = f"{url}/compilations/{first.json()['id']}"
    early = await for_alice.get(f"{its_url}/video")
    await run_compilation(db, settings)
    done = (await for_alice.get(its_url)).json()
    whole = await for_alice.get(done["video_url"])
    part = await for_alice.get(done["video_url"], headers={"Range": "bytes=0-99"})
    beyond = await for_alice.get(done["video_url"], headers={"Range": "bytes=999999999-"})
    picture = await for_alice.get(done["thumbnail_url"])

    assert without.status_code == 409
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json() == second.json()
    assert (first.json()["status"], first.json()["video_url"]) == ("queued", None)
    assert early.status_code == 404
    assert (done["status"], done["progress"], done["error"]) == ("completed", 1.0, None)
    assert len(whole.content) == done["size"]
    assert (part.status_code, part.content) == (206, whole.content[:100])
    assert beyond.status_code == 416
    assert beyond.headers["Content-Range"] == f"bytes */{done['size']}"
    assert picture.headers["Content-Type"] == "image/jpeg"


async def test_a_video_that_newer_ones_have_replaced_has_no_address(
    for_alice: Program, url: str, db: Database
) -> None:
    async with db.write() as session:
        project = await session.scalar(select(Project))
        assert project
        given_up, kept = finished(project), finished(project)
        given_up.video_removed_at = clock.now()
        session.add_all([given_up, kept])
        await session.flush()
        ids = given_up.id, kept.id

    shown = [(await for_alice.get(f"{url}/compilations/{id}")).json() for id in ids]

    assert [one["video_url"] for one in shown] == [None, f"{url}/compilations/{ids[1]}/video"]
    assert all(one["thumbnail_url"] for one in shown)


async def test_a_compilation_is_cancelled_while_it_runs(
    for_alice: Program, url: str, db: Database, settings: Settings
) -> None:
    await upload(for_alice, url, clips.make("long"))
    started = (await for_alice.post(f"{url}/compile")).json()
    its_url = f"{url}/compilations/{started['id']}"
    working = asyncio.create_task(run_compilation(db, settings))
    while (await for_alice.get(its_url)).json()["status"] != "running":  # noqa: ASYNC110
        await asyncio.sleep(0.01)

    cancelled = await for_alice.post(f"{its_url}/cancel")
    await asyncio.wait_for(working, 5)
    again = await for_alice.post(f"{its_url}/cancel")

    assert (cancelled.json()["status"], cancelled.json()["error"]) == (
        "failed",
        "It was cancelled.",
    )
    assert again.status_code == 409
    assert [path.name for path in settings.compilations_dir.iterdir()] == []


async def test_a_project_is_shared_and_the_members_see_it(
    for_alice: Program,
    for_bob: Program,
    url: str,
    db: Database,
    settings: Settings,
    alice: User,
    bob: User,
) -> None:
    team = await make_team(db, alice, viewers=[bob])
    before = await for_bob.get(url)
    shared = await for_alice.post(f"{url}/share", json={"team_id": team.id})
    twice = await for_alice.post(f"{url}/share", json={"team_id": team.id})
    seen = await for_bob.get(url)
    by_viewer = [
        await for_bob.post(f"{url}/compile"),
        await for_bob.post(f"{url}/unshare", json={"team_id": team.id}),
        await for_bob.put(url, json={"name": "Mine"}),
        await upload(for_bob, url, clips.make("silent")),
        await for_bob.delete(url),
    ]
    unshared = await for_alice.post(f"{url}/unshare", json={"team_id": team.id})

    assert (before.status_code, shared.status_code, twice.status_code) == (404, 200, 409)
    assert seen.json()["teams"] == [{"id": team.id, "name": "Video Squad"}]
    assert {answer.status_code for answer in by_viewer} == {403}
    assert unshared.status_code == 200
    assert (await for_bob.get(url)).status_code == 404


async def test_a_project_is_muted_for_one_user_only(for_alice: Program, url: str) -> None:
    await for_alice.put(f"{url}/mute", json={"muted": True})

    assert (await for_alice.get(url)).json()["muted"]


async def test_a_project_is_not_shared_with_a_team_of_others(
    for_alice: Program, url: str, db: Database, carol: User
) -> None:
    team: Team = await make_team(db, carol, "Strangers")

    answer = await for_alice.post(f"{url}/share", json={"team_id": team.id})

    assert answer.status_code == 404


async def test_an_upload_by_cookie_needs_the_csrf_token_in_the_header(
    client: httpx.AsyncClient, for_alice: Program, url: str, alice: User
) -> None:
    await sign_in(client, alice)
    without = await upload(client, url, clips.make("silent"))
    client.headers["X-CSRF-Token"] = client.cookies["csrftoken"]

    assert without.status_code == 403
    assert (await upload(client, url, clips.make("silent"))).status_code == 201
