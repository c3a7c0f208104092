"""From a touched topic to the pages of the users who may see it."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from sqlalchemy import event

from app.broker.relay import ProcessRelay
from app.database import Database
from app.models import Project, Team, User
from app.notifications.live import topic_publisher
from app.notifications.live.follower import Changes, Follower, Publisher
from app.notifications.live.html import Bells
from app.notifications.live.hub import Hub
from app.notifications.live.publisher import StreamPublisher
from app.notifications.live.stream import HTML
from app.notifications.live.topic_publisher import TopicPublisher, Viewers
from app.process import background
from app.projects.projects import create_project, delete_project, rename_project, set_muted
from app.projects.sharing import share_project, unshare_project
from app.settings import Settings
from app.teams.membership import remove_member
from app.teams.teams import delete_team, mute_team, rename_team
from app.topics import PROGRESS, PROJECT, TEAM, touch
from app.visibility import project_viewers, team_viewers
from tests.factories import make_account, make_team
from tests.outages import sqlite_error

VIEWERS: Viewers = {
    TEAM: team_viewers,
    PROJECT: project_viewers,
    PROGRESS: project_viewers,
}


class Listening(Hub):
    """A hub at which these users have a page open; it remembers the events sent to each."""

    def __init__(self, *users: User) -> None:
        super().__init__()
        self.heard: dict[int, list[str]] = {user.id: [] for user in users}

    def connected(self, format: object = HTML) -> Any:
        return self.heard.keys()

    def send(
        self, user_id: int, frame: bytes, format: object = HTML, position: int | None = None
    ) -> None:
        assert (format, position) == (HTML, None)
        name, data = frame.decode().strip().split("\n")
        assert data == "data: {}"
        if user_id in self.heard:
            self.heard[user_id].append(name.removeprefix("event: "))

    async def until(self, user: User, name: str) -> None:
        async with asyncio.timeout(10):
            while name not in self.heard[user.id]:  # noqa: ASYNC110
                await asyncio.sleep(0.005)


@asynccontextmanager
async def telling(
    db: Database, hub: Hub, publisher: Publisher | None = None
) -> AsyncIterator[None]:
    relay = ProcessRelay()
    await relay.connect()
    db._poke = relay.poke
    follower = Follower(db, relay, hub, publisher or StreamPublisher(db, hub, Bells(db)))
    async with follower.running(), TopicPublisher(db, relay, hub, follower, VIEWERS).running():
        yield
    await relay.disconnect()


@pytest.fixture
async def squad(db: Database, alice: User, bob: User) -> Team:
    return await make_team(db, alice, "Video Squad", viewers=[bob])


@pytest.fixture
async def reel(db: Database, alice: User, squad: Team) -> Project:
    """Of alice, shared with the squad."""
    async with db.act() as session:
        project = await create_project(session, alice, "Highlight Reel")
        await share_project(session, alice, project.id, squad.id)
    return project


async def test_a_change_is_published_to_users_who_may_see_it_and_nobody_else(
    db: Database, alice: User, bob: User, carol: User, squad: Team, reel: Project
) -> None:
    hub = Listening(alice, bob, carol)
    async with telling(db, hub):
        async with db.act() as session:
            await rename_project(session, alice, reel.id, "Best Clips")
        async with db.act() as session:
            await rename_team(session, alice, squad.id, "Film Squad")

        for user in (alice, bob):
            await hub.until(user, f"project-{reel.id}-changed")
            await hub.until(user, f"team-{squad.id}-changed")

    assert hub.heard[carol.id] == []


async def test_muting_refreshes_the_pages_of_the_user_alone(
    db: Database, alice: User, bob: User, squad: Team, reel: Project
) -> None:
    hub = Listening(alice, bob)
    async with telling(db, hub):
        async with db.exclusive() as session:
            await set_muted(session, alice, reel.id, muted=True)
            await mute_team(session, alice, squad.id)
        await hub.until(alice, f"user-{alice.id}-changed")
        async with db.act() as session:
            await rename_team(session, alice, squad.id, "Film Squad")
        await hub.until(bob, f"team-{squad.id}-changed")

    assert f"project-{reel.id}-changed" not in hub.heard[alice.id] + hub.heard[bob.id]
    assert hub.heard[bob.id] == [f"team-{squad.id}-changed"]


async def test_users_who_lose_access_get_their_personal_event(
    db: Database, settings: Settings, alice: User, bob: User, squad: Team, reel: Project
) -> None:
    hub = Listening(alice, bob)
    of_bob = f"user-{bob.id}-changed"
    async with telling(db, hub):
        for end in (
            lambda session: unshare_project(session, alice, reel.id, squad.id),
            lambda session: remove_member(session, alice, squad.id, bob.id),
        ):
            async with db.act() as session:
                await end(session)
            await hub.until(bob, of_bob)
            hub.heard[bob.id].clear()


async def test_the_end_of_a_team_or_project_is_published_to_all_who_saw_it(
    db: Database, settings: Settings, alice: User, bob: User, squad: Team, reel: Project
) -> None:
    hub = Listening(alice, bob)
    async with telling(db, hub):
        async with db.act() as session:
            await delete_project(session, settings, alice, reel.id)
        for user in (alice, bob):
            await hub.until(user, f"user-{user.id}-changed")
            hub.heard[user.id].clear()
        await asyncio.sleep(topic_publisher.PAUSE_SECONDS)
        async with db.act() as session:
            await delete_team(session, alice, squad.id)
        for user in (alice, bob):
            await hub.until(user, f"user-{user.id}-changed")


async def test_a_personal_topic_is_published_to_its_user_only(
    db: Database, alice: User, bob: User, squad: Team
) -> None:
    hub = Listening(alice, bob)
    async with telling(db, hub):
        async with db.act() as session:
            await mute_team(session, bob, squad.id)
        await hub.until(bob, f"user-{bob.id}-changed")

    assert hub.heard[alice.id] == []


async def test_a_burst_is_published_twice_and_its_end_is_never_missed(
    db: Database, alice: User, squad: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topic_publisher, "PAUSE_SECONDS", 0.2)
    hub, told = Listening(alice), f"team-{squad.id}-changed"
    async with telling(db, hub):
        db._poke(f"team {squad.id}")
        await hub.until(alice, told)
        for _time in range(20):
            db._poke(f"team {squad.id}")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        so_far = hub.heard[alice.id].count(told)
        hub.heard[alice.id].clear()
        await hub.until(alice, told)
        await asyncio.sleep(0.5)

    assert (so_far, hub.heard[alice.id].count(told)) == (1, 1)


async def test_progress_is_one_query_for_hundreds_of_streams(
    db: Database, alice: User, squad: Team, reel: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = [await make_account(db, f"member{n}") for n in range(30)]
    await make_team(db, alice, "Others", viewers=members)
    hub, fetch, statements = Listening(alice, *members), db.fetch, []

    async def noted(statement: Any, **values: Any) -> Any:
        statements.append(str(statement))
        return await fetch(statement, **values)

    async with telling(db, hub):
        monkeypatch.setattr(db, "fetch", noted)
        db._poke(f"progress {reel.id}")
        await hub.until(alice, f"progress-{reel.id}-changed")

    assert len([one for one in statements if "membership" in one]) == 1


async def test_viewers_are_read_a_few_at_a_time_and_each_gets_one_event(
    db: Database, alice: User, bob: User, carol: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topic_publisher, "USERS_AT_ONCE", 2)
    team = await make_team(db, alice, viewers=[bob, carol])
    hub, told = Listening(alice, bob, carol), f"team-{team.id}-changed"
    async with telling(db, hub):
        db._poke(f"team {team.id}")
        for user in (alice, bob, carol):
            await hub.until(user, told)

    assert set(map(tuple, hub.heard.values())) == {(told,)}


async def test_without_an_open_page_nothing_is_read(db: Database, alice: User, squad: Team) -> None:
    statements: list[str] = []
    async with telling(db, Listening()):
        event.listen(
            db.engine.sync_engine,
            "before_cursor_execute",
            lambda *given: statements.append(given[2]),
        )
        db._poke(f"team {squad.id}")
        await asyncio.sleep(0.1)

    assert statements == []


async def test_a_change_is_published_once_the_database_can_be_read_again(
    db: Database, alice: User, squad: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "RETRY_SECONDS", 0.01)
    hub, fetch, failures = Listening(alice), db.fetch, [1, 1]

    async def failing_fetch(statement: Any, **values: Any) -> Any:
        if "membership" in str(statement) and failures:
            failures.pop()
            raise sqlite_error(sqlite3.SQLITE_BUSY)
        return await fetch(statement, **values)

    async with telling(db, hub):
        monkeypatch.setattr(db, "fetch", failing_fetch)
        db._poke(f"team {squad.id}")

        await hub.until(alice, f"team-{squad.id}-changed")

    assert failures == []


async def test_notifications_are_published_before_the_topics_that_changed_with_them(
    db: Database, alice: User, squad: Team
) -> None:
    told: list[str] = []

    class Slow:
        async def publish(self, _changes: Changes) -> None:
            await asyncio.sleep(0.05)
            told.append("notification")

    class Noting(Listening):
        def send(self, user_id: int, frame: bytes, *given: Any, **named: Any) -> None:
            super().send(user_id, frame, *given, **named)
            told.append("page")

    hub = Noting(alice)
    async with telling(db, hub, Slow()):
        async with db.act() as session:
            await rename_team(session, alice, squad.id, "Film Squad")
        await hub.until(alice, f"team-{squad.id}-changed")

    assert told[0] == "notification"
    assert told[-1] == "page"


async def test_a_topic_of_a_rolled_back_act_is_not_published(
    db: Database, alice: User, squad: Team
) -> None:
    hub = Listening(alice)
    async with telling(db, hub):
        with suppress(ZeroDivisionError):
            async with db.act() as session:
                touch(session, TEAM, squad.id)
                raise ZeroDivisionError
        await asyncio.sleep(0.1)

    assert hub.heard[alice.id] == []
