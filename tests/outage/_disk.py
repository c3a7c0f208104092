"""A disk of 60 MB that fills up while web and worker run on it."""

import asyncio
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic

import httpx

from app.database import Database
from app.models import Team, User
from app.notifications.events.catalogue import INVITATION_RECEIVED
from app.notifications.notify import notify
from tests import clips
from tests.outage._site import Site, processor_time, serving, signed_in
from tests.outages import fill

PAGES = ("/", "/teams", "/projects", "/notifications", "/account", "/api/teams", "/metrics")
SECONDS_FULL = 60
SECONDS_TO_RECOVER = 90
# Of one core, while nothing is asked for.
MOST_PROCESSOR_TIME = 0.1
MOST_LOG_BYTES = 50_000


async def run(folder: Path) -> dict[str, bool]:
    (folder / "logs").mkdir()
    with small_disk(folder) as disk:
        async with serving(disk, folder / "logs") as site:
            return await _fill_and_free(site, disk)


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """An ext4 file system in a file; where that may not be mounted, a tmpfs."""
    image, disk = folder / "image", folder / "disk"
    disk.mkdir()
    subprocess.run(["truncate", "-s", "60M", image], check=True)
    made = subprocess.run(["mkfs.ext4", "-q", image], check=False)
    if (
        made.returncode
        or subprocess.run(["mount", "-o", "loop", image, disk], check=False).returncode
    ):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=60m", "tests", disk], check=True)
    print(subprocess.run(["df", "-T", disk], capture_output=True, text=True).stdout, flush=True)
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


async def _fill_and_free(site: Site, disk: Path) -> dict[str, bool]:
    alice, bob = site.cast
    pids, found = site.pids(), {}
    async with signed_in(site, alice) as client:
        await _until_ready(client)
        found["works before"] = (await _post(client, "/teams", name="Before")).status_code == 303
        await _invite(site.db, bob.id)
        ballast = fill(disk)
        found |= await _use(site, client)
        written = sum(program.log_path.stat().st_size for program in site.programs)
        with processor_time(pids) as used:
            await asyncio.sleep(SECONDS_FULL)
        grown = sum(program.log_path.stat().st_size for program in site.programs) - written
        print(f"web and worker used {used} s of processor time in {SECONDS_FULL} s", flush=True)
        print(f"the logs grew by {grown} bytes", flush=True)
        found["nothing spins"] = max(used) < MOST_PROCESSOR_TIME * SECONDS_FULL
        found["the logs stay small"] = grown < MOST_LOG_BYTES
        found["both run"] = [program.is_running for program in site.programs] == [True, True]
        found["both are still the same"] = site.pids() == pids
        found["both can be killed and started again"] = await _start_again(site)
        ballast.unlink()
        found |= await _recovered(site, client)
    return found


async def _until_ready(client: httpx.AsyncClient) -> None:
    begun = monotonic()
    while (await client.get("/readyz")).status_code != 200:
        if monotonic() - begun > SECONDS_TO_RECOVER:
            raise TimeoutError("No worker has reported.")
        await asyncio.sleep(0.5)


async def _start_again(site: Site) -> bool:
    for program in site.programs:
        await program.kill()
        await program.start()
    await asyncio.sleep(20)
    return all(program.is_running for program in site.programs)


async def _use(site: Site, client: httpx.AsyncClient) -> dict[str, bool]:
    """Reads and writes for as long as it takes to write more than the last page of the database."""
    reads, writes, words = Counter[int](), Counter[int](), Counter[bool]()
    for turn in range(60):
        for page in (*PAGES, f"/teams/{turn + 100}"):
            reads[(await client.get(page)).status_code] += 1
        answer = await _post(client, "/teams", name=f"Team {turn}")
        writes[answer.status_code] += 1
        words["disk is full" in answer.text and f"Team {turn}" in answer.text] += 1
    api = await client.post("/api/teams", json={"name": "Film Squad"})
    files = {"clips": ("mp4.mp4", clips.make("mp4").read_bytes() * 40, "video/mp4")}
    upload = await client.post(f"/projects/{site.project.id}/clips", files=files)
    compiled = await client.post(f"/api/projects/{site.project.id}/compile")
    print(f"reads {dict(reads)}, writes {dict(writes)}, said so {dict(words)}", flush=True)
    print(f"API {api.status_code}, upload {upload.status_code}, compile {compiled.status_code}")
    return {
        "reads go on": max(reads) < 500,
        "writes are refused in words": writes[507] > 0 and words[True] >= writes[507],
        "no write fails otherwise": set(writes) <= {303, 507},
        "the API answers with a problem": api.status_code == 507 and "disk" in api.json()["detail"],
        "an upload is refused in words": upload.status_code in (422, 507, 503),
    }


async def _recovered(site: Site, client: httpx.AsyncClient) -> dict[str, bool]:
    begun, mails = monotonic(), 0
    answer = await _post(client, "/teams", name="Afterwards")
    ready = 0
    while monotonic() - begun < SECONDS_TO_RECOVER and not (mails and ready == 200):
        await asyncio.sleep(1)
        with suppress(FileNotFoundError):
            mails = len(list(site.settings.mail_dir.glob("*.eml")))
        ready = (await client.get("/readyz")).status_code
    print(f"recovered after {monotonic() - begun:.0f} s; {mails} mails", flush=True)
    return {
        "writes go on by themselves": answer.status_code == 303,
        "the mail arrives once": mails == 1,
        "all is ready": ready == 200,
    }


async def _invite(db: Database, user_id: int) -> None:
    """A mail that goes at once."""
    async with db.act() as session:
        bob, team = await session.get_one(User, user_id), await session.get_one(Team, 1)
        await notify(
            session, INVITATION_RECEIVED, affected=bob, team=team, role="editor", inviter="alice"
        )


async def _post(client: httpx.AsyncClient, path: str, **fields: str) -> httpx.Response:
    return await client.post(path, data=fields)
