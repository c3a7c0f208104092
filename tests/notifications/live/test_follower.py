"""From the commit to the bytes on an open stream, without a server in between."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import insert, select, text

from app.broker.relay import ProcessRelay
from app.database import Database
from app.database.hold import replaced
from app.models import Change, Membership, User
from app.notifications.events.catalogue import INVITATION_RECEIVED, MEMBER_ADDED, TEAM_UPDATED
from app.notifications.events.positions import last_position, record_change
from app.notifications.inbox import acts
from app.notifications.live import (
    follower,
    html,
    html_rendering,
    publisher,
    queries,
    variants,
)
from app.notifications.live.follower import Changes, Follower, Publisher
from app.notifications.live.frames import frame
from app.notifications.live.html import Bells
from app.notifications.live.html_rendering import BellRenderer
from app.notifications.live.hub import Hub
from app.notifications.live.publisher import StreamPublisher
from app.notifications.live.stream import HTML, JSON
from app.notifications.notify import notify
from app.notifications.withdraw import withdraw_team
from app.process import background
from app.rendering import render
from tests.bell import newest_notices
from tests.factories import make_account, make_team
from tests.notifications._connection import opened
from tests.outages import sqlite_error


class Recorder(Hub):
    """A hub that only remembers what it was to send to whom."""

    def __init__(self, *people: User) -> None:
        super().__init__()
        self.sent: dict[int, list[str]] = {user.id: [] for user in people}

    def connected(self, format: object = HTML) -> Any:
        return self.sent.keys() if format is HTML else {}.keys()

    def needs(self, format: object, position: int) -> bool:
        return format is HTML

    def send(
        self, user_id: int, frame: bytes, format: object = HTML, position: int | None = None
    ) -> None:
        self.sent[user_id].append(frame.decode())

    async def next_for(self, user: User) -> str:
        async with asyncio.timeout(5):
            while not self.sent[user.id]:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        return self.sent[user.id].pop(0)


class RecordingPublisher:
    """Remembers the changes it was given."""

    def __init__(self) -> None:
        self.published: list[list[int]] = []

    async def publish(self, changes: Changes) -> None:
        self.published.append([change.id for change in changes])

    async def until(self, position: int) -> None:
        async with asyncio.timeout(5):
            while not self.published or self.published[-1][-1] < position:  # noqa: ASYNC110
                await asyncio.sleep(0.005)


@asynccontextmanager
async def following(db: Database, hub: Hub, publisher: Publisher) -> AsyncIterator[None]:
    relay = ProcessRelay()
    await relay.connect()
    db._poke = relay.poke
    async with Follower(db, relay, hub, publisher).running():
        yield
    await relay.disconnect()


@pytest.fixture
async def hub(db: Database, alice: User, bob: User) -> AsyncIterator[Recorder]:
    recorder = Recorder(alice, bob)
    async with following(db, recorder, StreamPublisher(db, recorder, Bells(db))):
        yield recorder


async def test_each_connected_recipient_gets_their_own_sentence_and_count(
    db: Database, hub: Recorder, alice: User, bob: User
) -> None:
    team = await make_team(db, alice, editors=[bob])

    async with db.act() as session:
        await notify(session, MEMBER_ADDED, actor=bob, affected=bob, team=team, role="editor")

    for user, words in ((bob, "You were added to team"), (alice, "<bdi>bob</bdi> joined the team")):
        update = await hub.next_for(user)
        assert words in update
        assert "Notifications, 1 unread" in update
        async with db.read() as session:
            own = (await newest_notices(session, user.id))[0].id
        assert f"panel-notice-{own}" in update
        assert f'data-id="{own}"' in update


async def test_a_high_priority_notification_also_comes_as_a_toast(
    db: Database, hub: Recorder, alice: User, bob: User
) -> None:
    team = await make_team(db, alice)

    async with db.act() as session:
        await notify(
            session,
            INVITATION_RECEIVED,
            actor=alice,
            affected=bob,
            team=team,
            role="editor",
            inviter="alice",
        )

    assert "#toasts" in await hub.next_for(bob)


async def test_reading_in_one_place_shows_everywhere(
    db: Database, hub: Recorder, alice: User, bob: User
) -> None:
    team = await make_team(db, alice, editors=[bob])
    async with db.act() as session:
        await notify(session, MEMBER_ADDED, actor=alice, affected=bob, team=team, role="editor")
    await hub.next_for(bob)

    async with db.act() as session:
        await acts.read_all(session, bob.id)

    update = await hub.next_for(bob)
    assert 'aria-label="Notifications"' in update
    assert "is-unread" not in update


async def test_an_act_that_is_rolled_back_is_not_published(
    db: Database, hub: Recorder, alice: User, bob: User
) -> None:
    team = await make_team(db, alice, editors=[bob])

    with suppress(RuntimeError):
        async with db.act() as session:
            await notify(session, MEMBER_ADDED, actor=alice, affected=bob, team=team, role="editor")
            raise RuntimeError

    async with db.act() as session:
        await notify(session, MEMBER_ADDED, actor=alice, affected=bob, team=team, role="viewer")
    assert "as viewer" in await hub.next_for(bob)


async def add(db: Database, actor: User, affected: User, role: str, damage: str = "") -> None:
    """Notify of an event, and damage it by a statement before it is committed."""
    async with db.act() as session:
        event = await notify(session, MEMBER_ADDED, actor=actor, affected=affected, role=role)
        await session.execute(
            text(
                "INSERT INTO notification (user_id, event_id, type, hidden)"
                " VALUES (:u, :e, 'x', false)"
            ),
            {"u": affected.id, "e": event.id},
        )
        if damage:
            await session.execute(text(damage), {"event": event.id})


@pytest.mark.parametrize(
    ("damage", "logged"),
    [
        ("UPDATE event SET type = 'from_a_newer_version' WHERE id = :event", 0),
        ("""UPDATE event SET context = '"no facts"' WHERE id = :event""", 1),
        # PostgreSQL stores no such context.
        pytest.param(
            "UPDATE event SET context = '{' WHERE id = :event", 1, marks=pytest.mark.sqlite
        ),
        ("DELETE FROM event WHERE id = :event", 0),
    ],
    ids=["unknown type", "context that is no object", "broken JSON", "purged"],
)
async def test_an_event_that_cannot_be_rendered_holds_up_nothing(
    db: Database,
    hub: Recorder,
    alice: User,
    bob: User,
    damage: str,
    logged: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    queries._report_unreadable.cache_clear()
    variants._is_renderable.cache_clear()

    await add(db, alice, bob, "admin", damage)
    await add(db, alice, bob, "viewer")

    assert "as viewer" in await hub.next_for(bob)
    assert hub.sent[bob.id] == []
    assert len(caplog.records) == logged


@pytest.mark.sqlite
async def test_a_bell_leaves_out_what_cannot_be_rendered(
    db: Database, alice: User, bob: User
) -> None:
    await add(db, alice, bob, "editor")
    await add(db, alice, bob, "admin", "UPDATE event SET context = '{' WHERE id = :event")
    await add(db, alice, bob, "owner", "UPDATE event SET type = 'newer' WHERE id = :event")

    opening = await Bells(db).opening(bob.id, 0)

    assert b"as editor" in opening.frames
    assert opening.frames.count(b"panel-notice-") == 1


async def test_a_row_that_cannot_be_rendered_is_missing_where_all_others_arrive(
    db: Database, hub: Recorder, alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(template: str, context: dict[str, Any]) -> str:
        notice = context.get("notice")
        if notice and "as admin" in notice.text:
            raise ValueError("A damaged row.")
        return render(template, context)

    monkeypatch.setattr(html_rendering, "render", failing)
    await add(db, alice, bob, "admin")
    arrived = await hub.next_for(bob)
    await add(db, alice, bob, "editor")
    opening = await Bells(db).opening(bob.id, 0)

    assert "notifications-changed" in arrived
    assert "as admin" not in arrived
    assert "as editor" in await hub.next_for(bob)
    assert opening.frames.count(b"panel-notice-") == 1


async def test_a_bell_that_cannot_be_rendered_keeps_no_other_user_waiting(
    db: Database,
    alice: User,
    bob: User,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    frames = BellRenderer.frames

    def failing(renderer: BellRenderer, rows: Any) -> bytes:
        if rows[0].user_id == alice.id:
            raise ValueError("A damaged row.")
        return frames(renderer, rows)

    monkeypatch.setattr(BellRenderer, "frames", failing)
    bells = Bells(db)
    of_alice, of_bob = await asyncio.gather(bells.opening(alice.id, 0), bells.opening(bob.id, 0))

    assert of_alice.frames == html.OPENED
    assert b"notifications-changed" in of_bob.frames
    assert f"The bell of user {alice.id} cannot be rendered." in caplog.text


async def test_a_page_whose_bell_is_up_to_date_is_only_told_that_its_stream_is_open(
    db: Database, alice: User, bob: User
) -> None:
    bells = Bells(db)
    await add(db, alice, bob, "editor")
    whole = (await bells.opening(bob.id, 0)).frames
    position = int(whole.rpartition(b"id: ")[2].split()[0])

    again = (await bells.opening(bob.id, 0, since=position)).frames
    await add(db, alice, bob, "admin")
    news = (await bells.opening(bob.id, 0, since=position)).frames

    assert b"as editor" in whole
    assert again == b"event: stream-opened\ndata: {}\n\n"
    assert b"as admin" in news
    assert news.startswith(again)


async def test_many_pages_opened_at_once_get_their_own_bells_in_a_few_statements(
    db: Database, alice: User, bob: User, carol: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    bells = Bells(db)
    people = {"bob": bob, "carol": carol}
    for role, user in people.items():
        await add(db, alice, user, role)

    statements = counted(db, monkeypatch)
    openings = await asyncio.gather(
        *(bells.opening(user.id, 0) for user in (*people.values(), alice) for _ in range(80)),
        bells.opening(2**40, 0),
    )

    frames = [opening.frames for opening in openings]
    assert all(b"bob joined" in each or b"as bob" in each for each in frames[:80])
    assert all(b"as carol" in each for each in frames[80:160])
    assert all(b"panel-notice" not in each for each in frames[160:])
    assert len(statements) <= 2 * 6


async def test_others_get_their_turn_between_bells_that_take_long(
    db: Database, alice: User, bob: User, carol: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(html, "TURN_SECONDS", 0)
    rendered, render = list[str](), BellRenderer.frames

    def noting(renderer: BellRenderer, rows: Any) -> bytes:
        rendered.append("bell")
        return render(renderer, rows)

    monkeypatch.setattr(BellRenderer, "frames", noting)
    asyncio.get_running_loop().call_soon(rendered.append, "another request")
    await Bells(db).read([alice.id, bob.id, carol.id])

    assert sorted(rendered) == ["another request", "bell", "bell", "bell"]
    assert rendered[-1] == "bell"


def counted(db: Database, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The statements that are fetched from now on."""
    fetch, statements = db.fetch, list[object]()

    async def noting(statement: Any, **values: Any) -> Any:
        statements.append(statement)
        return await fetch(statement, **values)

    monkeypatch.setattr(db, "fetch", noting)
    return statements


