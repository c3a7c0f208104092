"""Who may request, cancel and find a compilation, and which one they get."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from app.broker import open_broker
from app.database import Database
from app.errors import Conflict, Forbidden, NotFound
from app.models import Clip, Compilation, Notification, Project, User
from app.notifications.events.catalogue import COMPILATION_FAILED
from app.notifications.notify import notify
from app.projects.compilations import (
    cancel_compilation,
    enqueue,
    find_notified_project,
    find_result,
    request_compilation,
    start_compilation,
)
from app.projects.project_views import view_compilation
from app.projects.projects import create_project
from app.projects.sharing import share_project
from app.settings import Settings
from app.values.sizes import MB
from tests.factories import make_team
from tests.projects.conftest import finished


@pytest.fixture
async def other(db: Database, alice: User) -> Project:
    """Another project of alice."""
    async with db.act() as session:
        return await create_project(session, alice, "Best Clips 2025")


async def add_clip_row(db: Database, project: Project) -> None:
    """A clip without a file, for compilations that never run."""
    async with db.write() as session:
        clip = Clip(project_id=project.id, position=0, filename="a.mp4", stored_as="a", size=1)
        session.add(clip)


async def add_compilation(db: Database, project: Project, status: str) -> Compilation:
    async with db.write() as session:
        compilation = Compilation(project_id=project.id, status=status)
        session.add(compilation)
    return compilation


async def request(db: Database, settings: Settings, project: Project, user: User) -> Compilation:
    async with db.act() as session:
        return await request_compilation(session, settings, project, user)


async def notify_of_failure(db: Database, project: Project, failed: Compilation) -> None:
    async with db.act() as session:
        await notify(session, COMPILATION_FAILED, project=project, compilation=failed, error="?")


async def notification_of(db: Database, user: User) -> int:
    async with db.read() as session:
        newest = select(Notification.id).where(Notification.user_id == user.id)
        return (await session.scalars(newest.order_by(Notification.id.desc()))).first() or 0


async def test_a_clip_of_another_project_does_not_count(
    db: Database, settings: Settings, alice: User, reel: Project, other: Project
) -> None:
    await add_clip_row(db, other)

    with pytest.raises(Conflict):
        await request(db, settings, reel, alice)


async def test_each_project_has_its_own_unfinished_compilation(
    db: Database, settings: Settings, alice: User, reel: Project, other: Project
) -> None:
    await add_clip_row(db, reel)
    await add_clip_row(db, other)

    first, second = (
        await request(db, settings, reel, alice),
        await request(db, settings, other, alice),
    )

    assert (first.project_id, second.project_id) == (reel.id, other.id)


@pytest.mark.parametrize("status", ["completed", "failed", "cancelled"])
async def test_after_a_finished_compilation_a_new_one_is_made(
    db: Database, settings: Settings, alice: User, reel: Project, status: str
) -> None:
    await add_clip_row(db, reel)
    finished = await add_compilation(db, reel, status)

    compilation = await request(db, settings, reel, alice)

    assert compilation.id != finished.id
    assert (compilation.status, compilation.requested_by_id) == ("queued", alice.id)


async def test_a_started_compilation_is_queued_once_for_each_attempt(
    db: Database, settings: Settings, alice: User, reel: Project
) -> None:
    await add_clip_row(db, reel)
    broker = open_broker(settings)
    await broker.connect()

    compilation = await start_compilation(db, broker, settings, alice, reel.id)
    await enqueue(broker, compilation)
    first_attempt = await broker.compilations.count("queued")
    compilation.attempts = 1
    await enqueue(broker, compilation)
    second_attempt = await broker.compilations.count("queued")
    await broker.disconnect()

    assert (first_attempt, second_attempt) == (1, 2)


async def test_outsiders_can_neither_start_nor_cancel(
    db: Database, settings: Settings, bob: User, reel: Project
) -> None:
    running = await add_compilation(db, reel, "running")
    broker = open_broker(settings)

    with pytest.raises(NotFound):
        await start_compilation(db, broker, settings, bob, reel.id)
    async with db.act() as session:
        with pytest.raises(NotFound):
            await cancel_compilation(session, bob, reel.id, running.id)


async def test_viewers_may_not_cancel_and_editors_may(
    db: Database, alice: User, bob: User, carol: User, reel: Project
) -> None:
    team = await make_team(db, alice, editors=[bob], viewers=[carol])
    running = await add_compilation(db, reel, "running")
    async with db.act() as session:
        await share_project(session, alice, reel.id, team.id)

    async with db.act() as session:
        with pytest.raises(Forbidden):
            await cancel_compilation(session, carol, reel.id, running.id)
        await cancel_compilation(session, bob, reel.id, running.id)

    async with db.read() as session:
        cancelled = await session.get_one(Compilation, running.id)
    assert cancelled.status == "cancelled"
    assert cancelled.finished_at


@pytest.mark.parametrize("status", ["completed", "failed", "cancelled"])
async def test_a_finished_compilation_cannot_be_cancelled(
    db: Database, alice: User, reel: Project, status: str
) -> None:
    finished = await add_compilation(db, reel, status)

    async with db.act() as session:
        with pytest.raises(Conflict):
            await cancel_compilation(session, alice, reel.id, finished.id)


async def test_cancelling_leaves_other_compilations_alone(
    db: Database, alice: User, reel: Project, other: Project
) -> None:
    queued = await add_compilation(db, reel, "queued")
    running = await add_compilation(db, other, "running")

    async with db.act() as session:
        with pytest.raises(NotFound):
            await cancel_compilation(session, alice, reel.id, running.id)
        await cancel_compilation(session, alice, reel.id, queued.id)

    async with db.read() as session:
        assert (await session.get_one(Compilation, running.id)).status == "running"


async def test_only_a_completed_compilation_has_a_video(
    db: Database, alice: User, reel: Project
) -> None:
    completed = await add_compilation(db, reel, "completed")
    running = await add_compilation(db, reel, "running")

    async with db.read() as session:
        assert (await find_result(session, alice, reel.id, completed.id)).id == reel.id
        with pytest.raises(NotFound):
            await find_result(session, alice, reel.id, running.id)


async def test_a_video_is_found_only_under_its_project_and_only_by_its_viewers(
    db: Database, alice: User, bob: User, reel: Project, other: Project
) -> None:
    completed = await add_compilation(db, reel, "completed")

    async with db.read() as session:
        with pytest.raises(NotFound):
            await find_result(session, alice, other.id, completed.id)
        with pytest.raises(NotFound):
            await find_result(session, bob, reel.id, completed.id)


async def test_the_newest_video_stays_after_a_failure(
    db: Database, alice: User, reel: Project, other: Project
) -> None:
    await add_compilation(db, reel, "completed")
    newest = await add_compilation(db, reel, "completed")
    failed = await add_compilation(db, reel, "failed")
    await add_compilation(db, other, "completed")

    async with db.read() as session:
        shown = await view_compilation(session, alice, reel)

    assert shown.video
    assert shown.latest
    assert (shown.video.id, shown.latest.id) == (newest.id, failed.id)


async def test_a_failure_can_be_retried_by_its_recipient_alone(
    db: Database, alice: User, bob: User, reel: Project
) -> None:
    await notify_of_failure(db, reel, await add_compilation(db, reel, "failed"))
    notification_id = await notification_of(db, alice)

    async with db.read() as session:
        assert (await find_notified_project(session, alice, notification_id)).id == reel.id
        with pytest.raises(NotFound):
            await find_notified_project(session, bob, notification_id)


async def test_each_notification_leads_to_its_own_project(
    db: Database, alice: User, reel: Project, other: Project
) -> None:
    await notify_of_failure(db, reel, await add_compilation(db, reel, "failed"))
    first = await notification_of(db, alice)
    await notify_of_failure(db, other, await add_compilation(db, other, "failed"))
    second = await notification_of(db, alice)

    async with db.read() as session:
        found = [await find_notified_project(session, alice, one) for one in (first, second)]

    assert [project.id for project in found] == [reel.id, other.id]


async def test_a_notification_about_something_else_cannot_be_retried(
    db: Database, alice: User, bob: User, reel: Project
) -> None:
    team = await make_team(db, alice, editors=[bob])
    async with db.act() as session:
        await share_project(session, alice, reel.id, team.id)
    shared = await notification_of(db, bob)

    async with db.read() as session:
        with pytest.raises(NotFound):
            await find_notified_project(session, bob, shared)


async def test_over_the_quota_nothing_new_is_compiled_and_nothing_is_removed(
    db: Database, settings: Settings, alice: User, bob: User, reel: Project
) -> None:
    team = await make_team(db, alice, editors=[bob])
    async with db.act() as session:
        await share_project(session, alice, reel.id, team.id)
    await add_clip_row(db, reel)
    video = finished(reel, size=MB)
    async with db.write() as session:
        session.add(video)
    narrow = replace(settings, upload_quota_mb=1)

    for user in (alice, bob):
        with pytest.raises(Conflict, match=r"videos 1 MB .* of 1 MB\. Delete clips, or projects"):
            await request(db, narrow, reel, user)

    async with db.read() as session:
        (kept,) = await session.scalars(select(Compilation))
    assert (kept.id, kept.video_removed_at) == (video.id, None)


async def test_the_unfinished_compilation_is_returned_even_over_the_quota(
    db: Database, settings: Settings, alice: User, reel: Project
) -> None:
    await add_clip_row(db, reel)
    running = await request(db, settings, reel, alice)
    async with db.write() as session:
        session.add(finished(reel, size=MB))

    again = await request(db, replace(settings, upload_quota_mb=1), reel, alice)

    assert again.id == running.id
