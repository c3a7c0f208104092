"""Acts a second of eight writers: what it costs that positions are allotted in commit order.

    python -m tests.benchmarks.acts [--each 60] [--rounds 3]

Each notifies one person at a time: in two processes on SQLite, as web and worker are, in eight on
PostgreSQL. There, the peer is the same without the act's lock, which would lose events for readers:
a reader follows the positions meanwhile and counts what it missed. The bare statements of such an act, sent by `pgbench`, show what
the lock itself allows: they hold it from their first statement until the commit is on disk.
"""

import asyncio
import multiprocessing
import re
import tempfile
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from statistics import median
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

import uvloop
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import ACT_LOCK, Database
from app.database.migrations import migrate
from app.installation import install
from app.models import Change, User
from app.notifications.events.catalogue import INVITATION_RECEIVED
from app.notifications.notify import notify
from app.settings import load
from tests.benchmarks._table import Line, alone
from tests.benchmarks._world import add_people
from tests.servers import DATABASE, PostgreSQL, own_postgresql, postgresql_programs, run

WRITERS = 8
PROCESSES_ON_SQLITE, PROCESSES_ON_POSTGRESQL = 2, 8
BARE_SECONDS = 5
SECRET = {"SECRET_KEY": "a secret of the benchmark"}
BARE = """
BEGIN;
{lock}
INSERT INTO change (kind, created_at) VALUES ('event', now()) RETURNING id AS event \\gset
INSERT INTO event (id, type, context, created_at) VALUES (:event, 'bare', '{{}}', now());
INSERT INTO notification (user_id, event_id, position, type, hidden, group_key) VALUES (1 + :client_id,
 :event, :event, 'bare', false, 'bare:team:1') RETURNING id AS notification \\gset
INSERT INTO delivery (notification_id, user_id, channel, address, bundling, state, attempts,
 due_at, created_at) VALUES (:notification, 1 + :client_id, 'email', 'a@example.com', 'bundle',
 'pending', 0, now(), now());
COMMIT;
"""


async def measure(each: int = 60, rounds: int = 3) -> list[Line]:
    lines = []
    async with _on_sqlite() as environ:
        ordered = [await _acts(environ, each, PROCESSES_ON_SQLITE) for _round in range(rounds)]
        lines.append(Line(f"acts of {WRITERS} writers, SQLite", median(ordered), "a second"))
    if postgresql_programs() is None:
        return lines
    async with own_postgresql() as server, _on_postgresql(server) as environ:
        ordered, unordered = list[float](), list[float]()
        for _round in range(rounds):
            ordered.append(await _acts(environ, each, PROCESSES_ON_POSTGRESQL))
            unordered.append(await _acts(environ, each, PROCESSES_ON_POSTGRESQL, is_act=False))
        lines.append(_line("acts", ordered, unordered))
        bare = [await _bare_acts(server, is_act=True) for _round in range(rounds)]
        free = [await _bare_acts(server, is_act=False) for _round in range(rounds)]
        lines.append(_line("the bare statements", bare, free))
    return lines


def _line(what: str, ordered: list[float], unordered: list[float]) -> Line:
    return Line(
        f"{what} of {WRITERS} writers, PostgreSQL",
        median(ordered),
        "a second",
        "without the lock",
        median(unordered),
    )


@asynccontextmanager
async def _on_sqlite() -> AsyncIterator[dict[str, str]]:
    with TemporaryDirectory() as folder:
        async with _prepared({"DATA_DIR": folder} | SECRET) as environ:
            yield environ


@asynccontextmanager
async def _on_postgresql(server: PostgreSQL) -> AsyncIterator[dict[str, str]]:
    with TemporaryDirectory() as folder:
        async with _prepared({"DATA_DIR": folder, "DATABASE_URL": server.url} | SECRET) as environ:
            yield environ


@asynccontextmanager
async def _prepared(environ: dict[str, str]) -> AsyncIterator[dict[str, str]]:
    """A database with one more person than there are writers."""
    settings = load(environ)
    db = Database(settings.database_url)
    await migrate(db, settings)
    await add_people(db, WRITERS + 1)
    await db.close()
    yield environ


async def _acts(
    environ: Mapping[str, str], each: int, processes: int, *, is_act: bool = True
) -> float:
    """Acts a second, from the first begin to the last commit."""
    fresh = multiprocessing.get_context("spawn")
    db = install(load(environ)).db
    following = asyncio.create_task(_follow(db, WRITERS * each))
    with ProcessPoolExecutor(processes, mp_context=fresh) as pool:
        loop = asyncio.get_running_loop()
        groups = [range(first, WRITERS, processes) for first in range(processes)]
        times = await asyncio.gather(
            *(
                loop.run_in_executor(pool, _write, dict(environ), group, each, is_act)
                for group in groups
            )
        )
    missed: int = await following
    await db.close()
    assert not (missed and is_act), f"A reader missed {missed} acts."
    seconds = max(end for _begin, end in times) - min(begin for begin, _end in times)
    return WRITERS * each / seconds


def _write(environ: dict[str, str], writers: range, each: int, is_act: bool) -> tuple[float, float]:
    """When they began and ended, in monotonic seconds."""
    return uvloop.run(_write_together(environ, writers, each, is_act))


async def _write_together(
    environ: dict[str, str], writers: range, each: int, is_act: bool
) -> tuple[float, float]:
    db = install(load(environ)).db
    async with db.read() as session:
        actor, *others = await session.scalars(select(User).order_by(User.id))
    begun = monotonic()
    await asyncio.gather(
        *(_keep_writing(db, actor, others[number], each, is_act) for number in writers)
    )
    ended = monotonic()
    await db.close()
    return begun, ended


async def _keep_writing(db: Database, actor: User, user: User, each: int, is_act: bool) -> None:
    facts: dict[str, Any] = {"role": "editor", "inviter": "A", "team_name": "Video Squad"}
    for _act in range(each):
        async with _transaction(db, is_act) as session:
            await notify(session, INVITATION_RECEIVED, actor=actor, affected=user, **facts)


def _transaction(db: Database, is_act: bool) -> AbstractAsyncContextManager[AsyncSession]:
    return db.act() if is_act else db.write()


async def _follow(db: Database, count: int) -> int:
    """Follows the positions until the database holds `count` more; returns how many it missed."""
    async with db.read() as session:
        last = first = await session.scalar(select(func.max(Change.id))) or 0
    seen = there = 0
    while there < count:
        await asyncio.sleep(0.005)
        async with db.read() as session:
            new = select(Change.id).where(Change.id > last).order_by(Change.id)
            ids = list(await session.scalars(new))
            there = await session.scalar(select(func.count()).where(Change.id > first)) or 0
        seen, last = seen + len(ids), max([last, *ids])
    return count - seen


async def _bare_acts(server: PostgreSQL, *, is_act: bool) -> float:
    """Acts a second, by as many clients of pgbench."""
    programs = postgresql_programs()
    assert programs
    lock = f"SELECT pg_advisory_xact_lock({ACT_LOCK});" if is_act else ""
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(BARE.format(lock=lock).replace("\n ", " "))
        script.flush()
        told = await run(
            str(programs / "pgbench"),
            *("-h", server.host, "-p", str(server.port), "-U", "postgres", "-n"),
            *("-c", str(WRITERS), "-j", "2", "-T", str(BARE_SECONDS), "-f", script.name, DATABASE),
        )
    found = re.search(r"tps = ([\d.]+)", told)
    assert found, told
    return float(found[1])


if __name__ == "__main__":
    alone(measure)
