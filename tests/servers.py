"""PostgreSQL and Redis of a run's own: in folders of their own, on free ports, stopped at the end."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from tests.journeys.running import free_port

SECONDS_TO_START = 60
DATABASE = "clippyfront"


def postgresql_programs() -> Path | None:
    """The folder of `initdb`, `postgres` and `pg_ctl` of the newest version installed."""
    folders = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/usr/pgsql").glob("*/bin")]
    if folders:
        return max(folders, key=lambda folder: float(folder.parent.name))
    found = shutil.which("initdb")
    return Path(found).parent if found else None


@dataclass
class PostgreSQL:
    """Everything but address and port is as PostgreSQL has it by default."""

    host: str = "127.0.0.1"
    networks: str = "127.0.0.1/32"
    port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://postgres@{self.host}:{self.port}/{DATABASE}"

    async def create(self) -> None:
        """Makes the cluster and the database, and starts the server."""
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
        await self._run("initdb", "-D", self._data, "-U", "postgres", "-A", "trust", "-E", "UTF8")
        self._allow(self.networks)
        await self.start()
        await self._run("createdb", *self._address(), "-U", "postgres", DATABASE)

    def _allow(self, networks: str) -> None:
        with Path(self._data, "pg_hba.conf").open("a") as access:
            access.write(f"host all all {networks} trust\n")

    async def start(self) -> None:
        options = f"-c listen_addresses={self.host} -c port={self.port} -c unix_socket_directories="
        log = str(self.folder / "log")
        await self._run("pg_ctl", "-D", self._data, "-w", "-l", log, "-o", options, "start")

    async def stop(self) -> None:
        """As `systemctl stop` does: sessions are broken off."""
        await self._run("pg_ctl", "-D", self._data, "-w", "-m", "fast", "stop")

    async def remove(self) -> None:
        with suppress(RuntimeError):
            await self._run("pg_ctl", "-D", self._data, "-w", "-m", "immediate", "stop")
        shutil.rmtree(self.folder)

    async def query(self, statement: str) -> str:
        """The first column of the first row, as text."""
        where = (*self._address(), "-U", "postgres", "-d", DATABASE)
        return (await self._run("psql", *where, "-Atc", statement)).strip()

    @cached_property
    def folder(self) -> Path:
        """Where the user `postgres` may enter, as whom the server of root runs."""
        return Path(tempfile.mkdtemp(prefix="postgresql-"))

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    def _address(self) -> tuple[str, ...]:
        return "-h", self.host, "-p", str(self.port)

    async def _run(self, program: str, *arguments: str) -> str:
        programs = postgresql_programs()
        assert programs, "PostgreSQL is not installed."
        as_user = ("runuser", "-u", "postgres", "--") if os.geteuid() == 0 else ()
        return await run(*as_user, str(programs / program), *arguments, cwd=self.folder)


@dataclass
class Redis:
    """Keeps nothing on disk: it comes back empty."""

    host: str = "127.0.0.1"
    port: int = field(default_factory=free_port)
    _process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"redis://{self.host}:{self.port}/0"

    async def start(self) -> None:
        options = (
            "--bind",
            self.host,
            "--port",
            str(self.port),
            "--save",
            "",
            "--appendonly",
            "no",
        )
        self._process = await asyncio.create_subprocess_exec(
            *("redis-server", *options, "--protected-mode", "no"),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        async with asyncio.timeout(SECONDS_TO_START):
            while not await self._answers():  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.05)

    async def stop(self) -> None:
        if self._process and self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()

    async def _answers(self) -> bool:
        try:
            _reader, writer = await asyncio.open_connection(self.host, self.port)
        except OSError:
            return False
        writer.close()
        return True


@asynccontextmanager
async def own_postgresql(host: str = "127.0.0.1", networks: str = "") -> AsyncIterator[PostgreSQL]:
    """`networks`: from where one may connect, in the form of pg_hba.conf; by default `host` alone."""
    server = PostgreSQL(host, networks or f"{host}/32")
    try:
        await server.create()
        yield server
    finally:
        await server.remove()


@asynccontextmanager
async def own_redis(host: str = "127.0.0.1") -> AsyncIterator[Redis]:
    server = Redis(host)
    try:
        await server.start()
        yield server
    finally:
        await server.stop()


async def run(*command: str, cwd: Path | None = None) -> str:
    """What it printed. Raises RuntimeError with that if it failed."""
    with tempfile.TemporaryFile() as output:  # a server that it starts keeps a pipe open
        process = await asyncio.create_subprocess_exec(
            *command, cwd=cwd, stdout=output, stderr=asyncio.subprocess.STDOUT
        )
        status = await process.wait()
        output.seek(0)
        printed = output.read().decode()
    if status:
        raise RuntimeError(f"{' '.join(command)}:\n{printed}")
    return printed
