"""Clients connect and disconnect at random while many write: each gets every change once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from random import Random

import pytest
from litestar import Litestar
from sqlalchemy import select

from app.database import Database
from app.installation import install
from app.models import Change, Notification, Team, User
from app.notifications.events.catalogue import TEAM_UPDATED
from app.notifications.inbox import acts
from app.notifications.inbox.feed import shown
from app.notifications.inbox.selection import Selection
from app.notifications.notify import notify
from app.settings import Settings
from tests.application import serving
from tests.factories import make_account, make_team
from tests.notifications.api.listening import Program, program_of

PEOPLE, CLIENTS_EACH = 5, 4
# Of 560 acts, about 250 notify five users each.
WRITERS, ACTS_EACH = 8, 70


@dataclass
class Inbox:
    """The state that a client derives from the events it receives."""

    program: Program
    is_read: dict[int, bool] = field(default_factory=dict)
    deleted: dict[int, bool] = field(default_factory=dict)
    positions: list[int] = field(default_factory=list)
    unread: int = 0

    def take(self) -> None:
        for one in self.program.take():
            self.unread = one.data.get("unread_count", self.unread)
            if one.event == "notification":
                self.is_read[one.data["id"]] = one.data["is_read"]
            elif one.event in ("read", "unread"):
                self._mark(one.data, is_read=one.event == "read")
            elif one.event == "deleted":
                self.deleted |= {id: self.is_read.pop(id) for id in one.data["ids"]}
            elif one.event == "restored":
                self.is_read |= {id: self.deleted.pop(id) for id in one.data["ids"]}
            if one.event not in ("hello", "bye"):
                self.positions.append(one.id)
            assert one.event != "resync"

    def _mark(self, about: dict[str, object], *, is_read: bool) -> None:
        up_to = about.get("up_to")
        ids = about["ids"] if up_to is None else [id for id in self.is_read if id <= up_to]  # type: ignore[operator]
        self.is_read |= dict.fromkeys(ids, is_read)  # type: ignore[call-overload]


@pytest.fixture
async def apps(settings: Settings) -> AsyncIterator[list[Litestar]]:
    """The same application twice, as in two processes."""
    async with serving(settings) as one, serving(settings) as other:
        yield [one, other]


@asynccontextmanager
async def writing(settings: Settings, app: Litestar) -> AsyncIterator[Database]:
    """A database of its own, as another process has, that pokes through the relay of `app`."""
    db = install(settings).db
    db._poke = app.state.broker.relay.poke
    yield db
    await db.close()


async def write(db: Database, random: Random, people: list[User], team: Team) -> None:
    undos: list[tuple[int, str]] = []
    for number in range(ACTS_EACH):
        user = random.choice(people)
        async with db.act() as session:
            mine = select(Notification.id).where(Notification.user_id == user.id, shown)
            ids = list(await session.scalars(mine.order_by(Notification.id.desc()).limit(30)))
            some = random.sample(ids, min(len(ids), random.randint(1, 5)))
            match random.choice(["tell"] * 4 + ["read", "unread", "delete", "undo", "read_all"]):
                case "tell":
                    await notify(
                        session, TEAM_UPDATED, team=team, old_name="A", new_name=f"B{number}"
                    )
                case "read" | "unread" as mark:
                    await acts.mark(session, user.id, Selection(some), read=mark == "read")
                case "delete":
                    undos.append(
                        (user.id, (await acts.delete(session, user.id, Selection(some)))[1])
                    )
                case "undo" if undos and undos[-1][1]:
                    await acts.undo(session, *undos.pop())
                case "read_all" if ids:
                    await acts.read_all(session, user.id, random.choice(ids))


async def come_and_go(
    inbox: Inbox, apps: list[Litestar], random: Random, over: asyncio.Event
) -> None:
    """Connect for a moment, lose the connection with events under way, reconnect elsewhere."""
    while not over.is_set():
        inbox.program.connect(random.choice(apps))
        await asyncio.sleep(random.uniform(0, 0.6))
        inbox.take()
        await asyncio.sleep(random.uniform(0, 0.02))  # events that arrive now get lost
        await inbox.program.hang_up()


async def test_twenty_unsteady_clients_each_end_with_the_state_of_the_database(
    apps: list[Litestar], settings: Settings, db: Database, alice: User
) -> None:
    people = [await make_account(db, f"person{number}") for number in range(PEOPLE)]
    team = await make_team(db, alice, viewers=people)
    inboxes = [
        (user, Inbox(await program_of(db, user))) for user in people for _ in range(CLIENTS_EACH)
    ]
    for _user, inbox in inboxes:
        inbox.program.connect(apps[0])
        await inbox.program.until("hello")
        await inbox.program.hang_up()
    over = asyncio.Event()
    async with AsyncExitStack() as stack:
        ways = [await stack.enter_async_context(writing(settings, apps[0])) for _ in range(4)]
        listening = [
            asyncio.create_task(come_and_go(inbox, apps, Random(number), over))
            for number, (_user, inbox) in enumerate(inboxes)
        ]
        await asyncio.gather(
            *(
                write(ways[number % len(ways)], Random(number), people, team)
                for number in range(WRITERS)
            )
        )
        over.set()
        await asyncio.gather(*listening)

    for user, inbox in inboxes:
        happened, has = await _truth(db, user)
        inbox.program.connect(apps[1])
        await inbox.program.connection.until(
            lambda inbox=inbox, happened=happened: (  # type: ignore[misc]
                [*inbox.positions, *(one.id for one in inbox.program.waiting())][-1] == happened[-1]
            )
        )
        inbox.take()
        assert inbox.positions == happened
        assert inbox.is_read == has
        assert inbox.unread == sum(not is_read for is_read in has.values())


async def _truth(db: Database, user: User) -> tuple[list[int], dict[int, bool]]:
    """The positions of all changes to a user's notifications, and which of them are read."""
    async with db.read() as session:
        told = select(Notification.event_id).where(Notification.user_id == user.id)
        changed = select(Change.id).where(Change.user_id == user.id)
        happened = [*await session.scalars(told), *await session.scalars(changed)]
        mine = select(Notification.id, Notification.read_at).where(
            Notification.user_id == user.id, shown
        )
        rows = await session.execute(mine)
        return sorted(happened), {row.id: row.read_at is not None for row in rows}
