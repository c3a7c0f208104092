"""Who died without a word is noticed; who lives or left properly is not."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.broker.worker_locks import Presence

ENTER = """
import sys, time
from pathlib import Path
from app.broker.worker_locks import Presence
with Presence(Path(sys.argv[1])) as presence:
    print(presence.name, flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def other(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that is there."""
    command = [sys.executable, "-c", ENTER, str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as process:  # type: ignore[call-overload]
        yield process
        process.kill()


def name_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def test_who_is_alive_has_not_departed(tmp_path: Path, other: subprocess.Popen[str]) -> None:
    name_of(other)

    with Presence(tmp_path) as presence:
        assert presence.departed() == []


def test_who_was_killed_has_departed_and_is_told_of_once(
    tmp_path: Path, other: subprocess.Popen[str]
) -> None:
    name = name_of(other)
    other.send_signal(signal.SIGKILL)
    other.wait()

    with Presence(tmp_path) as presence:
        assert presence.departed() == [name]
        assert presence.departed() == []


def test_who_left_properly_leaves_nothing_behind(tmp_path: Path) -> None:
    with Presence(tmp_path):
        pass

    with Presence(tmp_path) as presence:
        assert presence.departed() == []
        assert [path.name for path in tmp_path.iterdir()] == [presence.name]
