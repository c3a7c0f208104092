"""A clock that is 40 days ahead for a minute, and a worker that is killed after it is back."""

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import timedelta
from functools import partial
from pathlib import Path
from time import monotonic, time

import httpx
from sqlalchemy import func, select, update

from app import clock
from app.models import Compilation, Delivery, Invitation, Notification, Team, User
from app.notifications.events.catalogue import PROJECT_SHARED
from app.notifications.notify import notify
from app.teams.open_invitations import LIFETIME
from tests.outage._site import Site, serving, signed_in

SECONDS_AHEAD = 70
SECONDS_TO_RECOVER = 120
NEXT = {"cron:recover": 60, "cron:purge": 600, "cron:clean_up": 86_400}


async def run(folder: Path) -> dict[str, bool]:
    if not (library := _library()):
        print("libfaketime is not installed.")
        return {"libfaketime is installed": False}
    (folder / "logs").mkdir()
    hands = folder / "clock"
    _set(hands, "+0")
    environ = {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(hands),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }
    async with (
        serving(folder, folder / "logs", environ) as site,
        signed_in(site, site.cast[0]) as client,
    ):
        return await _jump(site, client, partial(_set, hands))


def _library() -> Path | None:
    return next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)


def _set(hands: Path, ahead: str) -> None:
    hands.write_text(ahead + "\n")


async def _jump(
    site: Site, client: httpx.AsyncClient, set_clock: Callable[[str], None]
) -> dict[str, bool]:
    await _prepare(site)
    await asyncio.sleep(65)  # a worker looks at the clock every minute
    set_clock("+40d")
    await asyncio.sleep(5)
    await _share(site)
    async with site.db.write() as session:  # as the processes would have, which see the date
        late = clock.now() + timedelta(days=40)
        await session.execute(update(Delivery).values(due_at=late))
    await asyncio.sleep(SECONDS_AHEAD)
    set_clock("+0")
    back = monotonic()
    found = {"cron lines come at their next time": await _until(lambda: _crons_are_near(site))}
    print(f"cron lines are back after {monotonic() - back:.0f} s", flush=True)
    found |= await _kept(site)
    found |= await _compile(site, client)
    found["the mail arrives"] = await _until(lambda: _mail_arrived(site))
    found["no traceback"] = not site.failures()
    return found


async def _prepare(site: Site) -> None:
    """A notification that was read, and an invitation that is open."""
    await _share(site)
    async with site.db.write() as session:
        await session.execute(update(Notification).values(read_at=clock.now()))
        session.add(
            Invitation(
                team_id=1,
                inviter_id=site.cast[0].id,
                email="dave@example.com",
                email_key="dave@example.com",
                role="viewer",
                expires_at=clock.now() + LIFETIME,
            )
        )


async def _share(site: Site) -> None:
    async with site.db.act() as session:
        team, alice = await session.get_one(Team, 1), await session.get_one(User, site.cast[0].id)
        await notify(session, PROJECT_SHARED, actor=alice, team=team, project_name="Highlight Reel")


async def _kept(site: Site) -> dict[str, bool]:
    async with site.db.read() as session:
        read = select(func.count()).where(Notification.read_at.is_not(None))
        status = await session.scalar(select(Invitation.status))
        return {
            "what was read is kept": bool(await session.scalar(read)),
            "the invitation is open": status == "pending",
        }


async def _compile(site: Site, client: httpx.AsyncClient) -> dict[str, bool]:
    await client.post(f"/api/projects/{site.project.id}/compile")
    was_running = await _until(lambda: _compilation_is(site, "running"))
    await site.worker.kill()
    killed = monotonic()
    await site.worker.start()
    is_done = await _until(lambda: _compilation_is(site, "completed"))
    print(f"the compilation was complete {monotonic() - killed:.0f} s after the kill", flush=True)
    return {"a compilation runs": was_running, "it is taken up within two minutes": is_done}


async def _until(condition: Callable[[], Awaitable[bool]]) -> bool:
    begun = monotonic()
    while monotonic() - begun < SECONDS_TO_RECOVER:
        if await condition():
            return True
        await asyncio.sleep(0.1)
    return False


async def _compilation_is(site: Site, status: str) -> bool:
    async with site.db.read() as session:
        return await session.scalar(select(Compilation.status)) == status


async def _mail_arrived(site: Site) -> bool:
    async with site.db.read() as session:
        states = (await session.scalars(select(Delivery.state))).all()
    return bool(states) and "pending" not in states


async def _crons_are_near(site: Site) -> bool:
    """Each waits for its own next time, and one has run since the clock is back."""
    with closing(sqlite3.connect(site.settings.sqlite_path.with_name("queue.db"))) as queue:
        jobs = queue.execute("SELECT key, status, scheduled, payload FROM job").fetchall()
    waiting = {key: due for key, status, due, _payload in jobs if key in NEXT}
    seen = [
        json.loads(payload).get("queued", 0) / 1000 for key, *_rest, payload in jobs if key in NEXT
    ]
    is_near = all(due <= time() + NEXT[key] + 60 for key, due in waiting.items())
    return waiting.keys() == NEXT.keys() and is_near and max(seen) <= time() + 60
