"""The shipped commands as real processes, on a data folder and ports of their own."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from app.accounts.sessions import start_session
from app.database import Database
from app.installation import install
from app.models import User
from app.settings import ROOT, Settings, load

SECONDS_TO_START = 60
SECONDS_TO_STOP = 15


@dataclass
class Program:
    """One command (`web` or `worker`) and the processes it starts, a group of their own."""

    command: str
    environ: dict[str, str]
    log_path: Path
    process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://{self.environ['HOST']}:{self.environ['PORT']}"

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.returncode is None

    @property
    def log(self) -> str:
        return self.log_path.read_text()

    async def start(self) -> None:
        """Return when it serves; a worker is given no such test, its jobs wait for it."""
        with self.log_path.open("a") as log:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "app", self.command),
                cwd=ROOT,
                env=self.environ,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        if self.command == "web":
            await self._serves()

    async def stop(self) -> None:
        """SIGTERM, as an operator does; raises TimeoutError when it does not end."""
        if self.process and self.is_running:
            self.process.terminate()
            async with asyncio.timeout(SECONDS_TO_STOP):
                await self.process.wait()

    async def kill(self) -> None:
        """SIGKILL: no goodbye, nothing tidied up."""
        assert self.process
        self.process.kill()
        await self.process.wait()

    def freeze(self) -> None:
        """From here on it does nothing, and does not know it."""
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal_all(signal.SIGCONT)

    async def end(self) -> None:
        """Stop it, however it was left, and whatever it has started."""
        self.thaw()
        try:
            await self.stop()
        finally:
            self._signal_all(signal.SIGKILL)

    def servers(self) -> list[int]:
        """The ids of the processes that answer requests, where WEB_CONCURRENCY asks for several."""
        assert self.process
        listed = subprocess.run(
            ["ps", "-Aww", "-o", "pid=,ppid=,args="], capture_output=True, text=True
        )
        rows = [line.split(maxsplit=2) for line in listed.stdout.splitlines()]
        return [
            int(pid)
            for pid, parent, args in rows
            if int(parent) == self.process.pid and "spawn_main" in args
        ]

    def _signal_all(self, number: signal.Signals) -> None:
        if self.process:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)

    async def _serves(self) -> None:
        patience = time.monotonic() + SECONDS_TO_START
        async with httpx.AsyncClient(timeout=SECONDS_TO_START) as client:
            while self.is_running and time.monotonic() < patience:
                with suppress(httpx.TransportError):
                    if (await client.get(f"{self.url}/healthz")).is_success:
                        return
                await asyncio.sleep(0.05)
        raise AssertionError(f"{self.command} did not start:\n{self.log}")


@dataclass
class Site:
    """What runs over one data folder. `db` is the same database, seen from the test."""

    settings: Settings
    environ: dict[str, str]
    db: Database
    web: Program
    worker: Program
    programs: list[Program] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.web.url

    def program(self, command: str) -> Program:
        """One more process of this command, not yet started; a web process on its own port."""
        environ = self.environ | ({"PORT": str(free_port())} if command == "web" else {})
        log = self.settings.data_dir / f"{command}-{len(self.programs)}.log"
        one = Program(command, environ, log)
        self.programs.append(one)
        return one

    @property
    def log(self) -> str:
        return "".join(program.log for program in self.programs if program.log_path.exists())

    async def close(self) -> None:
        """End what still runs, however the test left it."""
        try:
            async with asyncio.TaskGroup() as ending:
                for program in self.programs:
                    ending.create_task(program.end())
        finally:
            await self.db.close()


@asynccontextmanager
async def serving(
    folder: Path,
    environ: Mapping[str, str] | None = None,
    *,
    web: bool = True,
    worker: bool = True,
) -> AsyncIterator[Site]:
    """A web process and a worker over `folder`, which may hold a database already."""
    site = _site(folder, dict(environ or {}))
    try:
        if worker:
            await site.worker.start()
        if web:
            await site.web.start()
        yield site
    finally:
        await site.close()


def _site(folder: Path, given: dict[str, str]) -> Site:
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    environ = inherited | {
        "HOST": "127.0.0.1",
        "PORT": str(free_port()),
        "DATA_DIR": str(folder),
        "DEMO": "0",
        "RATE_LIMITS": "0",
        "SECRET_KEY": "a secret of the journeys",
        **given,
    }
    settings = load(environ)
    web = Program("web", environ, folder / "web.log")
    worker = Program("worker", environ, folder / "worker.log")
    return Site(settings, environ, install(settings).db, web, worker, [web, worker])


async def post_as(site: Site, account: User, path: str, **fields: object) -> float:
    """What a button does, over a new connection: whichever process is awake takes it.

    Returns when it was pressed, in seconds of the epoch.
    """
    async with site.db.write() as session:
        token = await start_session(session, account, "a new connection")
    async with httpx.AsyncClient(base_url=site.url, cookies={"session": token}) as client:
        await client.get("/account")
        fields["_csrf_token"] = client.cookies["csrftoken"]
        pressed_at = time.time()
        answer = await client.post(path, data=fields)
        assert answer.status_code == 303, answer.text
        return pressed_at


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
