"""The pages of projects, as a browser without scripts sees them."""

import re

import httpx
import pytest

from app import clock
from app.database import Database
from app.models import Project, User
from app.projects.media_storage import thumbnail_path
from app.settings import Settings
from app.teams.invitations import invite
from app.values.sizes import MB
from tests import clips
from tests.conftest import csrf_header, post, sign_in, text_of
from tests.factories import make_team
from tests.projects.conftest import add, finished


@pytest.fixture
async def as_alice(client: httpx.AsyncClient, alice: User) -> httpx.AsyncClient:
    await sign_in(client, alice)
    return client


async def upload(
    client: httpx.AsyncClient, project_id: int, *names: str, **headers: str
) -> httpx.Response:
    files = [("clips", (name, clips.make(name).read_bytes())) for name in names]
    headers |= csrf_header(client)
    return await client.post(f"/projects/{project_id}/clips", files=files, headers=headers)


async def test_the_name_of_a_project_too_many_comes_back_with_the_form(
    as_alice: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.projects.projects.MAX_PROJECTS", 0)
    headers = csrf_header(as_alice)

    page = await post(as_alice, "/projects", name="Best Clips")
    answer = await as_alice.post("/api/projects", json={"name": "Best Clips"}, headers=headers)

    assert page.status_code == 422
    assert 'value="Best Clips"' in page.text
    assert "You can own at most 0 projects." in text_of(page)
    assert answer.status_code == 409
    assert [error["field"] for error in answer.json()["errors"]] == ["name"]


async def test_a_visitor_sees_the_landing_page(client: httpx.AsyncClient) -> None:
    answer = await client.get("/")

    assert answer.status_code == 200
    assert "Create account" in answer.text


async def test_an_empty_dashboard_suggests_what_to_do(as_alice: httpx.AsyncClient) -> None:
    answer = await as_alice.get("/")

    assert "No projects yet" in answer.text
    assert "No teams yet" in answer.text


async def test_the_dashboard_shows_teams_and_projects(
    as_alice: httpx.AsyncClient, db: Database, alice: User, bob: User
) -> None:
    await make_team(db, bob, "Editors", viewers=[alice])
    await post(as_alice, "/projects", name="Highlight Reel")

    answer = await as_alice.get("/")

    assert "Highlight Reel" in answer.text
    assert "Editors" in answer.text


async def test_the_dashboard_shows_an_open_invitation_once_and_then_what_became_of_it(
    as_alice: httpx.AsyncClient, db: Database, alice: User, bob: User
) -> None:
    editors = await make_team(db, bob, "Editors")
    async with db.act() as session:
        await invite(session, bob, editors.id, alice.email, "viewer")
    [row] = rows_on(await as_alice.get("/"))
    assert "invited you to join team" in row
    assert "View Invitation" in row

    [notice_id] = re.findall(r'id="panel-notice-(\d+)"', (await as_alice.get("/")).text)
    await post(as_alice, f"/notifications/{notice_id}/decline")
    [row] = rows_on(await as_alice.get("/"))
    assert "Declined" in row


def rows_on(dashboard: httpx.Response) -> list[str]:
    activity = dashboard.text.partition('id="activity"')[2].partition("</section>")[0]
    return re.findall(r"<li.*?</li>", activity, re.DOTALL)


async def test_a_project_is_created_and_shown(as_alice: httpx.AsyncClient) -> None:
    answer = await post(as_alice, "/projects", name="Highlight Reel")

    shown = await as_alice.get(answer.headers["Location"])
    assert answer.status_code == 303
    assert "<h1><bdi>Highlight Reel</bdi></h1>" in shown.text


async def test_a_project_without_a_name_comes_back_with_the_form(
    as_alice: httpx.AsyncClient,
) -> None:
    answer = await post(as_alice, "/projects", name="  ")

    assert answer.status_code == 422
    assert "Give the project a name." in answer.text


async def test_uploaded_clips_are_listed(as_alice: httpx.AsyncClient, reel: Project) -> None:
    answer = await upload(as_alice, reel.id, "silent", "portrait")

    page = text_of(await as_alice.get(f"/projects/{reel.id}"))
    assert answer.status_code == 303
    assert page.index("silent") < page.index("portrait")


async def test_clips_are_moved_and_deleted(as_alice: httpx.AsyncClient, reel: Project) -> None:
    await upload(as_alice, reel.id, "silent", "portrait")

    moved = await post(as_alice, f"/projects/{reel.id}/clips/2/move", to="up")
    page = text_of(await as_alice.get(f"/projects/{reel.id}"))
    await post(as_alice, f"/projects/{reel.id}/clips/2/delete")

    assert moved.headers["Location"] == f"/projects/{reel.id}#clip-2"
    assert page.index("portrait") < page.index("silent")
    assert "portrait" not in (await as_alice.get(f"/projects/{reel.id}")).text


async def test_only_the_first_and_last_clip_have_a_disabled_button(
    as_alice: httpx.AsyncClient, reel: Project
) -> None:
    await upload(as_alice, reel.id, "silent", "portrait", "mp4")

    page = (await as_alice.get(f"/projects/{reel.id}")).text

    assert page.count("disabled") == 2


async def test_a_clip_moves_only_up_or_down(as_alice: httpx.AsyncClient, reel: Project) -> None:
    answer = await post(as_alice, f"/projects/{reel.id}/clips/1/move", to="sideways")

    assert answer.status_code == 400


async def test_a_video_is_added_even_if_the_other_file_is_not_one(
    as_alice: httpx.AsyncClient, reel: Project, settings: Settings
) -> None:
    answer = await upload(as_alice, reel.id, "text", "silent")

    assert answer.status_code == 422
    assert "&#39;text&#39; is not a video we can read" in answer.text
    assert "Move <bdi>silent</bdi> up" in answer.text
    assert len(list(settings.clips_dir.iterdir())) == 1


async def test_a_script_gets_the_sentence_about_the_wrong_file(
    as_alice: httpx.AsyncClient, reel: Project
) -> None:
    answer = await upload(as_alice, reel.id, "text", **{"HX-Request-Type": "partial"})

    assert answer.status_code == 400
    assert "is not a video we can read" in answer.text
    assert "<html" not in answer.text


async def test_an_upload_without_a_file_is_refused(
    as_alice: httpx.AsyncClient, reel: Project
) -> None:
    files = [("clips", ("", b""))]

    answer = await as_alice.post(
        f"/projects/{reel.id}/clips", files=files, headers=csrf_header(as_alice)
    )

    assert answer.status_code == 422
    assert "Choose one or more videos first." in answer.text


@pytest.mark.parametrize(
    "kind", ["text/plain", "multipart/form-data", "multipart/form-data; boundary=x"]
)
async def test_a_malformed_body_is_refused(
    as_alice: httpx.AsyncClient, reel: Project, kind: str
) -> None:
    headers = {"Content-Type": kind, **csrf_header(as_alice)}
    answer = await as_alice.post(
        f"/projects/{reel.id}/clips", content=b"--y\r\nnonsense", headers=headers
    )

    assert answer.status_code == 422


async def test_an_upload_from_another_site_is_refused(
    as_alice: httpx.AsyncClient, reel: Project, settings: Settings
) -> None:
    answer = await upload(as_alice, reel.id, "silent", **{"Sec-Fetch-Site": "cross-site"})

    assert answer.status_code == 403
    assert not settings.clips_dir.exists()


async def test_an_upload_with_a_foreign_origin_is_refused(
    as_alice: httpx.AsyncClient, reel: Project
) -> None:
    answer = await upload(as_alice, reel.id, "silent", Origin="http://elsewhere.example")

    assert answer.status_code == 403


async def test_others_see_nothing(as_alice: httpx.AsyncClient, db: Database, bob: User) -> None:
    answer = await post(as_alice, "/projects", name="Secret")
    as_alice.cookies.clear()
    await sign_in(as_alice, bob)

    for path in ("", "/compilation", "/delete", "/compilations/1/video"):
        assert (await as_alice.get(answer.headers["Location"] + path)).status_code == 404


@pytest.mark.parametrize("path", ["", "/compilation", "/compilations/1/video"])
async def test_ids_that_no_row_can_have_are_not_found(
    as_alice: httpx.AsyncClient, path: str
) -> None:
    answer = await as_alice.get(f"/projects/{10**30}{path}")

    assert answer.status_code == 404


async def test_a_project_is_shared_and_unshared(
    as_alice: httpx.AsyncClient, db: Database, alice: User, reel: Project
) -> None:
    team = await make_team(db, alice, "Video Squad")

    await post(as_alice, f"/projects/{reel.id}/share", team_id=team.id)
    shared = await as_alice.get(f"/projects/{reel.id}")
    await post(as_alice, f"/projects/{reel.id}/unshare", team_id=team.id)

    assert "End sharing" in shared.text
    assert "End sharing" not in (await as_alice.get(f"/projects/{reel.id}")).text


@pytest.mark.parametrize("team_id", ["", "x", "-1", "²", "9" * 40])
async def test_sharing_needs_a_team(
    as_alice: httpx.AsyncClient, reel: Project, team_id: str
) -> None:
    answer = await post(as_alice, f"/projects/{reel.id}/share", team_id=team_id)

    assert answer.status_code == 422
    assert "Choose a team." in answer.text


async def test_a_queued_compilation_is_shown_until_it_is_cancelled(
    as_alice: httpx.AsyncClient, db: Database, settings: Settings, alice: User, reel: Project
) -> None:
    await add(db, settings, reel, alice)

    await post(as_alice, f"/projects/{reel.id}/compile")
    waiting = await as_alice.get(
        f"/projects/{reel.id}/compilation", headers={"HX-Request-Type": "partial"}
    )
    cancel = f"/projects/{reel.id}/compilations/1/cancel"
    await post(as_alice, cancel)
    again = await post(as_alice, cancel)

    assert 'hx-trigger="progress-1-changed from:body"' in waiting.text
    assert "Queued" in waiting.text
    assert "was cancelled" in (await as_alice.get(f"/projects/{reel.id}")).text
    assert again.status_code == 409


async def test_a_video_that_was_removed_says_so_and_its_picture_stays(
    as_alice: httpx.AsyncClient, db: Database, settings: Settings, reel: Project
) -> None:
    async with db.write() as session:
        removed = finished(reel)
        removed.video_removed_at = clock.now()
        session.add_all([removed, finished(reel)])
    settings.compilations_dir.mkdir()
    thumbnail_path(settings, removed.id).write_bytes(b"a picture")
    url = f"/projects/{reel.id}/compilations/{removed.id}"

    answer = await as_alice.get(f"{url}/video")
    in_json = await as_alice.get(f"/api{url}/video")
    page = text_of(await as_alice.get(f"/projects/{reel.id}"))

    assert (answer.status_code, in_json.status_code) == (410, 410)
    assert "This video was removed: a project keeps its newest 3." in text_of(answer)
    assert "This video was removed" in in_json.json()["detail"]
    assert (await as_alice.get(f"{url}/thumbnail")).content == b"a picture"
    assert (await as_alice.get(f"/api{url}/thumbnail")).content == b"a picture"
    assert "Only the newest 3 videos are kept." in page


async def test_over_the_quota_the_page_says_what_to_delete(
    as_alice: httpx.AsyncClient, db: Database, settings: Settings, alice: User, reel: Project
) -> None:
    await add(db, settings, reel, alice)
    async with db.write() as session:
        session.add(finished(reel, size=settings.upload_quota_mb * MB))

    answer = await post(as_alice, f"/projects/{reel.id}/compile")

    assert answer.status_code == 409
    assert "Delete clips, or projects with their videos" in text_of(answer)


async def test_a_project_is_muted_and_unmuted(as_alice: httpx.AsyncClient, reel: Project) -> None:
    await post(as_alice, f"/projects/{reel.id}/mute", muted="1")
    muted = await as_alice.get(f"/projects/{reel.id}")
    await post(as_alice, f"/projects/{reel.id}/mute", muted="0")

    assert "Unmute</button>" in muted.text
    assert "Unmute</button>" not in (await as_alice.get(f"/projects/{reel.id}")).text


async def test_deleting_asks_for_confirmation(as_alice: httpx.AsyncClient, reel: Project) -> None:
    asked = await as_alice.get(f"/projects/{reel.id}/delete")
    await post(as_alice, f"/projects/{reel.id}/delete")

    assert "Delete &#39;Highlight Reel&#39;?" in asked.text
    assert (await as_alice.get(f"/projects/{reel.id}")).status_code == 404
