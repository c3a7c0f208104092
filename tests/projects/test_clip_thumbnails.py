"""Thumbnails of clips and projects, and clips that play: made by ffmpeg, shown to viewers."""

from io import BytesIO

import httpx
import pytest
from PIL import Image

from app.database import Database
from app.errors import NotFound
from app.models import Clip, Project, User
from app.projects import clip_thumbnails
from app.projects.clip_thumbnails import find_thumbnail
from app.projects.media_storage import clip_path, clip_thumbnail_path
from app.projects.project_views import list_projects
from app.projects.sharing import share_project
from app.projects.video.ffmpeg import OutOfMemory
from app.settings import Settings
from tests import clips
from tests.conftest import sign_in
from tests.factories import make_team
from tests.projects.conftest import add, finished

EMPTY = 0


@pytest.fixture
async def as_alice(client: httpx.AsyncClient, alice: User) -> httpx.AsyncClient:
    await sign_in(client, alice)
    return client


async def share_with(db: Database, alice: User, viewer: User, project: Project) -> None:
    team = await make_team(db, alice, viewers=[viewer])
    async with db.act() as session:
        await share_project(session, alice, project.id, team.id)


def picture_in(content: bytes) -> Image.Image:
    return Image.open(BytesIO(content))


def address_of(clip: Clip, what: str) -> str:
    return f"/projects/{clip.project_id}/clips/{clip.id}/{what}"


@pytest.mark.parametrize(
    ("name", "shape"), [("mp4", (160, 120)), ("portrait", (120, 160)), ("webm", (96, 96))]
)
async def test_an_added_clip_has_a_picture_of_its_shape(
    db: Database, settings: Settings, alice: User, reel: Project, name: str, shape: tuple[int, int]
) -> None:
    clip = await add(db, settings, reel, alice, name)

    picture = picture_in(clip_thumbnail_path(settings, clip.stored_as).read_bytes())

    assert (picture.format, picture.size) == ("JPEG", shape)
    assert [path.name for path in settings.thumbnails_dir.iterdir()] == [f"{clip.stored_as}.jpg"]


@pytest.mark.parametrize("name", ["avi", "mkv", "mov", "ts", "flv", "ogv", "wmv"])
async def test_a_missing_thumbnail_is_made_on_request(
    db: Database, settings: Settings, alice: User, reel: Project, name: str
) -> None:
    clip = await add(db, settings, reel, alice, name)
    clip_thumbnail_path(settings, clip.stored_as).unlink()

    path = await find_thumbnail(settings, clip)

    assert picture_in(path.read_bytes()).format == "JPEG"


async def test_a_thumbnail_that_cannot_be_made_is_attempted_once(
    db: Database,
    settings: Settings,
    alice: User,
    reel: Project,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clip = await add(db, settings, reel, alice)
    clip_thumbnail_path(settings, clip.stored_as).unlink()
    clip_path(settings, clip.stored_as).write_bytes(b"no longer a video")

    with pytest.raises(NotFound):
        await find_thumbnail(settings, clip)
    monkeypatch.setattr(clip_thumbnails, "make_thumbnail", None)
    with pytest.raises(NotFound):
        await find_thumbnail(settings, clip)

    assert clip_thumbnail_path(settings, clip.stored_as).stat().st_size == EMPTY


async def test_a_clip_is_added_also_where_there_is_no_memory_for_its_picture(
    db: Database,
    settings: Settings,
    alice: User,
    reel: Project,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def run_out(*_given: object, **_more: object) -> None:
        raise OutOfMemory

    with monkeypatch.context() as scarce:
        scarce.setattr(clip_thumbnails, "write_thumbnail", run_out)
        clip = await add(db, settings, reel, alice)
    assert list(settings.thumbnails_dir.iterdir()) == []

    assert (await find_thumbnail(settings, clip)).stat().st_size > EMPTY


async def test_viewers_see_the_picture_and_only_the_owner_plays_the_clip_with_its_place(
    as_alice: httpx.AsyncClient,
    db: Database,
    settings: Settings,
    alice: User,
    bob: User,
    reel: Project,
) -> None:
    clip = await add(db, settings, reel, alice, "mp4")
    await share_with(db, alice, bob, reel)
    own = await as_alice.get(f"/projects/{reel.id}")
    played = await as_alice.get(address_of(clip, "video"), headers={"Range": "bytes=0-99"})
    as_alice.cookies.clear()
    await sign_in(as_alice, bob)
    seen = await as_alice.get(f"/projects/{reel.id}")
    refused = await as_alice.get(address_of(clip, "video"))
    picture = await as_alice.get(address_of(clip, "thumbnail"))

    assert f'src="{address_of(clip, "video")}"' in own.text
    assert (played.status_code, played.headers["Content-Type"]) == (206, "video/mp4")
    assert played.content == clips.make("mp4").read_bytes()[:100]
    assert address_of(clip, "video") not in seen.text
    assert f'src="{address_of(clip, "thumbnail")}"' in seen.text
    assert refused.status_code == 403
    assert picture_in(picture.content).format == "JPEG"
    assert picture.headers["Cache-Control"] == "private, max-age=3600"


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("mov", "video/mp4"),
        ("webm", "video/webm"),
        ("ogv", "video/ogg"),
        ("avi", "application/octet-stream"),
    ],
)
async def test_a_clip_is_sent_as_what_it_is(
    as_alice: httpx.AsyncClient,
    db: Database,
    settings: Settings,
    alice: User,
    reel: Project,
    name: str,
    media_type: str,
) -> None:
    clip = await add(db, settings, reel, alice, name)

    answer = await as_alice.get(address_of(clip, "video"))

    assert answer.headers["Content-Type"] == media_type
    assert answer.content == clips.make(name).read_bytes()