async def test_a_change_is_published_once_even_if_the_database_fails_meanwhile(
    db: Database, hub: Recorder, alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower, "RETRY_SECONDS", 0.01)
    team = await make_team(db, alice, editors=[bob])
    fail(db, monkeypatch, [True, False] * 10)

    for role in ("editor", "viewer"):
        async with db.act() as session:
            await notify(session, MEMBER_ADDED, actor=alice, affected=bob, team=team, role=role)
        async with db.act() as session:
            await acts.read_all(session, bob.id)

    updates = [await hub.next_for(bob) for _ in range(4)]
    assert ["afterbegin" in update for update in updates] == [True, False, True, False]
    assert "as editor" in updates[0]
    assert "as viewer" in updates[2]
    assert hub.sent[bob.id] == []


DISK_FAILED = sqlite_error(sqlite3.SQLITE_IOERR)
PAGE_IS_CORRUPT = sqlite_error(sqlite3.SQLITE_CORRUPT)


def fail(
    db: Database,
    monkeypatch: pytest.MonkeyPatch,
    failures: list[bool],
    failure: Exception = DISK_FAILED,
) -> None:
    """Let each of the next fetches fail, or not."""
    fetch, coming = db.fetch, iter(failures)

    async def sometimes(statement: Any, **values: Any) -> Any:
        if next(coming, False):
            raise failure
        return await fetch(statement, **values)

    monkeypatch.setattr(db, "fetch", sometimes)


