"""Another process that locks the database and the queue for ten seconds."""

import asyncio
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from time import monotonic

import httpx

from tests.outage._site import Site, serving, signed_in
from tests.outages import locked_by_another_process

SECONDS_LOCKED = 10
PAGES = ("/", "/teams", "/notifications", "/api/notifications")


async def run(folder: Path) -> dict[str, bool]:
    (folder / "logs").mkdir()
    async with serving(folder, folder / "logs") as site, signed_in(site, site.cast[0]) as client:
        return await _lock(site, client)


async def _lock(site: Site, client: httpx.AsyncClient) -> dict[str, bool]:
    database = site.settings.sqlite_path
    reads, begun = Counter[int](), monotonic()
    with ExitStack() as locks:
        for path in (database, database.with_name("queue.db")):
            locks.enter_context(locked_by_another_process(path, "EXCLUSIVE"))
        acts = [asyncio.create_task(_act(client, number)) for number in range(10)]
        slowest = 0.0
        while monotonic() - begun < SECONDS_LOCKED:
            for page in PAGES:
                asked = monotonic()
                reads[(await client.get(page)).status_code] += 1
                slowest = max(slowest, monotonic() - asked)
            await asyncio.sleep(0.5)
    answers = await asyncio.gather(*acts)
    after = await _act(client, 99)
    names = (await client.get("/api/teams")).text
    made = [answer.status_code == 303 for answer in answers]
    print(f"reads {dict(reads)}, the slowest {slowest:.2f} s", flush=True)
    print(f"acts {dict(Counter(answer.status_code for answer in answers))}", flush=True)
    return {
        "reads go on": set(reads) == {200},
        "acts wait or are refused": {answer.status_code for answer in answers} <= {303, 503},
        "who is refused learns when to return": all(
            answer.headers.get("Retry-After") for answer in answers if answer.status_code == 503
        ),
        "nothing is half done": made == [f'"Team {n}"' in names for n in range(10)],
        "it works afterwards": after.status_code == 303,
        "no traceback": not site.failures(),
    }


async def _act(client: httpx.AsyncClient, number: int) -> httpx.Response:
    return await client.post("/teams", data={"name": f"Team {number}"})
