"""A search among 100,000 notifications of one person beside the page without a search, in JSON.

    python -m tests.benchmarks.search [--own 100000] [--others 0] [--postgres URL]

Times are those of whole requests in this process, the fastest of several that take turns with the
page without a search. `others` is how many events there are that only others are told of. The
database at `postgres` is emptied.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from tempfile import TemporaryDirectory
from time import perf_counter

import httpx
from sqlalchemy import text

from app.database import Database
from app.database.migrations import migrate
from app.notifications.search import index
from app.settings import Settings, load
from tests.api.conftest import key_of
from tests.application import browser, serving
from tests.benchmarks._table import Line, alone, at_most_times
from tests.factories import make_account

SETTINGS = {"SECRET_KEY": "a secret of the benchmark", "ALLOWED_HOSTS": "testserver"}
FIVE = at_most_times(5)
ROUNDS = 15
SEARCHES = {
    "a word of all": "render",
    "a word of a tenth": "shot7",
    "a word of a thousandth": "reel77",
    "a word of one": "frame31415",
    "a word of none": "nowhere",
    "a first letter": "f",
    "two words, one left out": "render done -shot7",
    "a phrase": '"nightly render"',
    "a name": "from:bob",
    "a word, the unread only": "shot7 is:unread",
    "no word that was left out": "-nowhere",
}
NUMBERS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :most)",
    "postgresql": "WITH n(i) AS (SELECT generate_series(1, :most))",
}
EVENTS = (
    " INSERT INTO event (id, type, actor_id, context, created_at)"
    " SELECT i, 'custom', CASE WHEN i % 5 = 0 THEN :bob ELSE :alice END,"
    """ CAST('{"priority": "normal", "title": "Nightly render of shot' || (i % 10) || ' in reel' ||"""
    """ (i % 1000) || ' frame' || i || ' done"}' AS json), '2026-01-01 00:00:00' FROM n"""
)
ROWS = text(
    "INSERT INTO notification (user_id, event_id, position, type, hidden, group_key, read_at)"
    " SELECT CASE WHEN id <= :own THEN CAST(:alice AS bigint) ELSE :bob END, id, id, type, false,"
    " 'custom:team:' || (id % 1000), CASE WHEN id % 5 > 0 THEN created_at END FROM event ORDER BY id"
)


async def measure(own: int = 100_000, others: int = 0, postgres: str = "") -> list[Line]:
    with TemporaryDirectory() as folder:
        url = {"DATABASE_URL": postgres} if postgres else {}
        settings = load({"DATA_DIR": folder, **SETTINGS, **url})
        async with _program(settings, own, others) as (program, indexed):
            where = "PostgreSQL" if postgres else "SQLite"
            lines = [
                Line(f"{where}: {name}", searched, "ms", "no search", plain, FIVE)
                for name, q in SEARCHES.items()
                for searched, plain in [await _fastest(program, [{"q": q}, {}])]
            ]
    return [Line(f"{where}: events indexed", indexed, "/s"), *lines]


@asynccontextmanager
async def _program(
    settings: Settings, own: int, others: int
) -> AsyncIterator[tuple[httpx.AsyncClient, float]]:
    db = Database(settings.database_url)
    await migrate(db, settings)
    alice, bob = [await make_account(db, name) for name in ("alice", "bob")]
    people = {"alice": alice.id, "bob": bob.id}
    async with db.write() as session:
        kind = session.get_bind().dialect.name
        numbers = NUMBERS[kind] + (
            EVENTS if kind == "postgresql" else EVENTS.replace("AS json", "AS text")
        )
        await session.execute(text(numbers), {"most": own + others, **people})
        await session.execute(ROWS, {"own": own, **people})
    indexed = await _fill(db, own + others)
    async with db.write() as session:
        await session.execute(text("ANALYZE"))
    async with serving(settings) as application, browser(application) as program:
        program.headers["Authorization"] = f"Bearer {await key_of(db, alice)}"
        yield program, indexed
    await db.close()


async def _fill(db: Database, events: int) -> float:
    began = perf_counter()
    async for _number in index.fill(db):
        pass
    return events / (perf_counter() - began)


async def _fastest(program: httpx.AsyncClient, queries: Sequence[dict[str, str]]) -> list[float]:
    """Milliseconds of each, asked for in turn."""
    return [
        min(took) * 1000
        for took in zip(
            *[[await _seconds(program, one) for one in queries] for _round in range(ROUNDS)],
            strict=True,
        )
    ]


async def _seconds(program: httpx.AsyncClient, query: dict[str, str]) -> float:
    began = perf_counter()
    answer = await program.get("/api/notifications", params=query)
    took = perf_counter() - began
    assert answer.status_code == 200, answer.text
    return took


if __name__ == "__main__":
    alone(measure)
