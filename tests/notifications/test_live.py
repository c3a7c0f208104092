"""From the commit to the bytes on an open stream, without a server between."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from app import security
from app.broker.relay import CHANGES, ProcessRelay
from app.database import Database
from app.models import Account
from app.notifications import feed
from app.notifications.catalogue import INVITATION_RECEIVED, MEMBER_ADDED
from app.notifications.hub import Hub
from app.notifications.live import Live
from app.notifications.notify import notify
from app.notifications.stream import HTML
from tests.factories import make_team


class Recorder(Hub):
    """A hub whose streams only remember what they were sent."""

    def __init__(self, *people: Account) -> None:
        super().__init__()
        self.sent: dict[int, list[str]] = {person.id: [] for person in people}
        self.arrived = asyncio.Condition()

    def connected(self, flavour: object = HTML) -> object:  # type: ignore[override]
        return self.sent.keys()

    def send(self, user_id: int, frame: bytes, flavour: object = HTML) -> None:
        self.sent[user_id].append(frame.decode())

    async def broadcast(self, frames: object, flavour: object = HTML) -> None:
        for user_id, frame in frames:  # type: ignore[attr-defined]
            self.sent[user_id].append(frame.decode())

    async def next_for(self, person: Account) -> str:
        async with asyncio.timeout(5):
            while not self.sent[person.id]:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        return self.sent[person.id].pop(0)


@pytest.fixture
async def hub(db: Database, alice: Account, bob: Account) -> AsyncIterator[Recorder]:
    security.configure("secret")
    relay, recorder = ProcessRelay(), Recorder(alice, bob)
    await relay.connect()
    db.after_act.append(lambda: relay.poke(CHANGES))
    async with Live(db, relay, recorder).running():
        yield recorder
    await relay.disconnect()


async def test_everyone_connected_gets_their_own_words_and_count(
    db: Database, hub: Recorder, alice: Account, bob: Account
) -> None:
    team = await make_team(db, alice, editors=[bob])

    async with db.act() as session:
        await notify(session, MEMBER_ADDED, actor=bob, affected=bob, team=team, role="editor")

    for person, words in ((bob, "You were added to team"), (alice, "bob joined the team")):
        piece = await hub.next_for(person)
        assert words in piece
        assert "Notifications, 1 unread" in piece
        async with db.read() as session:
            own = (await feed.newest(session, person.id))[0].id
        assert f"panel-notice-{own}" in piece
        assert f"/notifications/{own}/open" in piece


async def test_high_priority_comes_as_a_toast_with_its_buttons(
    db: Database, hub: Recorder, alice: Account, bob: Account
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


async def test_reading_in_one_place_shows_in_every_other(
    db: Database, hub: Recorder, alice: Account, bob: Account
) -> None:
    team = await make_team(db, alice, editors=[bob])
    async with db.act() as session:
        await notify(session, MEMBER_ADDED, actor=alice, affected=bob, team=team, role="editor")
    await hub.next_for(bob)

    async with db.act() as session:
        await feed.read_all(session, bob.id, 2**53)

    piece = await hub.next_for(bob)
    assert 'aria-label="Notifications"' in piece
    assert "is-unread" not in piece


async def test_an_act_that_fails_tells_nobody(
    db: Database, hub: Recorder, alice: Account, bob: Account
) -> None:
    team = await make_team(db, alice, editors=[bob])

    with suppress(RuntimeError):
        async with db.act() as session:
            await notify(session, MEMBER_ADDED, actor=alice, affected=bob, team=team, role="editor")
            raise RuntimeError

    async with db.act() as session:
        await notify(session, MEMBER_ADDED, actor=alice, affected=bob, team=team, role="viewer")
    assert "as viewer" in await hub.next_for(bob)
