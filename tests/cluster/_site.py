"""Web processes and workers on one database, with a mail server and a push service."""

import asyncio
import os
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from app.database import Database
from app.installation import install
from app.settings import ROOT, Settings, load
from tests.journeys.running import Program, free_port
from tests.push_service import PushService, serving_push
from tests.servers import PostgreSQL, Redis, own_postgresql, own_redis
from tests.smtp_sink import running_sink

SQLITE, POSTGRESQL, REDIS = SETUPS = ("sqlite", "postgresql", "redis")
# `python -m app` would install the requirements of an older checkout first.
RUNNER = "tests.cluster._talking"
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Servers:
    """The servers that the set-up needs."""

    postgresql: PostgreSQL | None = None
    redis: Redis | None = None

    @property
    def environ(self) -> dict[str, str]:
        environ = {}
        if self.postgresql:
            environ["DATABASE_URL"] = self.postgresql.url
        if self.redis:
            environ["REDIS_URL"] = self.redis.url
        return environ


@dataclass
class Site:
    """`db` is the same database, for the rig. Mails are noted in the file `mails`."""

    folder: Path
    settings: Settings
    environ: dict[str, str]
    db: Database
    servers: Servers
    push: PushService
    mails: Path
    webs: list[Program] = field(default_factory=list)
    workers: list[Program] = field(default_factory=list)

    @property
    def programs(self) -> list[Program]:
        return [*self.webs, *self.workers]

    @property
    def urls(self) -> list[str]:
        return [web.url for web in self.webs]

    def program(self, command: str, **differently: str) -> Program:
        """One more, not started yet. A web process gets its own port."""
        environ = {**self.environ, **({"PORT": str(free_port())} if command == "web" else {})}
        programs = self.webs if command == "web" else self.workers
        log = self.folder / f"{command}-{len(programs)}.log"
        programs.append(Program(command, environ | differently, log))
        return programs[-1]

    def sent_mails(self) -> list[tuple[str, str, str]]:
        """(Message-ID, recipient, subject) of all that arrived."""
        lines = self.mails.read_text().splitlines() if self.mails.exists() else []
        parts = [line.split(" ", 2) for line in lines]
        return [(id, recipient, subject) for id, recipient, subject in parts]

    def failures(self) -> list[str]:
        """The lines of the logs that tell of a bug."""
        logs = [one.log for one in self.programs if one.log_path.exists()]
        return [line for log in logs for line in re.findall(r".*(?:Traceback| ERROR ).*", log)]


@asynccontextmanager
async def servers_for(
    setup: str, host: str = "127.0.0.1", networks: str = ""
) -> AsyncIterator[Servers]:
    async with AsyncExitStack() as stack:
        servers = Servers()
        if setup != SQLITE:
            servers.postgresql = await stack.enter_async_context(own_postgresql(host, networks))
        if setup == REDIS:
            servers.redis = await stack.enter_async_context(own_redis(host))
        yield servers


@asynccontextmanager
async def site_on(
    setup: str,
    folder: Path,
    *,
    webs: int,
    workers: int,
    environ: Mapping[str, str] | None = None,
) -> AsyncIterator[Site]:
    """Started on entry, each web process on a port of its own."""
    async with prepared_site(setup, folder, environ=environ) as site:
        for _number in range(webs):
            site.program("web")
        for _number in range(workers):
            site.program("worker")
        await asyncio.gather(*(one.start() for one in site.programs))
        yield site


@asynccontextmanager
async def prepared_site(
    setup: str,
    folder: Path,
    *,
    host: str = "127.0.0.1",
    networks: str = "",
    environ: Mapping[str, str] | None = None,
    root: Path = ROOT,
) -> AsyncIterator[Site]:
    """No program runs yet. The servers listen at `host`. `root` is the checkout whose schema it is."""
    async with AsyncExitStack() as stack:
        servers = await stack.enter_async_context(servers_for(setup, host, networks))
        mails = folder / "mails"
        port = await stack.enter_async_context(running_sink(mails, host))
        push = await stack.enter_async_context(serving_push(host=host))
        inherited = {
            name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ
        }
        own = {
            **inherited,
            "HOST": "127.0.0.1",
            "PORT": str(free_port()),
            "DATA_DIR": str(folder / "data"),
            "DEMO": "0",
            "RATE_LIMITS": "0",
            "SECRET_KEY": "a secret of the cluster",
            "SMTP_HOST": host,
            "SMTP_PORT": str(port),
            "SMTP_TLS": "none",
            "PUSH_ALLOWED_HOSTS": push.host,
            "EMAIL_DELAY_SECONDS": "0",
            "PUSH_DELAY_SECONDS": "0",
            **servers.environ,
            **(environ or {}),
        }
        await _migrate(folder, own, root)
        settings = load(own)
        db = install(settings).db
        stack.push_async_callback(db.close)
        site = Site(folder, settings, own, db, servers, push, mails)
        stack.push_async_callback(end_all, site)
        yield site


async def _migrate(folder: Path, environ: dict[str, str], root: Path) -> None:
    """As an operator does before the first start."""
    migrating = Program("migrate", environ, folder / "migrate.log", root=root, module=RUNNER)
    await migrating.start()
    assert migrating.process
    assert await migrating.process.wait() == 0, migrating.log


async def end_all(site: Site) -> None:
    """In whatever state they are."""
    for program in site.programs:
        if not program.is_running and program.log_path.exists():
            print(f"{program.command} had ended:\n{program.log[-2000:]}", flush=True)
    await asyncio.gather(*(one.end() for one in site.programs), return_exceptions=True)


def processor_seconds(pid: int) -> float:
    """What the process, its threads and its children that have ended used of a core."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(number) for number in fields[11:15]) / TICKS


def own_memory(pid: int) -> float:
    """MB that the process has for itself."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"RssAnon:\s+(\d+) kB", status)
    assert found
    return int(found[1]) / 1024
