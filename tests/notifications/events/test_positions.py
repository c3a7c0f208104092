"""Positions are allotted in commit order, so a reader of `id > last` misses no writer's rows."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from random import Random

import pytest
from sqlalchemy import select

from app.database import Database
from app.installation import install
from app.models import Change, Team, User
from app.notifications.events.catalogue import TEAM_UPDATED
from app.notifications.notify import notify
from app.process.cancellation import end
from app.settings import Settings
from tests.factories import make_team

WRITERS, ACTS_EACH = 8, 20


class Failed(Exception):
    """What makes an act roll back."""


@pytest.fixture
async def squad(db: Database, alice: User, bob: User) -> Team:
    return await make_team(db, alice, viewers=[bob])


@pytest.fixture
async def writers(settings: Settings) -> AsyncIterator[list[Database]]:
    """As in eight processes, each with connections of its own."""
    async with AsyncExitStack() as stack:
        databases = [install(settings).db for _ in range(WRITERS)]
        for one in databases:
            stack.push_async_callback(one.close)
        yield databases


async def write(db: Database, squad: Team, chance: Random) -> int:
    """Acts that take their time before and after their position, and fail now and then; how many
    did not.
    """
    count = 0
    for _act in range(ACTS_EACH):
        with suppress(Failed):
            async with db.act() as session:
                await asyncio.sleep(chance.uniform(0, 0.004))
                await notify(session, TEAM_UPDATED, team=squad, old_name="A", new_name="B")
                await asyncio.sleep(chance.uniform(0, 0.004))
                if chance.random() < 0.2:
                    raise Failed
            count += 1
    return count


class Reader:
    """Follows the positions, as the live streams do."""

    def __init__(self, db: Database) -> None:
        self.db, self.positions = db, [0]

    async def look(self) -> None:
        new = select(Change.id).where(Change.id > self.positions[-1]).order_by(Change.id)
        async with self.db.read() as session:
            self.positions += await session.scalars(new)

    async def keep_looking(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(0.001)


async def test_a_reader_misses_nothing_of_eight_writers(
    db: Database, squad: Team, writers: list[Database]
) -> None:
    reader = Reader(db)
    await reader.look()
    before = len(reader.positions)
    looking = asyncio.create_task(reader.keep_looking())

    counts = await asyncio.gather(
        *(write(one, squad, Random(number)) for number, one in enumerate(writers))
    )

    await end(looking)
    await reader.look()
    async with db.read() as session:
        everything = list(await session.scalars(select(Change.id).order_by(Change.id)))
    assert reader.positions[1:] == everything
    assert len(reader.positions) - before == sum(counts)
