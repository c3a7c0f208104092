"""Compilations: requested once, run by a worker, notified about, recovered, cancelled."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from app import clock
from app.broker import open_broker
from app.database import Database
from app.errors import Conflict, Forbidden
from app.models import Compilation, Event, Project, User
from app.notifications.inbox import feed
from app.projects import compilation_runs
from app.projects.compilation_runs import recover_compilations, run_compilation
from app.projects.compilations import cancel_compilation, enqueue, request_compilation
from app.projects.media_storage import remove, thumbnail_path, video_path
from app.projects.projects import delete_project
from app.projects.sharing import share_project
from app.settings import Settings
from tests.factories import make_team
from tests.projects.conftest import add


async def request(db: Database, project: Project, user: User) -> Compilation:
    async with db.act() as session:
        return await request_compilation(session, project, user)


async def read(db: Database, compilation: Compilation) -> Compilation:
    async with db.read() as session:
        return await session.get_one(Compilation, compilation.id)


async def change(db: Database, compilation: Compilation, **values: object) -> None:
    async with db.write() as session:
        changed = update(Compilation).where(Compilation.id == compilation.id).values(**values)
        await session.execute(changed)


async def notices_of(db: Database, user: User) -> list[str]:
    async with db.read() as session:
        return [notice.text for notice in await feed.newest(session, user.id)]


async def test_a_compilation_makes_a_video_and_notifies_owner_and_team(
    db: Database, settings: Settings, alice: User, bob: User, reel: Project
) -> None:
    team = await make_team(db, alice, viewers=[bob])
    async with db.act() as session:
        await share_project(session, alice, reel.id, team.id)
    await add(db, settings, reel, alice, "silent")
    await add(db, settings, reel, alice, "portrait")
    compilation = await request(db, reel, alice)

    await run_compilation(db, settings, compilation.id)

    done = await read(db, compilation)
    assert (done.status, done.progress) == ("completed", 1.0)
    assert done.duration == pytest.approx(1.2, abs=0.2)
    assert done.size == video_path(settings, done.id).stat().st_size
    assert thumbnail_path(settings, done.id).exists()
    for user in (alice, bob):
        assert "Compilation of 'Highlight Reel' is complete" in await notices_of(db, user)
    async with db.read() as session:
        event = (await session.scalars(select(Event).order_by(Event.id.desc()).limit(1))).one()
    assert event.actor_id is None
    assert event.context["size"] == done.size
    assert event.context["thumbnail"] == f"/projects/{reel.id}/compilations/{done.id}/thumbnail"


async def test_only_the_owner_is_notified_of_a_failure_which_names_the_missing_clip(
    db: Database, settings: Settings, alice: User, bob: User, reel: Project
) -> None:
    team = await make_team(db, alice, editors=[bob])
    async with db.act() as session:
        await share_project(session, alice, reel.id, team.id)
    clip = await add(db, settings, reel, alice, "silent")
    await remove([settings.clips_dir / clip.stored_as])
    compilation = await request(db, reel, bob)

    await run_compilation(db, settings, compilation.id)

    failed = await read(db, compilation)
    assert failed.status == "failed"
    assert failed.error == "The file of 'silent.mp4' is missing. Upload it again, or remove it."
    assert await notices_of(db, alice) == ["Compilation of 'Highlight Reel' failed"]
    assert "Compilation of 'Highlight Reel' failed" not in await notices_of(db, bob)


async def test_concurrent_requests_get_the_same_compilation(
    db: Database, settings: Settings, alice: User, reel: Project
) -> None:
    await add(db, settings, reel, alice)

    found = await asyncio.gather(*(request(db, reel, alice) for _ in range(4)))

    assert len({compilation.id for compilation in found}) == 1


async def test_a_project_without_clips_cannot_be_compiled(
    db: Database, alice: User, reel: Project
) -> None:
    with pytest.raises(Conflict):
        await request(db, reel, alice)


async def test_viewers_may_not_compile(
    db: Database, settings: Settings, alice: User, bob: User, reel: Project
) -> None:
    team = await make_team(db, alice, viewers=[bob])
    async with db.act() as session:
        await share_project(session, alice, reel.id, team.id)
    await add(db, settings, reel, alice)

    with pytest.raises(Forbidden):
        await request(db, reel, bob)


async def test_several_workers_make_one_video(
    db: Database, settings: Settings, alice: User, reel: Project
) -> None:
    await add(db, settings, reel, alice)
    compilation = await request(db, reel, alice)

    await asyncio.gather(*(run_compilation(db, settings, compilation.id) for _ in range(3)))

    assert (await read(db, compilation)).attempts == 1
    assert await notices_of(db, alice) == ["Compilation of 'Highlight Reel' is complete"]


async def test_a_cancelled_compilation_stops_and_leaves_no_file(
    db: Database, settings: Settings, alice: User, reel: Project
) -> None:
    await add(db, settings, reel, alice, "long")
    compilation = await request(db, reel, alice)
    running = asyncio.create_task(run_compilation(db, settings, compilation.id))
    await until_running(db, compilation)

    async with db.act() as session:
        await cancel_compilation(session, alice, reel.id, compilation.id)
    async with asyncio.timeout(10):
        await running

    assert (await read(db, compilation)).status == "cancelled"
    assert list(settings.compilations_dir.glob("*")) == []
    assert await notices_of(db, alice) == []


async def test_deleting_the_project_stops_its_compilation(
    db: Database, settings: Settings, alice: User, reel: Project
) -> None:
    await add(db, settings, reel, alice, "long")
    compilation = await request(db, reel, alice)
    running = asyncio.create_task(run_compilation(db, settings, compilation.id))
    await until_running(db, compilation)

    async with db.act() as session:
        await delete_project(session, settings, alice, reel.id)
    async with asyncio.timeout(10):
        await running

    assert list(settings.compilations_dir.glob("*")) == []


async def test_a_worker_that_stops_gives_its_attempt_back(
    db: Database,
    settings: Settings,
    alice: User,
    reel: Project,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await add(db, settings, reel, alice)
    compilation = await request(db, reel, alice)
    begun = asyncio.Event()

    async def concatenate_forever(*_files: object, **_how: object) -> None:
        begun.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(compilation_runs, "concatenate", concatenate_forever)
    running = asyncio.create_task(run_compilation(db, settings, compilation.id))
    await begun.wait()

    running.cancel()
    await asyncio.wait([running])

    left = await read(db, compilation)
    assert running.cancelled()
    assert (left.status, left.attempts) == ("queued", 0)


async def test_a_worker_that_stops_between_claim_and_run_gives_its_attempt_back(
    db: Database,
    settings: Settings,
    alice: User,
    reel: Project,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await add(db, settings, reel, alice)
    compilation = await request(db, reel, alice)
    claim, has_committed, goes_on = compilation_runs._claim, asyncio.Event(), asyncio.Event()

    async def claim_slowly(db: Database, compilation_id: int) -> Any:
        claimed = await claim(db, compilation_id)
        has_committed.set()
        await goes_on.wait()
        return claimed

    monkeypatch.setattr(compilation_runs, "_claim", claim_slowly)
    running = asyncio.create_task(run_compilation(db, settings, compilation.id))
    await has_committed.wait()

    running.cancel()
    goes_on.set()
    await asyncio.wait([running])

    left = await read(db, compilation)
    assert running.cancelled()
    assert (left.status, left.attempts) == ("queued", 0)


async def until_running(db: Database, compilation: Compilation) -> None:
    async with asyncio.timeout(10):
        while (await read(db, compilation)).status != "running":  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_a_compilation_of_a_dead_worker_is_run_again(
    db: Database, settings: Settings, alice: User, reel: Project
) -> None:
    await add(db, settings, reel, alice)
    compilation = await request(db, reel, alice)
    silent_since = clock.now() - timedelta(seconds=61)
    await change(db, compilation, status="running", attempts=1, touched_at=silent_since)

    await run_compilation(db, settings, compilation.id)

    assert (await read(db, compilation)).status == "completed"


async def test_a_running_compilation_is_left_to_its_worker(
    db: Database, settings: Settings, alice: User, reel: Project
) -> None:
    await add(db, settings, reel, alice)
    compilation = await request(db, reel, alice)
    await change(db, compilation, status="running", attempts=1, touched_at=clock.now())

    await run_compilation(db, settings, compilation.id)

    assert (await read(db, compilation)).status == "running"


async def test_recovery_queues_each_attempt_once(
    db: Database, settings: Settings, alice: User, reel: Project
) -> None:
    await add(db, settings, reel, alice)
    compilation = await request(db, reel, alice)
    broker = open_broker(settings)
    await broker.connect()

    await enqueue(broker, compilation)
    await recover_compilations(db, broker)
    await recover_compilations(db, broker)
    queued = await broker.compilations.count("queued")
    await broker.disconnect()

    assert queued == 1


async def test_after_two_dead_workers_it_fails(
    db: Database, settings: Settings, alice: User, reel: Project
) -> None:
    await add(db, settings, reel, alice)
    compilation = await request(db, reel, alice)
    silent_since = clock.now() - timedelta(seconds=61)
    await change(db, compilation, status="running", attempts=2, touched_at=silent_since)
    broker = open_broker(settings)
    await broker.connect()

    await recover_compilations(db, broker)
    await recover_compilations(db, broker)
    await broker.disconnect()

    failed = await read(db, compilation)
    assert failed.status == "failed"
    assert failed.error == "The server was interrupted several times. Please try again."
    assert await notices_of(db, alice) == ["Compilation of 'Highlight Reel' failed"]


async def test_progress_is_written_while_it_grows(
    db: Database, settings: Settings, alice: User, reel: Project
) -> None:
    await add(db, settings, reel, alice)
    compilation = await request(db, reel, alice)
    await change(db, compilation, status="running", attempts=1, touched_at=clock.now())
    run = compilation_runs._Run(compilation.id, reel.id, 1, "en")
    reporter = compilation_runs._Reporter(db, run, None)
    reporting = asyncio.create_task(reporter.report_forever())

    await reporter.set_progress(0.25)
    async with asyncio.timeout(5):
        while (await read(db, compilation)).progress != 0.25:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await change(db, compilation, status="cancelled")

    with pytest.raises(compilation_runs._Lost):
        await reporting