@pytest.mark.parametrize("what", ["thumbnail", "video"])
async def test_outsiders_get_nothing_of_a_clip(
    client: httpx.AsyncClient,
    db: Database,
    settings: Settings,
    alice: User,
    bob: User,
    reel: Project,
    what: str,
) -> None:
    clip = await add(db, settings, reel, alice)
    await sign_in(client, bob)

    assert (await client.get(address_of(clip, what))).status_code == 404
    assert (await client.get(f"/api{address_of(clip, 'thumbnail')}")).status_code == 404


async def test_where_no_picture_can_be_made_a_page_shows_a_neutral_one(
    as_alice: httpx.AsyncClient, db: Database, settings: Settings, alice: User, reel: Project
) -> None:
    clip = await add(db, settings, reel, alice)
    path = clip_thumbnail_path(settings, clip.stored_as)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"")

    shown = await as_alice.get(address_of(clip, "thumbnail"), follow_redirects=True)
    told = await as_alice.get(f"/api{address_of(clip, 'thumbnail')}")

    assert (shown.status_code, shown.headers["Content-Type"]) == (200, "image/svg+xml")
    assert told.status_code == 404


async def test_a_project_is_shown_by_its_newest_video_or_else_its_first_clip(
    db: Database, settings: Settings, alice: User, reel: Project
) -> None:
    async def shown() -> str | None:
        async with db.read() as session:
            [listed] = await list_projects(session, alice)
        return listed.thumbnail_url

    empty = await shown()
    first = await add(db, settings, reel, alice)
    await add(db, settings, reel, alice)
    with_clips = await shown()
    async with db.write() as session:
        session.add_all([finished(reel), video := finished(reel)])
        session.add(failed := finished(reel))
        failed.status = "failed"

    assert empty is None
    assert with_clips == address_of(first, "thumbnail")
    assert await shown() == f"/projects/{reel.id}/compilations/{video.id}/thumbnail"


async def test_projects_stand_in_the_list_with_their_pictures(
    as_alice: httpx.AsyncClient, db: Database, settings: Settings, alice: User, reel: Project
) -> None:
    clip = await add(db, settings, reel, alice)

    pages = [(await as_alice.get(url)).text for url in ("/projects", "/")]

    assert all(f'src="{address_of(clip, "thumbnail")}"' in page for page in pages)


async def test_the_json_of_a_clip_names_its_picture(
    as_alice: httpx.AsyncClient, db: Database, settings: Settings, alice: User, reel: Project
) -> None:
    clip = await add(db, settings, reel, alice)

    shown = (await as_alice.get(f"/api/projects/{reel.id}")).json()["clips"][0]

    assert shown["thumbnail_url"] == f"/api{address_of(clip, 'thumbnail')}"
    answer = await as_alice.get(shown["thumbnail_url"])
    assert answer.headers["Content-Type"] == "image/jpeg"
