"""Compilations: requested once, run by a worker, notified about, recovered, cancelled."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from app import clock
from app.broker import open_broker
from app.database import Database
from app.errors import Conflict, Forbidden
from app.models import Compilation, Event, Project, User
from app.projects import compilation_runs
from app.projects.compilation_runs import recover_compilations, run_compilation
from app.projects.compilations import (
    cancel_compilation,
    enqueue,
    request_compilation,
    rotate_videos,
    sweep_videos,
    sweep_work_folders,
)
from app.projects.media_storage import remove, thumbnail_path, video_path, work_folder
from app.projects.projects import delete_project
from app.projects.sharing import share_project
from app.projects.storage import storage_of
from app.projects.video.turns import Turns
from app.settings import Settings
from app.values.sizes import MB
from tests.bell import newest_notices
from tests.factories import make_team
from tests.projects.conftest import add, finished


async def request(db: Database, settings: Settings, project: Project, user: User) -> Compilation:
    async with db.act() as session:
        return await request_compilation(session, settings, project, user)


async def read(db: Database, compilation: Compilation) -> Compilation:
    async with db.read() as session:
        return await session.get_one(Compilation, compilation.id)


async def change(db: Database, compilation: Compilation, **values: object) -> None:
    async with db.write() as session:
        changed = update(Compilation).where(Compilation.id == compilation.id).values(**values)
        await session.execute(changed)


async def notices_of(db: Database, user: User) -> list[str]:
    async with db.read() as session:
        return [notice.text for notice in await newest_notices(session, user.id)]


async def test_a_compilation_makes_a_video_and_notifies_owner_and_team(
    db: Database, settings: Settings, alice: User, bob: User, reel: Project
) -> None:
    team = await make_team(db, alice, viewers=[bob])
    async with db.act() as session:
        await share_project(session, alice, reel.id, team.id)
    await add(db, settings, reel, alice, "silent")
    await add(db, settings, reel, alice, "portrait")
    compilation = await request(db, settings, reel, alice)

    await run_compilation(db, settings)

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
    compilation = await request(db, settings, reel, bob)

    await run_compilation(db, settings)

    failed = await read(db, compilation)
    assert failed.status == "failed"
    assert failed.error == "The file of 'silent.mp4' is missing. Upload it again, or remove it."
    assert await notices_of(db, alice) == ["Compilation of 'Highlight Reel' failed"]
    assert "Compilation of 'Highlight Reel' failed" not in await notices_of(db, bob)


async def test_concurrent_requests_get_the_same_compilation(
    db: Database, settings: Settings, alice: User, reel: Project
) -> None:
    await add(db, settings, reel, alice)

    found = await asyncio.gather(*(request(db, settings, reel, alice) for _ in range(4)))

    assert len({compilation.id for compilation in found}) == 1


async def test_a_project_without_clips_cannot_be_compiled(
    db: Database, settings: Settings, alice: User, reel: Project
) -> None:
    with pytest.raises(Conflict):
        await request(db, settings, reel, alice)


async def test_viewers_may_not_compile(
    db: Database, settings: Settings, alice: User, bob: User, reel: Project
) -> None:
    team = await make_team(db, alice, viewers=[bob])
    async with db.act() as session:
        await share_project(session, alice, reel.id, team.id)
    await add(db, settings, reel, alice)

    with pytest.raises(Forbidden):
        await request(db, settings, reel, bob)


async def test_several_workers_make_one_video(
    db: Database, settings: Settings, alice: User, reel: Project
) -> None:
    await add(db, settings, reel, alice)
    compilation = await request(db, settings, reel, alice)

    await asyncio.gather(*(run_compilation(db, settings) for _ in range(3)))

    assert (await read(db, compilation)).attempts == 1
    assert await notices_of(db, alice) == ["Compilation of 'Highlight Reel' is complete"]


async def test_a_cancelled_compilation_stops_and_leaves_no_file(
    db: Database, settings: Settings, alice: User, reel: Project
) -> None:
    await add(db, settings, reel, alice, "long")
    compilation = await request(db, settings, reel, alice)
    running = asyncio.create_task(run_compilation(db, settings))
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
    compilation = await request(db, settings, reel, alice)
    running = asyncio.create_task(run_compilation(db, settings))
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
    compilation = await request(db, settings, reel, alice)
    begun = asyncio.Event()

    async def concatenate_forever(*_files: object, **_how: object) -> None:
        begun.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(compilation_runs, "concatenate", concatenate_forever)
    running = asyncio.create_task(run_compilation(db, settings))
    await asyncio.wait_for(begun.wait(), 10)

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
    compilation = await request(db, settings, reel, alice)
    claim, has_committed, goes_on = compilation_runs._claim, asyncio.Event(), asyncio.Event()

    async def claim_slowly(db: Database) -> Any:
        claimed = await claim(db)
        has_committed.set()
        await goes_on.wait()
        return claimed

    monkeypatch.setattr(compilation_runs, "_claim", claim_slowly)
    running = asyncio.create_task(run_compilation(db, settings))
    await asyncio.wait_for(has_committed.wait(), 10)

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
    compilation = await request(db, settings, reel, alice)
    silent_since = clock.now() - timedelta(seconds=61)
    await change(db, compilation, status="running", attempts=1, touched_at=silent_since)

    await run_compilation(db, settings)

    assert (await read(db, compilation)).status == "completed"


async def test_a_running_compilation_is_left_to_its_worker(
    db: Database, settings: Settings, alice: User, reel: Project
) -> None:
    await add(db, settings, reel, alice)
    compilation = await request(db, settings, reel, alice)
    await change(db, compilation, status="running", attempts=1, touched_at=clock.now())

    await run_compilation(db, settings)

    assert (await read(db, compilation)).status == "running"


async def test_recovery_queues_each_attempt_once(
    db: Database, settings: Settings, alice: User, reel: Project
) -> None:
    await add(db, settings, reel, alice)
    compilation = await request(db, settings, reel, alice)
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
    compilation = await request(db, settings, reel, alice)
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
    compilation = await request(db, settings, reel, alice)
    await change(db, compilation, status="running", attempts=1, touched_at=clock.now())
    run = compilation_runs._Run(compilation.id, reel.id, 1, "en")
    reporter = compilation_runs._Reporter(db, run)
    reporting = asyncio.create_task(reporter.report_forever())

    await reporter.set_progress(0.25)
    async with asyncio.timeout(5):
        while (await read(db, compilation)).progress != 0.25:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await change(db, compilation, status="cancelled")

    with pytest.raises(compilation_runs._Lost):
        await reporting


async def test_one_persons_compilation_is_next_after_the_flood_of_another(
    db: Database, settings: Settings, alice: User, bob: User
) -> None:
    flood = [await queue(db, alice, f"Alice's {number}") for number in range(12)]
    await begin_next(db)
    alone = await queue(db, bob, "Bob's own")

    order = [await begin_next(db) for _ in range(4)]

    assert order == [alone.id, *(one.id for one in flood[1:4])]


async def test_users_take_turns_regardless_of_project_owners_and_deletions(
    db: Database, settings: Settings, alice: User, bob: User
) -> None:
    served = await queue(db, bob, "Bob's first", requested_by=alice)
    assert await begin_next(db) == served.id
    waiting = [await queue(db, owner, "More", requested_by=alice) for owner in (bob, alice)]
    async with db.act() as session:
        await delete_project(session, settings, bob, served.project_id)
    alone = await queue(db, bob, "Bob's second")

    order = [await begin_next(db) for _ in range(3)]

    assert order == [alone.id, *(one.id for one in waiting)]


async def test_of_two_who_both_wait_the_one_served_longest_ago_is_next(
    db: Database, settings: Settings, alice: User, bob: User
) -> None:
    waiting = {
        owner.id: [(await queue(db, owner, f"{number}")).id for number in range(3)]
        for owner in (alice, bob)
    }

    order = [await begin_next(db) for _ in range(6)]

    assert order == [
        one for pair in zip(waiting[alice.id], waiting[bob.id], strict=True) for one in pair
    ]


async def test_ffmpeg_works_for_the_one_who_asked(
    db: Database, settings: Settings, alice: User, bob: User, reel: Project
) -> None:
    team = await make_team(db, alice, editors=[bob])
    async with db.act() as session:
        await share_project(session, alice, reel.id, team.id)
    await add(db, settings, reel, alice)
    await request(db, settings, reel, bob)
    turns = Recorded(settings.data_dir / "ffmpeg", 1)
    observed = Database(settings.database_url, info={**await info_of(db), "turns": turns})

    await run_compilation(observed, settings)
    await observed.close()

    assert set(turns.takers) == {bob.id}


async def test_a_quota_used_up_by_the_videos_ahead_fails_the_next(
    db: Database, settings: Settings, alice: User, reel: Project
) -> None:
    await add(db, settings, reel, alice)
    compilation = await request(db, settings, reel, alice)
    async with db.write() as session:
        other = Project(name="Other", owner_id=alice.id)
        session.add(other)
        await session.flush()
        session.add(finished(other, size=2 * MB))

    await run_compilation(db, replace(settings, upload_quota_mb=1))

    failed = await read(db, compilation)
    assert failed.status == "failed"
    assert "videos 2 MB and uploads in progress 0 MB of 1 MB. Delete" in (failed.error or "")


async def test_a_project_keeps_its_newest_three_videos(
    db: Database, settings: Settings, alice: User, reel: Project
) -> None:
    await add(db, settings, reel, alice)
    made = []
    for _ in range(5):
        made.append(await request(db, settings, reel, alice))
        await run_compilation(db, settings)

    rows = [await read(db, compilation) for compilation in made]
    assert [row.status for row in rows] == ["completed"] * 5
    assert [bool(row.video_removed_at) for row in rows] == [True, True, False, False, False]
    assert [video_path(settings, row.id).exists() for row in rows] == [False] * 2 + [True] * 3
    assert all(thumbnail_path(settings, row.id).exists() for row in rows)
    async with db.read() as session:
        storage = await storage_of(session, settings, alice.id)
    assert storage.videos == sum(row.size or 0 for row in rows[2:])


async def test_videos_from_before_the_rule_and_of_other_projects_stay(
    db: Database, settings: Settings, alice: User, reel: Project
) -> None:
    async with db.act() as session:
        other = Project(name="Other", owner_id=alice.id)
        session.add(other)
        await session.flush()
        before = [finished(reel) for _ in range(4)]
        for compilation in before:
            compilation.is_rotated = False
        session.add_all([*before, *(finished(reel) for _ in range(3)), finished(other)])
        await session.flush()
        outdated = await rotate_videos(session, reel.id)

    assert outdated == []


async def test_the_video_that_a_crashed_worker_gave_up_is_removed_later(
    db: Database, settings: Settings, reel: Project
) -> None:
    async with db.write() as session:
        given_up, kept = finished(reel), finished(reel)
        given_up.video_removed_at = clock.now()
        session.add_all([given_up, kept])
    settings.compilations_dir.mkdir()
    for compilation in (given_up, kept):
        video_path(settings, compilation.id).touch()

    await sweep_videos(db, settings)

    assert [file.name for file in settings.compilations_dir.iterdir()] == [f"{kept.id}.mp4"]


async def test_only_the_work_of_running_attempts_is_kept(
    db: Database, settings: Settings, reel: Project
) -> None:
    async with db.write() as session:
        running = Compilation(project_id=reel.id, status="running", attempts=2)
        ended = finished(reel)
        session.add_all([running, ended])
    running_now = work_folder(settings, running.id, 2)
    others = [work_folder(settings, running.id, 1), work_folder(settings, ended.id, 1)]
    for folder in (running_now, *others):
        folder.mkdir(parents=True)
        (folder / "0.mp4").touch()

    await sweep_work_folders(db, settings)

    assert list(settings.compilations_dir.iterdir()) == [running_now]


async def test_two_attempts_at_one_video_do_not_disturb_each_other(
    db: Database, settings: Settings, alice: User, reel: Project
) -> None:
    await add(db, settings, reel, alice, "long")
    compilation = await request(db, settings, reel, alice)
    first = asyncio.create_task(run_compilation(db, settings))
    await until_running(db, compilation)
    silent = update(Compilation).values(touched_at=clock.now() - timedelta(minutes=1))

    async with db.write() as session:
        await session.execute(silent)
    await run_compilation(db, settings)
    await first

    done = await read(db, compilation)
    assert (done.status, done.attempts) == ("completed", 2)
    assert video_path(settings, done.id).stat().st_size == done.size
    assert not list(settings.compilations_dir.glob("*.work"))


async def queue(
    db: Database, owner: User, name: str, *, requested_by: User | None = None
) -> Compilation:
    """A compilation that waits, of a new project of the owner."""
    async with db.write() as session:
        project = Project(name=name, owner_id=owner.id)
        session.add(project)
        await session.flush()
        requester = requested_by or owner
        compilation = Compilation(project_id=project.id, requested_by_id=requester.id)
        session.add(compilation)
    return compilation


async def begin_next(db: Database) -> int | None:
    """The compilation that a worker begins next; it stays running."""
    run = await compilation_runs._claim(db)
    return run.compilation_id if run else None


async def info_of(db: Database) -> dict[str, object]:
    async with db.read() as session:
        return dict(session.info)


class Recorded(Turns):
    """Notes who took a turn."""

    takers: list[int]

    def __init__(self, folder: Path, slots: int) -> None:
        super().__init__(folder, slots)
        self.takers = []

    @asynccontextmanager
    async def take(self, user_id: int) -> AsyncIterator[None]:
        self.takers.append(user_id)
        async with super().take(user_id):
            yield
