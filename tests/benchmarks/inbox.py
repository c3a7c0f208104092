"""The inbox among a million rows: first and last page, bell and unread count, statements counted.

python -m tests.benchmarks.inbox [--rows 1000000] [--own 100000]
"""

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from statistics import median
from time import perf_counter
from typing import Any

from sqlalchemy import event, text

from app.database import Database
from app.notifications.inbox import feed
from app.notifications.inbox.bell import read_bell
from app.notifications.inbox.feed import PER_PAGE
from app.notifications.inbox.filters import Filter
from tests.benchmarks._world import add_people, fresh_database

EVENTS = text(
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :most)"
    " INSERT INTO event (id, type, context, created_at)"
    """ SELECT i, 'team_updated', '{"old_name": "A", "new_name": "B"}', '2026-01-01 00:00:00' FROM n"""
)
ROWS = text(
    "INSERT INTO notification (user_id, event_id, type, hidden, read_at)"
    " SELECT :user, id, type, 0, CASE WHEN id % 5 THEN '2026-01-01 00:00:00' END"
    " FROM event ORDER BY id LIMIT :most"
)


async def measure(rows: int, own: int) -> None:
    async with fresh_database() as db:
        user, *others = await add_people(db, 1 + max(1, (rows - own) // own))
        async with db.write() as session:
            await session.execute(EVENTS, {"most": own})
            for one in (user, *others):
                await session.execute(ROWS, {"user": one, "most": own})
            await session.execute(text("ANALYZE"))
        await _report(db, user, own)


async def _report(db: Database, user: int, own: int) -> None:
    last = (own + PER_PAGE - 1) // PER_PAGE
    everything = Filter()
    parts: dict[str, Callable[[Any], Awaitable[Any]]] = {
        "first page": lambda s: feed.read_page(s, user, everything, 1, own),
        "middle page": lambda s: feed.read_page(s, user, everything, last // 2, own),
        "last page": lambda s: feed.read_page(s, user, everything, last, own),
        "bell with 20 notices": lambda s: read_bell(s, user),
        "unread, capped at 100": lambda s: feed.unread_count(s, user, 100),
        "unread, exact": lambda s: feed.unread_count(s, user),
        "totals": lambda s: feed.count_totals(s, user, everything),
    }
    statements: list[str] = []
    event.listen(db.engine.sync_engine, "before_cursor_execute", lambda *a: statements.append(a[2]))
    print(f"\n{own} notices of one person; medians of 30\n")
    first = 0.0
    for name, read in parts.items():
        statements.clear()
        seconds = [await _timed(db, read) for _ in range(30)]
        count = len([one for one in statements if one != "BEGIN"]) / 30
        first = first or median(seconds)
        print(
            f"{name:24} {median(seconds) * 1000:8.2f} ms {median(seconds) / first:6.2f}× {count:.0f} statement(s)"
        )


async def _timed(db: Database, read: Callable[[Any], Awaitable[Any]]) -> float:
    async with db.read() as session:
        began = perf_counter()
        await read(session)
        return perf_counter() - began


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--own", type=int, default=100_000)
    chosen = parser.parse_args()
    asyncio.run(measure(chosen.rows, chosen.own))
