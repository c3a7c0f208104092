"""What is refused before an upload is read, and while it arrives."""

import dataclasses
from collections.abc import AsyncIterator

import httpx
import pytest

from app.database import Database
from app.models import Project, User
from app.projects.upload_stream import MB
from app.settings import Settings
from tests import clips
from tests.application import browser, serving
from tests.conftest import sign_in

QUOTA = "Your clips can take up at most 1 MB in total."


class Body:
    """A body of the declared size that knows whether the server has read from it."""

    def __init__(self, size: int) -> None:
        kind = "multipart/form-data; boundary=x"
        self.headers = {"Content-Type": kind, "Content-Length": str(size)}
        self.was_read = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self.was_read = True
        yield b"--x"


@pytest.fixture
async def as_alice(settings: Settings, alice: User) -> AsyncIterator[httpx.AsyncClient]:
    """A browser of alice, where users may upload 1 MB."""
    narrow = dataclasses.replace(settings, upload_quota_mb=1)
    async with serving(narrow) as app, browser(app) as client:
        await sign_in(client, alice)
        yield client


async def test_an_upload_over_the_quota_is_refused_before_it_is_read(
    as_alice: httpx.AsyncClient, reel: Project
) -> None:
    body = Body(2 * MB + 1)

    answer = await as_alice.post(f"/projects/{reel.id}/clips", content=body, headers=body.headers)

    assert not body.was_read
    assert answer.status_code == 413
    assert QUOTA in answer.text


async def test_an_upload_to_a_project_of_others_is_refused_before_it_is_read(
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
    assert "&#39;large.mp4&#39; is too large. A clip can have at most 1 MB." in answer.text
    assert list(settings.clips_dir.iterdir()) == []


async def test_files_within_the_quota_one_by_one_but_not_together_are_added_until_it_is_full(
    as_alice: httpx.AsyncClient, reel: Project, settings: Settings
) -> None:
    clip = clips.make("mp4").read_bytes()
    padded = clip + bytes(MB // 2 - len(clip) + 1)
    files = [("clips", (name, padded)) for name in ("first.mp4", "second.mp4")]

    answer = await as_alice.post(f"/projects/{reel.id}/clips", files=files)

    assert answer.status_code == 413
    assert QUOTA in answer.text
    assert "first.mp4" in answer.text
    assert len(list(settings.clips_dir.iterdir())) == 1