async def record(db: Database, *kinds: str) -> None:
    async with db.act() as session:
        for kind in kinds:
            await record_change(session, kind)


async def test_events_are_published_one_by_one_and_other_changes_together(db: Database) -> None:
    publisher = RecordingPublisher()
    async with following(db, Hub(), publisher):
        await record(db, "read", "unread", "event", "event", "read")
        await publisher.until(5)

    assert publisher.published == [[1, 2], [3], [4], [5]]


async def test_more_changes_than_one_query_returns_are_published_after_one_poke(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower, "POLL_SECONDS", 3600)
    publisher = RecordingPublisher()
    async with following(db, Hub(), publisher):
        async with db.act() as session:
            await session.execute(insert(Change), [{"kind": "read"}] * 1_200)
        await publisher.until(1_200)

    assert [len(batch) for batch in publisher.published] == [500, 500, 200]


async def test_changes_from_before_the_start_are_not_published(db: Database) -> None:
    await record(db, "event", "event")
    publisher = RecordingPublisher()
    async with following(db, Hub(), publisher):
        await record(db, "event")
        await publisher.until(3)

    assert publisher.published == [[3]]


async def test_a_change_without_a_poke_is_published_too(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower, "POLL_SECONDS", 0.05)
    publisher = RecordingPublisher()
    async with following(db, Hub(), publisher):
        db._poke = lambda topic: None
        await record(db, "event")
        await publisher.until(1)

    assert publisher.published == [[1]]


