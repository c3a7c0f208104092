"""The shipped worker ended while it sends: nothing is lost, hardly anything doubled."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select

from app.database import Database
from app.models import Delivery
from tests.benchmarks._world import add_members, add_people
from tests.conftest import NewInstallation
from tests.factories import make_account, make_team
from tests.journeys.running import Program, Site, serving
from tests.mailing import make_due, share
from tests.smtp_sink import running_sink

SECONDS = 45


@pytest.mark.timeout(360)
@pytest.mark.parametrize(
    ("end", "mails", "times", "doubles"), [(Program.kill, 1000, 6, 6), (Program.stop, 300, 2, 0)]
)
async def test_a_worker_that_is_ended_while_it_sends_loses_nothing(
    tmp_path: Path,
    new_installation: NewInstallation,
    end: Callable[[Program], Awaitable[None]],
    mails: int,
    times: int,
    doubles: int,
) -> None:
    """Killed, it may have sent one mail that it could not record; told to stop, it has not."""
    database = new_installation(tmp_path)
    notes = tmp_path / "notes"
    async with running_sink(notes) as port:
        mail = {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(port), "SMTP_TLS": "none"}
        async with serving(tmp_path, database | mail, web=False, worker=False) as site:
            await have_mails_wait(site.db, mails)
            for number in range(1, times + 1):
                await site.worker.start()
                await send_some(notes, mails * number // (times + 1))
                await end(site.worker)
            await site.worker.start()
            await send_all(site)

    sent = Counter(taken(notes))
    assert len(sent) == mails
    assert sum(sent.values()) - mails <= doubles
    assert max(sent.values()) <= 2


def taken(notes: Path) -> list[str]:
    """What the server took: a line for each mail."""
    return notes.read_text().split("\n")[:-1] if notes.exists() else []


async def have_mails_wait(db: Database, mails: int) -> None:
    owner = await make_account(db, "alice")
    team = await make_team(db, owner)
    await add_members(db, team.id, await add_people(db, mails))
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
