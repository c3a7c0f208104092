"""Ordinary acts, by page and by API, leave nothing in the logs of web and worker but news."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import func, select

from app import clock
from app.models import Compilation, Delivery, User
from tests import clips
from tests.api.conftest import key_of
from tests.journeys.running import Site, post_as

# A line of the log that tells of trouble. What is told at the start is no trouble.
_TROUBLE = re.compile(r"^.*(?: WARNING | ERROR | CRITICAL |Traceback|Error: ).*$", re.M)
_AT_THE_START = ("app.process.private_files: Made",)
NO_DELAY = {"EMAIL_DELAY_SECONDS": "0", "PUSH_DELAY_SECONDS": "0", "LOG_LEVEL": "info"}


@pytest.mark.parametrize("site", [NO_DELAY], indirect=True)
async def test_ordinary_acts_log_no_trouble(
    site: Site, alice: User, bob: User, carol: User
) -> None:
    async with program(site, alice) as as_alice, program(site, bob) as as_bob:
        await act_on_teams(site, as_alice, as_bob, bob, carol)
        await act_on_projects(as_alice)
        await act_on_notifications(as_bob)
        await act_by_pages(site, alice)
        await nothing_is_pending(site)
        await site.worker.stop()

    assert trouble_in(site.log) == []


@asynccontextmanager
async def program(site: Site, user: User) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the API with a token of the user."""
    headers = {"Authorization": f"Bearer {await key_of(site.db, user)}"}
    async with httpx.AsyncClient(base_url=site.url, timeout=60, headers=headers) as client:
        yield client


async def act_on_teams(
    site: Site, as_alice: httpx.AsyncClient, as_bob: httpx.AsyncClient, bob: User, carol: User
) -> None:
    team = (await as_alice.post("/api/teams", json={"name": "Video Squad"})).json()
    url = f"/api/teams/{team['id']}"
    sent = [
        await as_alice.post(f"{url}/invitations", json={"email": email, "role": "editor"})
        for email in (bob.email, carol.email, "dora@example.com", "emil@example.com")
    ]
    assert [answer.status_code for answer in sent] == [201] * 4
    tokens = [answer.json()["token"] for answer in sent]
    await as_bob.post(f"/api/invitations/{tokens[0]}/accept")
    await as_alice.delete(f"{url}/invitations/{sent[2].json()['id']}")
    await as_alice.put(f"{url}/members/{bob.id}", json={"role": "admin"})
    await as_alice.put(url, json={"name": "Film Squad"})
    custom = {"type": "custom", "team_id": team["id"], "title": "Render done"}
    assert (await as_alice.post("/api/events", json=custom)).is_success
    await post_as(site, carol, f"/invitations/{tokens[1]}/decline")


async def act_on_projects(as_alice: httpx.AsyncClient) -> None:
    team_id = (await as_alice.get("/api/teams")).json()["teams"][0]["id"]
    project = (await as_alice.post("/api/projects", json={"name": "Highlight Reel"})).json()
    url = f"/api/projects/{project['id']}"
    files = [("clips", ("a.mp4", clips.make("silent").read_bytes(), "video/mp4"))]
    assert (await as_alice.post(f"{url}/clips", files=files)).status_code == 201
    assert (await as_alice.post(f"{url}/share", json={"team_id": team_id})).is_success
    assert (await as_alice.post(f"{url}/compile")).status_code == 202


async def act_on_notifications(as_bob: httpx.AsyncClient) -> None:
    listed = (await as_bob.get("/api/notifications")).json()["notifications"]
    assert listed
    await as_bob.post(f"/api/notifications/{listed[0]['id']}/read")
    done = await as_bob.post(
        "/api/notifications/bulk-delete", json={"notification_ids": [listed[0]["id"]]}
    )
    await as_bob.post("/api/notifications/undo", json={"undo": done.json()["undo"]})
    await as_bob.post("/api/notifications/read-all")
    async with as_bob.stream("GET", "/api/notifications/stream") as stream:
        async for line in stream.aiter_lines():
            if line.startswith("data"):
                break


async def act_by_pages(site: Site, alice: User) -> None:
    await post_as(site, alice, "/teams/1/invitations", email="fritz@example.com", role="viewer")
    await post_as(site, alice, "/teams", name="Another")
    async with httpx.AsyncClient(base_url=site.url, timeout=60) as client:
        for path in ("/", "/login", "/register", "/nowhere", "/teams/999", "/api/nowhere"):
            await client.get(path)


async def nothing_is_pending(site: Site) -> None:
    """Every mail is written and every video is made; what is not due for a long time may wait."""
    async with asyncio.timeout(180):
        while await _pending(site):  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.1)


async def _pending(site: Site) -> int:
    soon = clock.now() + timedelta(minutes=1)
    mails = select(func.count()).where(Delivery.settled_at.is_(None), Delivery.due_at < soon)
    videos = select(func.count()).where(Compilation.finished_at.is_(None))
    async with site.db.read() as session:
        return (await session.scalar(mails) or 0) + (await session.scalar(videos) or 0)


def trouble_in(log: str) -> list[str]:
    lines = [match[0] for match in _TROUBLE.finditer(log)]
    return [line for line in lines if not any(words in line for words in _AT_THE_START)]


async def test_trouble_is_recognized() -> None:
    log = "\n".join(
        [
            "2026-11-28 17:03:19,316 INFO app.requests: GET /healthz",
            "2026-11-28 17:03:19,316 WARNING app.process.private_files: Made 2 files and folders private",
            "2026-11-28 17:03:19,316 ERROR saq: job failed",
            "| TypeError: deliver() missing 1 required keyword-only argument: 'channel'",
        ]
    )

    assert len(trouble_in(log)) == 2
