"""The shipped worker killed with SIGKILL while it sends: nothing is lost, hardly anything doubled."""

import asyncio
import random
import shutil
from collections import Counter
from pathlib import Path

from sqlalchemy import func, select

from app.database import Database
from app.models import Delivery
from tests.benchmarks._world import add_members, add_people
from tests.factories import make_account, make_team
from tests.journeys.running import Site, serving
from tests.mailing import make_due, share
from tests.smtp_sink import running_sink

MAILS = 1000
KILLS = 6
SECONDS = 45


async def test_a_worker_killed_again_and_again_loses_nothing(
    tmp_path: Path, migrated: Path
) -> None:
    shutil.copy(migrated, tmp_path)
    notes = tmp_path / "notes"
    async with running_sink(notes) as port:
        environ = {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(port), "SMTP_TLS": "none"}
        async with serving(tmp_path, environ, web=False, worker=False) as site:
            await have_mails_wait(site.db)
            for number in range(1, KILLS + 1):
                await site.worker.start()
                await send_some(notes, MAILS * number // (KILLS + 1))
                await site.worker.kill()
            await site.worker.start()
            await send_all(site)

    times = Counter(taken(notes))
    assert len(times) == MAILS
    assert sum(times.values()) - MAILS <= KILLS
    assert max(times.values()) <= 2


def taken(notes: Path) -> list[str]:
    """What the server took: a line for each mail."""
    return notes.read_text().split("\n")[:-1] if notes.exists() else []


async def have_mails_wait(db: Database) -> None:
    owner = await make_account(db, "alice")
    team = await make_team(db, owner)
    await add_members(db, team.id, await add_people(db, MAILS))
    await share(db, owner, team)
    await make_due(db)


async def send_some(notes: Path, least: int) -> None:
    """At least so many in all, and then until some moment in the middle of it."""
    async with asyncio.timeout(SECONDS):
        while len(taken(notes)) < least:  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.005)
    await asyncio.sleep(random.uniform(0, 0.1))


async def send_all(site: Site) -> None:
    """The last worker has at once what its dead predecessor held, with no lease to wait for."""
    waiting = select(func.count()).select_from(Delivery).where(Delivery.state != "sent")
    async with asyncio.timeout(SECONDS):
        while True:
            async with site.db.read() as session:
                if not await session.scalar(waiting):
                    return
            await asyncio.sleep(0.2)
