"""Compilations while the queue is locked, and uploads and videos while the disk is full."""

import sqlite3
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from app.broker.sqlite import file as sqlite_file
from app.database import Database
from app.models import Compilation, Project, User
from app.projects import compilation_runs
from app.projects.compilation_runs import run_compilation
from app.projects.compilations import request_compilation
from app.settings import Settings
from tests.conftest import post, sign_in
from tests.outages import locked_by_another_process, refusing_writes
from tests.projects.conftest import add

pytestmark = pytest.mark.sqlite


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_file, "BUSY_SECONDS", 0.5)


@pytest.mark.usefixtures("impatient")
async def test_a_compilation_is_requested_though_the_queue_is_locked(
    client: httpx.AsyncClient, db: Database, settings: Settings, alice: User, reel: Project
) -> None:
    """Its row is the request, and a worker looks for such rows every minute."""
    await sign_in(client, alice)
    await add(db, settings, reel, alice)
    with locked_by_another_process(settings.sqlite_path.with_name("queue.db")):
        answer = await post(client, f"/projects/{reel.id}/compile")

    async with db.read() as session:
        statuses = (await session.scalars(select(Compilation.status))).all()
    assert (answer.status_code, statuses) == (303, ["queued"])


async def test_a_video_is_finished_though_its_progress_could_not_be_written(
    db: Database,
    settings: Settings,
    alice: User,
    reel: Project,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nor could its completion, at first."""
    monkeypatch.setattr(compilation_runs, "REPORT_SECONDS", 0.05)
    await add(db, settings, reel, alice)
    async with db.act() as session:
        await request_compilation(session, settings, reel, alice)
    make_video = compilation_runs._make_video
    refused = refusing_writes(db, sqlite3.SQLITE_FULL)

    async def make(*given: Any) -> Any:
        refused.__enter__()
        return await make_video(*given)

    attempts = []
    complete = compilation_runs._complete

    async def complete_later(*given: Any) -> None:
        attempts.append(1)
        if len(attempts) == 2:
            refused.__exit__(None, None, None)
        await complete(*given)

    monkeypatch.setattr(compilation_runs, "_make_video", make)
    monkeypatch.setattr(compilation_runs, "_complete", complete_later)

    await run_compilation(db, settings)

    async with db.read() as session:
        made = (await session.scalars(select(Compilation))).one()
    assert (made.status, made.attempts, len(attempts)) == ("completed", 1, 2)
