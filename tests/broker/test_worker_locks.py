"""A worker that crashed is reported; one that runs or shut down cleanly is not."""

import fcntl
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from app.broker.worker_locks import WorkerLock

HOLD_A_LOCK = """
import sys, time
from pathlib import Path
from app.broker.worker_locks import WorkerLock
with WorkerLock(Path(sys.argv[1])) as lock:
    print(lock.name, flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def other(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another worker process."""
    command = [sys.executable, "-c", HOLD_A_LOCK, str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as process:  # type: ignore[call-overload]
        yield process
        process.kill()


def name_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def test_a_running_worker_has_not_crashed(tmp_path: Path, other: subprocess.Popen[str]) -> None:
    name_of(other)

    with WorkerLock(tmp_path) as lock:
        assert lock.crashed() == []


def test_a_killed_worker_is_reported_once(tmp_path: Path, other: subprocess.Popen[str]) -> None:
    name = name_of(other)
    other.send_signal(signal.SIGKILL)
    other.wait()

    with WorkerLock(tmp_path) as lock:
        assert lock.crashed() == [name]
        assert lock.crashed() == []


def test_a_worker_at_which_another_looked_while_it_started_is_reported_when_it_crashes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with WorkerLock(tmp_path) as other:
        lock = fcntl.flock

        def look_first(file: IO[str], how: int) -> None:
            monkeypatch.undo()
            other.crashed()
            lock(file, how)

        monkeypatch.setattr(fcntl, "flock", look_first)
        starting = WorkerLock(tmp_path).__enter__()
        assert other.crashed() == []

        assert starting._file
        starting._file.close()  # as the kernel does
        assert other.crashed() == [starting.name]


def test_a_clean_shutdown_leaves_no_file(tmp_path: Path) -> None:
    with WorkerLock(tmp_path):
        pass

    with WorkerLock(tmp_path) as lock:
        assert lock.crashed() == []
        assert [path.name for path in tmp_path.iterdir()] == [lock.name]
