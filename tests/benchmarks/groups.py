"""Inbox pages among a million rows: groups, views and a search beside the plain page.

    python -m tests.benchmarks.groups [--rows 1000000] [--own 100000]

One person has `own` notifications in 3 groups, another has as many groups as notifications; all others
have the rest. What is timed is what a page reads, without its templates, in the time of one processor,
so that other work on the machine does not count.
"""

from collections.abc import Awaitable, Callable
from statistics import median
from time import process_time
from zoneinfo import ZoneInfo

from app.database import Database
from app.models import Project, User
from app.notifications.events.catalogue import COMPILATION_COMPLETED
from app.notifications.inbox.filters import read_filter
from app.notifications.inbox.saved_views import create_view
from app.notifications.inbox.tallies import TalliedLists
from app.notifications.notify import notify
from app.notifications.pages.listing import Listing, view_listing
from app.notifications.search import index
from tests.benchmarks._table import Line, alone, at_most_times
from tests.benchmarks._world import add_notices, add_people, fresh_database

ROUNDS = 15
TWICE, FIVE_TIMES = at_most_times(2), at_most_times(5)
ZONE = ZoneInfo("UTC")

Act = Callable[[], Awaitable[None]]


async def measure(rows: int = 1_000_000, own: int = 100_000) -> list[Line]:
    async with fresh_database() as db:
        people = await add_people(db, max(2, rows // own))
        await add_notices(db, dict.fromkeys(people, 3) | {people[1]: own}, own)
        async for _number in index.fill(db):
            pass
        few, many = [await _Reader.of(db, one) for one in people[:2]]
        return [
            *await _compare(few, f"{own:,} in 3 groups"),
            *await _compare(many, f"{own:,} in {own:,} groups"),
        ]


class _Reader:
    """A user, and a project whose compilations they hear of."""

    def __init__(self, db: Database, user: User, project: Project) -> None:
        self.db, self.user, self.project = db, user, project

    @classmethod
    async def of(cls, db: Database, user_id: int) -> "_Reader":
        async with db.write() as session:
            user = await session.get_one(User, user_id)
            project = Project(name="Highlight Reel", owner_id=user_id)
            session.add(project)
        return cls(db, user, project)

    async def hear(self) -> None:
        async with self.db.act() as session:
            await notify(
                session, COMPILATION_COMPLETED, project=self.project, duration=12.5, size=1
            )

    async def forget(self) -> None:
        """As a process that has just started."""
        self.db.info["tallied_lists"] = TalliedLists()

    async def save_views(self) -> None:
        async with self.db.write() as session:
            for name, query in {"Unread": "status=unread", "Teams": "type=team_updated"}.items():
                await create_view(session, self.user, ZONE, name, query)

    def reading(self, *, grouped: bool = True, **fields: str) -> Act:
        listing = Listing(filter=read_filter(fields, ZONE, self.user.id), wants_groups=grouped)

        async def read() -> None:
            await view_listing(self.db, self.user, listing)

        return read


async def _nothing() -> None:
    pass


async def _compare(reader: _Reader, whose: str) -> list[Line]:
    """Each page in turn with the plain one."""
    plain = reader.reading(grouped=False)
    searched = reader.reading(grouped=False, q="renamed")
    pages = {
        "groups": (_nothing, reader.reading(), TWICE),
        "groups, after an arrival": (reader.hear, reader.reading(), TWICE),
        "groups, a process's first look": (reader.forget, reader.reading(), TWICE),
        "the saved": (_nothing, reader.reading(grouped=False, view="saved"), TWICE),
        "the unread, in groups": (_nothing, reader.reading(status="unread"), TWICE),
        "a search": (_nothing, searched, FIVE_TIMES),
    }
    lines = []
    for name, (before, read, aim) in pages.items():
        took, beside = await _in_turn(before, read, plain)
        lines.append(Line(f"{whose}: {name}", took, "ms", "the plain page", beside, aim))
    await reader.save_views()
    took, beside = await _in_turn(_nothing, reader.reading(), plain)
    return [*lines, Line(f"{whose}: groups, with two views", took, "ms", "the plain page", beside)]


async def _in_turn(before: Act, read: Act, plain: Act) -> tuple[float, float]:
    """Milliseconds of each."""
    await read()
    await plain()
    took, beside = [], []
    for _round in range(ROUNDS):
        await before()
        took.append(await _timed(read))
        beside.append(await _timed(plain))
    return median(took), median(beside)


async def _timed(act: Act) -> float:
    began = process_time()
    await act()
    return (process_time() - began) * 1000


if __name__ == "__main__":
    alone(measure)
