"""The inbox among a million rows: the last page, bell, counts and totals beside the first page.

    python -m tests.benchmarks.inbox [--rows 1000000] [--own 100000]

All are counted in the time of one processor, so that other work on the machine does not count.
"""

from collections.abc import Awaitable, Callable
from statistics import median
from time import process_time
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database
from app.models import User
from app.notifications.inbox import feed
from app.notifications.inbox.bell import read_bell
from app.notifications.inbox.feed import PER_PAGE
from app.notifications.inbox.filters import Filter
from app.notifications.inbox.totals import CountedInboxes, Totals, count_totals
from tests.benchmarks._table import Line, alone, at_most_times
from tests.benchmarks._world import add_notices, add_people, fresh_database

AIMS = {"last page": at_most_times(1.5), "totals": at_most_times(1)}


async def measure(rows: int = 1_000_000, own: int = 100_000) -> list[Line]:
    async with fresh_database() as db:
        user, *others = await add_people(db, 1 + max(1, (rows - own) // own))
        await add_notices(db, dict.fromkeys((user, *others), own), own)
        return await _read(db, user, own)


async def _read(db: Database, user: int, own: int) -> list[Line]:
    last = (own + PER_PAGE - 1) // PER_PAGE
    everything = Filter()
    ungrouped = User(id=user, grouping=False)
    parts: dict[str, Callable[[Any], Awaitable[Any]]] = {
        "first page": lambda s: feed.read_page(s, user, everything, 1, own),
        "middle page": lambda s: feed.read_page(s, user, everything, last // 2, own),
        "last page": lambda s: feed.read_page(s, user, everything, last, own),
        "bell with 20 notices": lambda _session: read_bell(db, ungrouped),
        "unread": lambda s: feed.unread_count(s, user),
        "totals": lambda s: count_totals(s, user, everything),
        "totals after one's own act": lambda s: _count_anew(s, user),
    }
    took = {name: [await _timed(db, read) for _ in range(30)] for name, read in parts.items()}
    first = median(took["first page"])
    return [
        Line(f"{name}, of {own:,}", median(times), "ms", "its first page", first, AIMS.get(name))
        for name, times in took.items()
    ]


async def _count_anew(session: AsyncSession, user: int) -> Totals:
    session.info["counted_inboxes"] = CountedInboxes()
    return await count_totals(session, user, Filter())


async def _timed(db: Database, read: Callable[[Any], Awaitable[Any]]) -> float:
    """Milliseconds."""
    async with db.read() as session:
        began = process_time()
        await read(session)
        return (process_time() - began) * 1000


if __name__ == "__main__":
    alone(measure)
