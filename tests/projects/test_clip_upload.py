"""Uploads that are refused before they are read, or while they arrive."""

import asyncio
import dataclasses
import sys
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path
from typing import BinaryIO

import httpx
import pytest
from sqlalchemy import select

from app.database import Database
from app.models import Compilation, Project, User
from app.projects import clips as project_clips
from app.projects import upload_stream
from app.projects.storage import storage_of
from app.projects.video.ffmpeg import CompilationError, OutOfMemory, OutOfTime, TooBig
from app.settings import Settings
from app.values.sizes import MB
from tests import clips
from tests.application import browser, serving
from tests.conftest import csrf_header, sign_in, text_of
from tests.projects.conftest import add, finished
from tests.projects.video.made_files import make

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full")
QUOTA = "There is not enough room: clips take up 0 MB, videos 0 MB and uploads in progress 1 MB of 1 MB."
HEAD = '--x\r\nContent-Disposition: form-data; name="clips"; filename="{}"\r\n\r\n'
MULTIPART = {"Content-Type": "multipart/form-data; boundary=x"}


class Body:
    """A body of the declared size that knows whether the server has read from its file. Whom the form
    was made for stands before that.
    """

    def __init__(self, size: int) -> None:
        kind = "multipart/form-data; boundary=x"
        self.headers = {"Content-Type": kind, "Content-Length": str(size)}
        self.was_read = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield HEAD.format("a.mp4").encode()
        self.was_read = True
        yield b"content"


class SlowBody:
    """An upload without a length. Notes how many bytes are on disk as each piece is asked for; after
    `pausing_after` pieces it waits for `go_on`.
    """

    def __init__(self, folder: Path, *pieces: bytes, pausing_after: int = -1) -> None:
        self.folder, self.pieces, self.pausing_after = folder, pieces, pausing_after
        self.paused, self.go_on = asyncio.Event(), asyncio.Event()
        self.on_disk = [0]

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for number, piece in enumerate(self.pieces):
            if number == self.pausing_after:
                self.paused.set()
                await self.go_on.wait()
            yield piece
            self.on_disk.append(sum(file.stat().st_size for file in self.folder.glob("*")))


