"""Watching and downloading a video, whole or in ranges, by users who may see the project."""

import httpx
import pytest

from app import clock
from app.database import Database
from app.models import Compilation, Project, User
from app.notifications.events.catalogue import COMPILATION_FAILED
from app.notifications.notify import notify
from app.projects.media_storage import video_path
from app.settings import Settings
from tests.conftest import post, sign_in
from tests.projects.conftest import add

CONTENT = bytes(range(100)) * 3_000


@pytest.fixture
async def url(
    client: httpx.AsyncClient, db: Database, settings: Settings, alice: User, reel: Project
) -> str:
    """The URL of a finished video, with alice signed in."""
    async with db.write() as session:
        done = Compilation(
            project_id=reel.id,
            status="completed",
            progress=1.0,
            duration=61.0,
            size=len(CONTENT),
            finished_at=clock.now(),
        )
        session.add(done)
    path = video_path(settings, done.id)
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    await sign_in(client, alice)
    return f"/projects/{reel.id}/compilations/{done.id}/video"


async def test_the_whole_video_is_a_private_download(client: httpx.AsyncClient, url: str) -> None:
    answer = await client.get(url)

    assert answer.status_code == 200
    assert answer.content == CONTENT
    assert answer.headers["Content-Type"] == "video/mp4"
    assert answer.headers["Content-Length"] == str(len(CONTENT))
    assert answer.headers["Cache-Control"].startswith("private")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert (
        answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''Highlight%20Reel.mp4"
    )


async def test_head_tells_about_the_video_without_reading_it(
    client: httpx.AsyncClient, url: str
) -> None:
    answer = await client.head(url)

    assert answer.status_code == 200
    assert answer.headers["Content-Length"] == "300000"
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.content == b""


@pytest.mark.parametrize("asked", ["bytes=10-19", "bytes=999999999-"])
async def test_head_ignores_a_range(client: httpx.AsyncClient, url: str, asked: str) -> None:
    answer = await client.head(url, headers={"Range": asked})

    assert answer.status_code == 200
    assert answer.headers["Content-Length"] == "300000"
    assert "Content-Range" not in answer.headers


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("bytes=0-9", slice(0, 10)),
        ("bytes=299990-", slice(299_990, None)),
        ("bytes=-5", slice(-5, None)),
        ("bytes=10-999999999", slice(10, None)),
        ("bytes=-999999999", slice(0, None)),
    ],
)
async def test_a_range_is_sent(
    client: httpx.AsyncClient, url: str, asked: str, part: slice
) -> None:
    answer = await client.get(url, headers={"Range": asked})

    start, stop, _step = part.indices(len(CONTENT))
    assert answer.status_code == 206
    assert answer.content == CONTENT[part]
    assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{len(CONTENT)}"
    assert answer.headers["Content-Length"] == str(stop - start)


@pytest.mark.parametrize(
    "asked", ["bytes=9-3", "bytes=-", "bytes=a-b", "chunks=0-9", "bytes=0-1,5-6", "", "bytes=²-3"]
)
async def test_a_malformed_range_is_ignored(
    client: httpx.AsyncClient, url: str, asked: str
) -> None:
    answer = await client.get(url, headers={b"Range": asked.encode()})

    assert answer.status_code == 200
    assert len(answer.content) == len(CONTENT)


@pytest.mark.parametrize("asked", ["bytes=300000-", "bytes=999999999-9999999999", "bytes=-0"])
async def test_a_range_beyond_the_end_is_refused(
    client: httpx.AsyncClient, url: str, asked: str
) -> None:
    answer = await client.get(url, headers={"Range": asked})

    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{len(CONTENT)}"


@pytest.mark.parametrize("known", ["{tag}", "W/{tag}", '"other", {tag}', "*"])
async def test_a_file_that_the_browser_has_is_not_sent_again(
    client: httpx.AsyncClient, url: str, known: str
) -> None:
    tag = (await client.get(url)).headers["ETag"]

    same = await client.get(url, headers={"If-None-Match": known.format(tag=tag)})
    changed = await client.get(url, headers={"Range": "bytes=0-9", "If-Range": '"other"'})

    assert (same.status_code, same.content) == (304, b"")
    assert changed.status_code == 200


async def test_others_cannot_watch(client: httpx.AsyncClient, url: str, bob: User) -> None:
    client.cookies.clear()
    await sign_in(client, bob)

    assert (await client.get(url)).status_code == 404


async def test_a_missing_file_is_not_found(
    client: httpx.AsyncClient, url: str, settings: Settings
) -> None:
    for path in settings.compilations_dir.iterdir():
        path.unlink()

    assert (await client.get(url)).status_code == 404


async def test_the_page_plays_it(client: httpx.AsyncClient, url: str, reel: Project) -> None:
    page = await client.get(f"/projects/{reel.id}")

    assert f'src="{url}"' in page.text
    assert "1:01" in page.text


async def test_retry_compiles_again_from_the_notice(
    client: httpx.AsyncClient, db: Database, settings: Settings, alice: User, reel: Project
) -> None:
    await add(db, settings, reel, alice)
    async with db.act() as session:
        failed = Compilation(project_id=reel.id, status="failed", error="Too long.")
        session.add(failed)
        await session.flush()
        await notify(
            session, COMPILATION_FAILED, project=reel, compilation=failed, error="Too long."
        )
    await sign_in(client, alice)

    answer = await post(client, "/notifications/1/retry")
    card = await client.get(
        f"/projects/{reel.id}/compilation", headers={"HX-Request-Type": "partial"}
    )

    assert answer.headers["Location"] == f"/projects/{reel.id}"
    assert "Queued" in card.text


@pytest.mark.parametrize("notification_id", [7, 10**30])
async def test_retry_of_an_unknown_notification_is_not_found(
    client: httpx.AsyncClient, alice: User, notification_id: int
) -> None:
    await sign_in(client, alice)

    assert (await post(client, f"/notifications/{notification_id}/retry")).status_code == 404
