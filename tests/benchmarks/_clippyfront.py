"""The application as it is shipped, with a team of thousands; what tells them is another process."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from sqlalchemy import event, insert, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database
from app.database.migrations import migrate
from app.installation import install
from app.models import Project, Team, User, WebSession
from app.notifications.events.catalogue import INVITATION_RECEIVED
from app.notifications.notify import notify
from app.projects.sharing import share_project
from app.settings import Settings, load
from app.teams.teams import delete_team
from tests.benchmarks._readers import Person, request_of
from tests.benchmarks._server import serving_clippyfront
from tests.benchmarks._target import Running
from tests.benchmarks._world import PEOPLE_AT_ONCE, add_members, add_people
from tests.factories import make_team

# The last words of everything an event sends to one person.
END_OF_EVENT = b"event: notifications-changed"
# Everybody has up to 40 notices already, most of them read.
HISTORY = text(
    "INSERT INTO notification (user_id, event_id, type, hidden, read_at)"
    " SELECT user_id, event.id, event.type, 0,"
    " CASE WHEN (user_id + event.id) % 3 THEN event.created_at END"
    " FROM membership, event WHERE membership.team_id = :team AND event.id % 40 < user_id % 41"
)
CHANGES_OF_HISTORY = text(
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40)"
    " INSERT INTO change (id, kind, created_at) SELECT i, 'event', '2026-01-01 00:00:00' FROM n"
)
EVENTS_OF_HISTORY = text(
    "INSERT INTO event (id, type, team_id, context, created_at)"
    """ SELECT id, 'team_updated', :team, '{"old_name": "A", "new_name": "B"}', created_at"""
    " FROM change"
)


@dataclass
class ClippyFront:
    name: str = "ClippyFront"

    @asynccontextmanager
    async def running(self, streams: int) -> AsyncIterator[Running]:
        with TemporaryDirectory() as folder:
            environ = {
                "DATA_DIR": str(Path(folder)),
                "SECRET_KEY": "a secret of the benchmark",
                "DEMO": "0",
                "RATE_LIMITS": "0",
                "HOST": "127.0.0.1",
                "WEB_CONCURRENCY": "1",
            }
            settings = load(environ)
            world = await _world(settings, streams)
            async with serving_clippyfront(environ) as server, _publishing(settings, world) as act:
                yield Running(server, _readers(world), act, _other(world))


@dataclass
class World:
    owner: User
    team: Team
    people: list[int]


async def _world(settings: Settings, streams: int) -> World:
    """An owner and a team of `streams` members, each signed in once."""
    db = install(settings).db
    await migrate(db, settings)
    owner_id, *people = await add_people(db, streams + 1)
    async with db.read() as session:
        owner = await session.get_one(User, owner_id)
    team = await make_team(db, owner)
    await add_members(db, team.id, people)
    async with db.write() as session:
        await _sign_in(session, [owner.id, *people])
        await session.execute(CHANGES_OF_HISTORY)
        await session.execute(EVENTS_OF_HISTORY, {"team": team.id})
        await session.execute(HISTORY, {"team": team.id})
    await db.close()
    return World(owner, team, people)


async def _sign_in(session: AsyncSession, people: list[int]) -> None:
    rows = [{"user_id": one, "token_hash": _hash(_token(one))} for one in people]
    for start in range(0, len(rows), PEOPLE_AT_ONCE):
        await session.execute(insert(WebSession), rows[start : start + PEOPLE_AT_ONCE])


def _cookie(user_id: int) -> str:
    return f"session={_token(user_id)}"


def _token(user_id: int) -> str:
    """As long as a real one."""
    return f"{user_id:043}"


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _readers(world: World) -> list[Person]:
    return [
        Person(request, END_OF_EVENT, END_OF_EVENT)
        for one in world.people
        for request in [request_of("/notifications/stream", cookie=_cookie(one))]
    ]


def _other(world: World) -> bytes:
    """It takes the whole way: session, database, middleware."""
    return request_of("/api/notifications/unread-count", cookie=_cookie(world.owner.id))


@asynccontextmanager
async def _publishing(settings: Settings, world: World) -> AsyncIterator["Acting"]:
    """Domain functions called in this process, which pokes the server as a worker would."""
    installation = install(settings)
    db, broker = installation.db, installation.broker
    await broker.connect()
    acting = Acting(db, world)
    event.listen(db.engine.sync_engine, "commit", acting.commits)
    yield acting
    await broker.disconnect()
    await db.close()


@dataclass
class Acting:
    """Each act answers when its COMMIT began, in monotonic seconds."""

    db: Database
    world: World
    committed_at: float = field(default=0.0)

    def commits(self, _connection: object) -> None:
        self.committed_at = monotonic()

    async def tell_everyone_the_same(self) -> float | None:
        """Not supported: every notification is personal."""
        return None

    async def tell_everyone_their_own(self) -> float:
        world = self.world
        async with self.db.act() as session:
            project = Project(name="Best Clips 2025", owner_id=world.owner.id)
            session.add(project)
            await session.flush()
            await share_project(session, world.owner, project.id, world.team.id)
        return self.committed_at

    async def change_everyones_bell(self) -> float | None:
        """Deletes the team, which withdraws its notifications from everybody."""
        async with self.db.act() as session:
            await delete_team(session, self.world.owner, self.world.team.id)
        return self.committed_at

    async def tell_one(self, number: int) -> float:
        world = self.world
        async with self.db.act() as session:
            user = await session.get_one(User, world.people[number])
            await notify(
                session,
                INVITATION_RECEIVED,
                actor=world.owner,
                affected=user,
                team=world.team,
                role="editor",
                inviter=world.owner.username,
            )
        return self.committed_at
