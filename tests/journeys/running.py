"""Runs the shipped commands as real processes, with their own data folder and ports."""

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

SECONDS_TO_START = 180
SECONDS_TO_STOP = 60
SECONDS_TO_ANSWER = 60


@dataclass
class Program:
    """A command (`web` or `worker`) and the processes it starts, in a process group of their own.

    `root` is the checkout that it runs, `module` what Python is given, and `prefix` stands before
    the command line.
    """

    command: str
    environ: dict[str, str]
    log_path: Path
    process: asyncio.subprocess.Process | None = None
    root: Path = ROOT
    module: str = "app"
    prefix: tuple[str, ...] = ()

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
        """Returns when `web` serves requests. A worker is not waited for: its jobs wait for it."""
        with self.log_path.open("a") as log:
            self.process = await asyncio.create_subprocess_exec(
                *(*self.prefix, sys.executable, "-m", self.module, self.command),
                cwd=self.root,
                env=self.environ,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        if self.command == "web":
            await self._wait_until_it_serves()

    async def stop(self) -> None:
        """Sends SIGTERM, as an operator does. Raises TimeoutError if the process does not end."""
        if self.process and self.is_running:
            self.process.terminate()
            async with asyncio.timeout(SECONDS_TO_STOP):
                await self.process.wait()

    async def kill(self) -> None:
        """Sends SIGKILL: the process cannot clean up."""
        assert self.process
        self.process.kill()
        await self.process.wait()

    def freeze(self) -> None:
        """Suspends every process until `thaw`."""
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal_all(signal.SIGCONT)

    async def end(self) -> None:
        """Stops it in any state, with every process it has started."""
        self.thaw()
        try:
            await self.stop()
        finally:
            self._signal_all(signal.SIGKILL)

    def servers(self) -> list[int]:
        """The ids of the web processes, if WEB_CONCURRENCY is more than 1."""
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

    async def _wait_until_it_serves(self) -> None:
        deadline = time.monotonic() + SECONDS_TO_START
        async with httpx.AsyncClient(timeout=SECONDS_TO_START) as client:
            while self.is_running and time.monotonic() < deadline:
                with suppress(httpx.TransportError):
                    if (await client.get(f"{self.url}/healthz")).is_success:
                        return
                await asyncio.sleep(0.05)
        raise AssertionError(f"{self.command} did not start:\n{self.log}")


@dataclass
class Site:
    """The programs that run on one data folder. `db` is the same database, for the test."""

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
        """Another program with this command, not started yet. A web process gets its own port."""
        environ = self.environ | ({"PORT": str(free_port())} if command == "web" else {})
        log = self.settings.data_dir / f"{command}-{len(self.programs)}.log"
        one = Program(command, environ, log)
        self.programs.append(one)
        return one

    @property
    def log(self) -> str:
        return "".join(program.log for program in self.programs if program.log_path.exists())

    async def close(self) -> None:
        """Ends every program that is still running."""
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
    """A web process and a worker on `folder`, which may already contain a database."""
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


async def post_as(site: Site, user: User, path: str, **fields: object) -> None:
    """Posts a form as a button does, over a new connection, which any running process may accept."""
    async with site.db.write() as session:
        token = await start_session(session, user, "a new connection")
    cookies = {"session": token}
    async with httpx.AsyncClient(
        base_url=site.url, cookies=cookies, timeout=SECONDS_TO_ANSWER
    ) as client:
        await client.get("/account")
        fields["_csrf_token"] = client.cookies["csrftoken"]
        answer = await client.post(path, data=fields)
        assert answer.status_code == 303, answer.text


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