async def test_changes_that_cannot_be_published_hold_up_nothing(
    db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    class Choosy(RecordingPublisher):
        async def publish(self, changes: Changes) -> None:
            if changes[0].id == 1:
                raise ValueError("I do not like this one.")
            await super().publish(changes)

    publisher = Choosy()
    async with following(db, Hub(), publisher):
        await record(db, "event", "event")
        await publisher.until(2)

    assert publisher.published == [[2]]
    assert "The changes at [1] cannot be published." in caplog.text


class Failing(RecordingPublisher):
    """Publishes every change to the JSON streams of all users, but fails with the first one."""

    def __init__(self, hub: Hub) -> None:
        super().__init__()
        self.hub = hub

    async def publish(self, changes: Changes) -> None:
        await super().publish(changes)
        position = changes[0].id
        if len(self.published) == 1:
            raise ValueError("This one cannot be published.")
        for user_id in self.hub.connected(JSON):
            self.hub.send(user_id, frame("{}", id=position), JSON, position)


async def read(db: Database, alice: User, bob: User) -> None:
    async with db.act() as session:
        await record_change(session, "read", bob.id, ids=[1])


async def add_as_editor(db: Database, alice: User, bob: User) -> None:
    await add(db, alice, bob, "editor")


@pytest.mark.parametrize("act", [read, add_as_editor], ids=["change", "event"])
async def test_a_change_that_cannot_be_published_ends_its_users_streams_before_a_later_one(
    db: Database, alice: User, bob: User, act: Callable[[Database, User, User], Awaitable[None]]
) -> None:
    hub = Hub()
    publisher = Failing(hub)
    async with following(db, hub, publisher):
        concerned = await opened(hub, bob.id, format=JSON)
        other = await opened(hub, alice.id, format=JSON)
        await act(db, alice, bob)
        first = await last_position(db)
        await record(db, "event")
        await other.until_received(b"id: %d\n" % (first + 1))
        await concerned.until_served()

    assert concerned.body.startswith(b"event: bye\n")
    assert b"id: " not in concerned.body
    assert b"bye" not in other.body


async def test_every_stream_ends_if_the_recipients_of_what_cannot_be_published_are_unknown(
    db: Database, alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def failing(*_given: object) -> None:
        raise ValueError("Nor can its recipients be read.")

    monkeypatch.setattr(follower, "read_recipients_among", failing)
    hub = Hub()
    async with following(db, hub, Failing(hub)):
        clients = [await opened(hub, user.id, format=JSON) for user in (alice, bob)]
        await record(db, "event")
        for client in clients:
            await client.until_served()

    assert all(client.body.startswith(b"event: bye\n") for client in clients)


async def test_reaching_the_present_does_not_wait_forever(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower, "LAG_SECONDS", 0.01)
    await record(db, "event")
    hub = Hub()

    await Follower(db, ProcessRelay(), hub, RecordingPublisher()).reach_present()

    assert hub.position == 0


async def test_reaching_the_present_does_not_wait_for_publishing(db: Database) -> None:
    class Slow(RecordingPublisher):
        async def publish(self, changes: Changes) -> None:
            await asyncio.sleep(60)

    hub, relay = Hub(), ProcessRelay()
    slow_follower = Follower(db, relay, hub, Slow())
    async with slow_follower.running():
        await record(db, "event", "event", "event")

        await slow_follower.reach_present()

        assert hub.position == 3


async def test_withdrawing_from_many_costs_two_statements_per_fifty_connected_users(
    db: Database, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [await make_account(db, f"person{number}") for number in range(250)]
    team = await make_team(db, alice, viewers=people)
    hub = Recorder(alice, *people)
    async with db.act() as session:
        await notify(session, TEAM_UPDATED, team=team, old_name="A", new_name="B")
        members = select(Membership.user_id).where(Membership.team_id == team.id)
        await withdraw_team(session, team.id, members)
        withdrawn = select(Change.id, Change.kind, Change.user_id).where(Change.kind == "withdrawn")
        changes: list[Any] = list(await session.execute(withdrawn))

    statements = counted(db, monkeypatch)
    await StreamPublisher(db, hub, Bells(db)).publish(changes)

    assert [len(sent) for sent in hub.sent.values()] == [1] * 251
    assert len(statements) <= 2 * 6


async def test_others_get_their_turn_between_the_bells_of_many(
    db: Database, alice: User, bob: User, carol: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publisher, "BELLS_AT_ONCE", 1)
    hub, read, turns = Recorder(alice, bob, carol), Bells.read, list[str]()

    async def noting(bells: Bells, users: Any) -> Any:
        turns.append("bell")
        asyncio.get_running_loop().call_soon(turns.append, "another request")
        return await read(bells, users)

    monkeypatch.setattr(Bells, "read", noting)
    changes: Any = [
        SimpleNamespace(id=n, kind="withdrawn", user_id=user.id)
        for n, user in enumerate((alice, bob, carol), 1)
    ]
    await StreamPublisher(db, hub, Bells(db)).publish(changes)

    assert turns == ["bell", "another request"] * 3


RETRYING = "Live updates could not read the database. Retrying."


@pytest.mark.parametrize(
    ("failure", "sentence"),
    [
        (DISK_FAILED, RETRYING),
        (replaced(), RETRYING),
        (PAGE_IS_CORRUPT, "Live updates could not read what has changed."),
    ],
    ids=["disk", "restore", "no fault"],
)
async def test_changes_committed_while_reads_failed_are_published(
    db: Database,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    failure: Exception,
    sentence: str,
) -> None:
    monkeypatch.setattr(follower, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(background, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(follower, "POLL_SECONDS", 0.01)
    publisher = RecordingPublisher()
    async with following(db, Hub(), publisher):
        fail(db, monkeypatch, [True] * 3, failure)
        await record(db, "event")
        await publisher.until(1)

    assert publisher.published == [[1]]
    assert caplog.text.count(sentence) == 3
