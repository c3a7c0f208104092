"""A PostgreSQL server of the tests' own, which they may stop, and PgBouncer before it."""

import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

USER = "clippyfront"
ACCOUNT = "postgres"  # as which a server runs, since none runs as root
SECONDS = 60


class Server:
    """PostgreSQL on a port of its own. Where a test stops it, the test has it start again."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        run(binary("initdb"), "-D", str(folder / "data"), "-U", USER, "-A", "trust", "-N")

    def start(self) -> None:
        options = [
            f"-p {self.port}",
            f"-k {self.folder}",
            "-c listen_addresses=127.0.0.1",
            "-c fsync=off",
            "-c shared_buffers=16MB",
        ]
        self._control("start", "-l", str(self.folder / "log"), "-o", " ".join(options))

    def stop(self) -> None:
        self._control("stop", "-m", "immediate")

    def _control(self, *arguments: str) -> None:
        run(binary("pg_ctl"), "-D", str(self.folder / "data"), "-w", *arguments)

    def url(self, database: str, *, port: int = 0, user: str = USER) -> str:
        return f"postgresql+psycopg://{user}@127.0.0.1:{port or self.port}/{database}"

    def execute(self, statement: str, *, database: str = "postgres") -> list[tuple[Any, ...]]:
        import psycopg

        where = self.url(database).replace("+psycopg", "")
        with psycopg.connect(where, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def new_database(self, *, options: str = "") -> str:
        """Its name."""
        name = f"clips_{os.urandom(6).hex()}"
        self.execute(f"CREATE DATABASE {name} {options}")
        return name


@contextmanager
def postgresql() -> Iterator[Server]:
    """Skips the test where there is no PostgreSQL."""
    if not binary("initdb"):
        pytest.skip("PostgreSQL is not installed.")
    with readable_folder() as folder:
        server = Server(folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def pgbouncer(server: Server, mode: str, *, size: int = 20) -> Iterator[int]:
    """PgBouncer on the port that it yields. Skips the test where there is none."""
    if not binary("pgbouncer"):
        pytest.skip("PgBouncer is not installed.")
    with readable_folder() as folder:
        port, file = free_port(), folder / "pgbouncer.ini"
        file.write_text(
            f"[databases]\n* = host=127.0.0.1 port={server.port} user={USER}\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
            f"auth_type = any\npool_mode = {mode}\ndefault_pool_size = {size}\n"
        )
        file.chmod(0o644)
        with running(binary("pgbouncer"), "-q", str(file)):
            wait_for(lambda: is_listening(port))
            yield port


@contextmanager
def running(*command: str) -> Iterator[None]:
    process = subprocess.Popen(command, **_as_account(), stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(SECONDS)


def run(*command: str) -> None:
    done = subprocess.run(
        command, **_as_account(), capture_output=True, text=True, check=False, timeout=SECONDS
    )
    assert done.returncode == 0, done.stderr


def _as_account() -> Mapping[str, Any]:
    return {"user": ACCOUNT, "group": ACCOUNT, "cwd": "/"} if os.geteuid() == 0 else {"cwd": "/"}


@contextmanager
def readable_folder() -> Iterator[Path]:
    """Outside of the folders that pytest keeps for this user alone."""
    with tempfile.TemporaryDirectory(prefix="clips-") as name:
        folder = Path(name)
        if os.geteuid() == 0:
            shutil.chown(folder, ACCOUNT, ACCOUNT)
        yield folder


def binary(name: str) -> str:
    """Debian keeps those of the server in a folder for each version."""
    folders: Sequence[Path] = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"),
        key=lambda folder: int(re.sub(r"\D", "", folder.parent.name) or 0),
    )
    path = os.pathsep.join([os.environ["PATH"], *map(str, reversed(folders)), "/usr/sbin"])
    return shutil.which(name, path=path) or ""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def is_listening(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)
