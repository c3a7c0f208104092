"""Disks and databases that refuse, for the tests."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from app.database import Database

BLOCK = 1_000_000


def sqlite_error(code: int, message: str = "made by a test") -> sqlite3.OperationalError:
    error = sqlite3.OperationalError(message)
    error.sqlite_errorcode = code
    return error


@contextmanager
def refusing_writes(db: Database, code: int = sqlite3.SQLITE_FULL) -> Iterator[None]:
    """Every transaction that would write fails with this code of SQLite; reads go on."""

    def refuse(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if statement == "BEGIN IMMEDIATE":
            raise sqlite_error(code)

    engine = db.engine.sync_engine
    event.listen(engine, "before_cursor_execute", refuse)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", refuse)


@contextmanager
def locked_by_another_process(path: Path, how: str = "IMMEDIATE") -> Iterator[None]:
    """`how` is a kind of transaction: IMMEDIATE or EXCLUSIVE."""
    program = (
        "import sqlite3, sys\n"
        "other = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "other.execute('BEGIN ' + sys.argv[2])\n"
        "print('locked', flush=True)\n"
        "sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", program, str(path), how]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "locked\n"
        yield
        process.kill()


def fill(folder: Path) -> Path:
    """Uses up the last byte of the file system, and returns the file that does."""
    ballast = folder / "ballast"
    with ballast.open("ab", buffering=0) as file:
        for size in (BLOCK, 4096, 1):
            with suppress(OSError):
                while file.write(b"x" * size):
                    pass
    return ballast


@contextmanager
def small_file_system(folder: Path, megabytes: int) -> Iterator[Path]:
    """A tmpfs of this size at `folder`. Skips the test where this user may not mount one."""
    folder.mkdir(parents=True, exist_ok=True)
    options = ["-t", "tmpfs", "-o", f"size={megabytes}m", "tests", str(folder)]
    if subprocess.run(["mount", *options], capture_output=True, check=False).returncode:
        pytest.skip("This user may not mount a file system.")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
