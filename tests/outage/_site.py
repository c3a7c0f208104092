"""A web process and a worker on a folder of one's own, their logs elsewhere, and what they use."""

import os
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from app.accounts.sessions import start_session
from app.database import Database
from app.database.migrations import migrate
from app.installation import install
from app.models import Project, User
from app.projects.clips import add_clip
from app.projects.projects import create_project
from app.settings import Settings, load
from tests.factories import make_account, make_team
from tests.journeys.running import Program, free_port
from tests.projects.conftest import uploaded

SECRET_KEY = "a secret of the outages"
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Site:
    settings: Settings
    web: Program
    worker: Program
    db: Database
    cast: tuple[User, User]
    project: Project

    @property
    def programs(self) -> tuple[Program, Program]:
        return self.web, self.worker

    def pids(self) -> list[int]:
        return [program.process.pid for program in self.programs if program.process]

    def failures(self) -> list[str]:
        """The lines of the logs that tell of a bug."""
        return re.findall(r".*(?:Traceback| ERROR ).*", self.web.log + self.worker.log)


@asynccontextmanager
async def serving(
    folder: Path, logs: Path, environ: Mapping[str, str] | None = None
) -> AsyncIterator[Site]:
    """With alice, bob, and a project of alice's that can be compiled."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    own = {
        "DATA_DIR": str(folder / "data"),
        "SECRET_KEY": SECRET_KEY,
        "PORT": str(free_port()),
        "DEMO": "0",
        "EMAIL_DELAY_SECONDS": "5",
    }
    settings = load({**inherited, "HOST": "127.0.0.1", **own})
    environ = {**inherited, "HOST": "127.0.0.1", **own, **(environ or {})}
    web = Program("web", dict(environ), logs / "web.log")
    worker = Program("worker", dict(environ), logs / "worker.log")
    db = install(settings).db
    try:
        await migrate(db, settings)  # so that a busy machine starts the processes in time
        await web.start()
        await worker.start()
        alice, bob = await make_account(db, "alice"), await make_account(db, "bob")
        await make_team(db, alice, editors=[bob])
        yield Site(settings, web, worker, db, (alice, bob), await _reel(db, settings, alice))
    finally:
        for program in (web, worker):
            if not program.is_running and program.log_path.exists():
                print(f"{program.command} has ended:\n{program.log[-4000:]}", flush=True)
        for program in (web, worker):
            await program.end()
        await db.close()


async def _reel(db: Database, settings: Settings, alice: User) -> Project:
    async with db.act() as session:
        project = await create_project(session, alice, "Highlight Reel")
    for clip in ("mp4", "webm", "mkv", "mov", "portrait", "silent", "ts", "avi"):
        await add_clip(db, settings, alice, project.id, uploaded(settings, clip))
    return project


@asynccontextmanager
async def signed_in(site: Site, user: User) -> AsyncIterator[httpx.AsyncClient]:
    async with site.db.write() as session:
        token = await start_session(session, user, "an outage")
    client = httpx.AsyncClient(base_url=site.web.url, cookies={"session": token}, timeout=60)
    async with client:
        await client.get("/account")
        client.headers["X-CSRF-Token"] = client.cookies["csrftoken"]
        yield client


@contextmanager
def processor_time(pids: list[int]) -> Iterator[list[float]]:
    """In seconds, for each process, once the block has ended."""
    before = [_ticks(pid) for pid in pids]
    used: list[float] = []
    yield used
    used += [(_ticks(pid) - start) / TICKS for pid, start in zip(pids, before, strict=True)]


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