def file_of(name: str, content: bytes, *, piece: int = MB // 10) -> list[bytes]:
    """A file's part of a multipart body, in pieces."""
    pieces = [content[start : start + piece] for start in range(0, len(content), piece)]
    return [HEAD.format(name).encode(), *pieces, b"\r\n"]


def padded_clip(size: int) -> bytes:
    clip = clips.make("mp4").read_bytes()
    return clip + bytes(size - len(clip))


@pytest.fixture
async def as_alice(settings: Settings, alice: User) -> AsyncIterator[httpx.AsyncClient]:
    """A browser of alice, where users may upload 1 MB."""
    narrow = dataclasses.replace(settings, upload_quota_mb=1)
    async with serving(narrow) as app, browser(app) as client:
        await sign_in(client, alice)
        client.headers.update(csrf_header(client))
        yield client


async def test_an_upload_over_the_quota_is_refused_before_its_file_is_read(
    as_alice: httpx.AsyncClient, reel: Project
) -> None:
    body = Body(2 * MB + 1)

    answer = await as_alice.post(f"/projects/{reel.id}/clips", content=body, headers=body.headers)

    assert not body.was_read
    assert answer.status_code == 413
    assert QUOTA in answer.text


async def test_an_upload_to_a_project_of_others_is_refused_before_its_file_is_read(
    as_alice: httpx.AsyncClient, db: Database, bob: User
) -> None:
    async with db.act() as session:
        project = Project(name="Bob's own", owner_id=bob.id)
        session.add(project)

    body = Body(10)

    url = f"/projects/{project.id}/clips"
    answer = await as_alice.post(url, content=body, headers=body.headers)

    assert not body.was_read
    assert answer.status_code == 404


async def test_a_file_over_what_is_left_of_the_quota_is_refused_while_it_arrives(
    as_alice: httpx.AsyncClient, reel: Project, settings: Settings
) -> None:
    files = [("clips", ("large.mp4", bytes(MB + 1)))]

    answer = await as_alice.post(f"/projects/{reel.id}/clips", files=files)

    assert answer.status_code == 413
    assert QUOTA in answer.text
    assert list(settings.clips_dir.iterdir()) == []


async def test_files_within_the_quota_one_by_one_but_not_together_are_refused(
    as_alice: httpx.AsyncClient, reel: Project, settings: Settings
) -> None:
    padded = padded_clip(MB // 2 + 1)
    files = [("clips", (name, padded)) for name in ("first.mp4", "second.mp4")]

    answer = await as_alice.post(f"/projects/{reel.id}/clips", files=files)

    assert answer.status_code == 413
    assert QUOTA in answer.text
    assert list(settings.clips_dir.iterdir()) == []


@pytest.mark.parametrize("address", ["/projects/{}/clips", "/api/projects/{}/clips"])
@pytest.mark.parametrize("files", [1, 9])
async def test_an_upload_without_a_length_never_has_more_on_disk_than_the_quota(
    as_alice: httpx.AsyncClient, reel: Project, settings: Settings, address: str, files: int
) -> None:
    pieces = [p for n in range(files) for p in file_of(f"{n}.mp4", bytes(4 * MB // files))]
    body = SlowBody(settings.clips_dir, *pieces, b"--x--\r\n")

    answer = await as_alice.post(address.format(reel.id), content=body, headers=MULTIPART)

    assert answer.status_code == 413
    assert "There is not enough room" in answer.text
    assert MB / 2 < max(body.on_disk) <= MB
    assert list(settings.clips_dir.iterdir()) == []


async def test_a_body_that_goes_on_without_a_file_is_not_read_to_its_end(
    as_alice: httpx.AsyncClient, reel: Project, settings: Settings
) -> None:
    head = b'--x\r\nContent-Disposition: form-data; name="note"\r\n\r\n'
    body = SlowBody(settings.clips_dir, head, *[bytes(MB // 10)] * 100)

    answer = await as_alice.post(f"/projects/{reel.id}/clips", content=body, headers=MULTIPART)

    assert "The upload could not be read." in answer.text
    assert len(body.on_disk) < 30


@pytest.mark.parametrize("address", ["/projects/{}/clips", "/api/projects/{}/clips"])
async def test_too_many_files_get_their_own_error(
    as_alice: httpx.AsyncClient, reel: Project, settings: Settings, address: str
) -> None:
    files = [("clips", (f"{n}.mp4", b"x")) for n in range(101)]

    answer = await as_alice.post(address.format(reel.id), files=files)

    assert answer.status_code in (400, 422)
    assert "At most 100 files can be uploaded at once. Please choose fewer." in answer.text
    assert list(settings.clips_dir.iterdir()) == []


async def test_a_hundred_files_beside_the_fields_of_the_form_are_not_too_many(
    as_alice: httpx.AsyncClient, reel: Project
) -> None:
    files = [("clips", (f"{n}.mp4", b"")) for n in range(100)]
    fields = {"_csrf_token": "x", "_user": "1"}

    answer = await as_alice.post(f"/projects/{reel.id}/clips", data=fields, files=files)

    assert "'99.mp4' is empty." in unescape(text_of(answer))


@linux
@pytest.mark.parametrize("address", ["/projects/{}/clips", "/api/projects/{}/clips"])
@pytest.mark.parametrize("size", [100, MB // 2])
async def test_a_full_disk_gets_its_own_error(
    as_alice: httpx.AsyncClient,
    reel: Project,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    address: str,
    size: int,
) -> None:
    monkeypatch.setattr(upload_stream, "_create", on_a_full_disk)
    files = [("clips", ("large.mp4", bytes(size)))]

    answer = await as_alice.post(address.format(reel.id), files=files)

    assert answer.status_code == 507
    assert "The server's disk is full." in unescape(text_of(answer))
    assert list(settings.clips_dir.iterdir()) == []


def on_a_full_disk(path: Path) -> BinaryIO:
    path.symlink_to("/dev/full")
    return path.open("wb")


async def test_undecodable_sound_is_reported_on_the_page(
    as_alice: httpx.AsyncClient, reel: Project
) -> None:
    files = [("clips", ("unheard.mp4", make("only sound without decoder").read_bytes()))]

    added = await as_alice.post(f"/projects/{reel.id}/clips", files=files)
    page = text_of(await as_alice.get(added.headers["Location"]))

    note = "Its sound cannot be decoded. It will be silent in the video."
    assert f"1 clip added. unheard.mp4: {note}" in page
    assert page.count(note) == 2


async def test_uploads_at_once_share_the_quota_while_they_arrive(
    as_alice: httpx.AsyncClient, reel: Project, settings: Settings
) -> None:
    url, clip = f"/projects/{reel.id}/clips", padded_clip(6 * MB // 10)
    pieces = [*file_of("first.mp4", clip), b"--x--\r\n"]
    first = SlowBody(settings.clips_dir, *pieces, pausing_after=6)
    arriving = asyncio.create_task(as_alice.post(url, content=first, headers=MULTIPART))
    await first.paused.wait()
    second = SlowBody(settings.clips_dir, *file_of("second.mp4", clip), b"--x--\r\n")

    refused = await as_alice.post(url, content=second, headers=MULTIPART)
    first.go_on.set()
    added = await arriving

    assert refused.status_code == 413
    assert max(second.on_disk) <= MB
    assert added.status_code == 303
    assert len(list(settings.clips_dir.iterdir())) == 1


async def test_the_room_of_a_refused_upload_is_free_again(
    as_alice: httpx.AsyncClient, db: Database, settings: Settings, alice: User, reel: Project
) -> None:
    files = [("clips", ("text.mp4", bytes(MB // 2)))]

    await as_alice.post(f"/projects/{reel.id}/clips", files=files)

    async with db.read() as session:
        assert (await storage_of(session, settings, alice.id)).arriving == 0


async def test_videos_count_towards_the_quota_and_stay(
    as_alice: httpx.AsyncClient, db: Database, reel: Project
) -> None:
    async with db.write() as session:
        session.add(finished(reel, size=3 * MB // 2))
    files = [("clips", ("clip.mp4", clips.make("mp4").read_bytes()))]

    answer = await as_alice.post(f"/projects/{reel.id}/clips", files=files)

    assert answer.status_code == 413
    assert "clips take up 0 MB, videos 1.5 MB and uploads in progress 0 MB of 1 MB" in answer.text
    assert "Delete clips, or projects with their videos" in answer.text
    async with db.read() as session:
        compilation = (await session.scalars(select(Compilation))).one()
    assert compilation.video_removed_at is None


async def test_the_page_shows_how_much_of_the_quota_is_used(
    as_alice: httpx.AsyncClient, db: Database, settings: Settings, alice: User, reel: Project
) -> None:
    await add(db, settings, reel, alice)
    async with db.write() as session:
        session.add(finished(reel, size=MB // 2))

    page = text_of(await as_alice.get(f"/projects/{reel.id}"))

    assert "Your clips and videos take up 0.5 MB of 1 MB." in page


Caller = tuple[str, dict[str, str]]
FORM: Caller = ("/projects/{}/clips", {})
SCRIPT: Caller = ("/projects/{}/clips", {"HX-Request-Type": "partial"})
API: Caller = ("/api/projects/{}/clips", {})


@pytest.mark.parametrize(
    ("failure", "caller", "status"),
    [
        (OutOfTime, FORM, 422),
        (OutOfTime, SCRIPT, 400),
        (OutOfTime, API, 400),
        (OutOfMemory, FORM, 503),
        (OutOfMemory, SCRIPT, 503),
        (OutOfMemory, API, 503),
        (TooBig, FORM, 413),
        (TooBig, SCRIPT, 413),
        (TooBig, API, 413),
    ],
)
async def test_a_clip_that_cannot_be_processed_has_one_status_for_every_caller(
    as_alice: httpx.AsyncClient,
    reel: Project,
    monkeypatch: pytest.MonkeyPatch,
    failure: type[CompilationError],
    caller: Caller,
    status: int,
) -> None:
    async def fail(*_given: object) -> None:
        raise failure()  # type: ignore[call-arg]

    monkeypatch.setattr(project_clips, "probe", fail)
    address, headers = caller

    answer = await as_alice.post(
        address.format(reel.id), files=[("clips", ("a.mp4", b"a"))], headers=headers
    )

    assert answer.status_code == status
    assert failure().sentence in unescape(text_of(answer))  # type: ignore[call-arg]
    assert ("Retry-After" in answer.headers) is (status == 503)
    if caller is API and status == 400:
        assert [one["field"] for one in answer.json()["errors"]] == ["clips"]


async def test_of_several_failures_a_full_server_decides_the_status(
    as_alice: httpx.AsyncClient, reel: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = [OutOfTime(), OutOfMemory()]

    async def fail(*_given: object) -> None:
        raise failures.pop(0)

    monkeypatch.setattr(project_clips, "probe", fail)
    files = [("clips", (name, b"a")) for name in ("a.mp4", "b.mp4")]

    answer = await as_alice.post(f"/projects/{reel.id}/clips", files=files)

    assert answer.status_code == 503
    assert "Processing took too long" in answer.text
    assert "ran out of memory" in answer.text
