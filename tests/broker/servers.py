"""PostgreSQL and Redis for the tests of queues and relays, where they run on this machine.

Each test gets a schema, or a prefix, of its own.
"""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from secrets import token_hex
from typing import Any

import psycopg
import pytest
from redis import exceptions
from redis.asyncio import Redis

from tests.setups import POSTGRES_URL, REDIS_URL


@asynccontextmanager
async def schema() -> AsyncIterator[str]:
    """A DATABASE_URL whose tables are in an empty schema, which is dropped afterwards."""
    name = f"test_{token_hex(8)}"
    url = POSTGRES_URL.replace("+psycopg", "")
    try:
        connection = await psycopg.AsyncConnection.connect(url, autocommit=True, connect_timeout=5)
    except psycopg.OperationalError:
        pytest.skip("PostgreSQL does not run here.")
    async with connection:
        await connection.execute(f"CREATE SCHEMA {name}".encode())
        yield f"{POSTGRES_URL}?options=-csearch_path%3D{name}"
        await connection.execute(f"DROP SCHEMA {name} CASCADE".encode())


@asynccontextmanager
async def redis_prefix() -> AsyncIterator[str]:
    """A prefix for keys, which are deleted afterwards."""
    prefix = f"test_{token_hex(8)}"
    client: Any = Redis.from_url(REDIS_URL)
    try:
        await client.ping()
    except exceptions.ConnectionError:
        pytest.skip("Redis does not run here.")
    yield prefix
    async for key in client.scan_iter(f"{prefix}*"):
        await client.delete(key)
    await client.aclose()


class OwnServer:
    """A server of the test's own, which it may stop and start again on the same port."""

    def __init__(self) -> None:
        # Not one of pytest's, which only its own user can enter.
        self._folder = tempfile.TemporaryDirectory()
        self.folder = Path(self._folder.name)
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    user: str | None = None

    def command(self) -> list[str]:
        raise NotImplementedError

    async def answers(self) -> bool:
        raise NotImplementedError

    async def start(self) -> None:
        self._process = _start(self.command(), self.user)
        async with asyncio.timeout(60):
            while not await self.answers():  # noqa: ASYNC110 - there is nothing else to wait for
                await asyncio.sleep(0.05)

    def stop(self) -> None:
        if self._process:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(30)
            self._process = None

    def close(self) -> None:
        self.stop()
        self._folder.cleanup()


class OwnRedis(OwnServer):
    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> list[str]:
        program = shutil.which("redis-server") or pytest.skip("redis-server is not installed.")
        options = {"port": self.port, "bind": "127.0.0.1", "save": "", "dir": self.folder}
        return [
            program,
            *(word for name, value in options.items() for word in (f"--{name}", f"{value}")),
        ]

    async def answers(self) -> bool:
        client: Any = Redis.from_url(self.url)
        try:
            return bool(await client.ping())
        except exceptions.ConnectionError:
            return False
        finally:
            await client.aclose()


class OwnPostgres(OwnServer):
    """PostgreSQL refuses to run as root, who can run it as another user."""

    user = "postgres" if os.getuid() == 0 else None

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/postgres"

    @property
    def _data(self) -> Path:
        return self.folder / "postgres"

    def command(self) -> list[str]:
        if not self._data.exists():
            self._create()
        options = ["-D", f"{self._data}", "-p", f"{self.port}", "-h", "127.0.0.1", "-k", "", "-F"]
        return [_program("postgres"), *options]

    def _create(self) -> None:
        initdb = [_program("initdb"), "-D", f"{self._data}", "-U", "postgres", "-A", "trust"]
        if self.user:
            shutil.chown(self.folder, self.user)
        subprocess.run(initdb, check=True, capture_output=True, user=self.user)

    async def answers(self) -> bool:
        url = self.url.replace("+psycopg", "")
        try:
            async with await psycopg.AsyncConnection.connect(url, connect_timeout=5):
                return True
        except psycopg.OperationalError:
            return False


def _start(command: list[str], user: str | None) -> subprocess.Popen[bytes]:
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, stdout=quiet, stderr=quiet, user=user)


def _program(name: str) -> str:
    folders = [*map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"))), os.environ["PATH"]]
    path = shutil.which(name, path=os.pathsep.join(folders))
    return path or pytest.skip(f"{name} is not installed.")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@asynccontextmanager
async def running(server: OwnServer) -> AsyncIterator[OwnServer]:
    try:
        await server.start()
        yield server
    finally:
        server.close()
