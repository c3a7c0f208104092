"""What a command can do after it was started under limits."""

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from app.projects.video import resource_limits

RESOURCE_LIMITS = str(Path(resource_limits.__file__))
linux = pytest.mark.skipif(sys.platform != "linux", reason="only on Linux")


def ask(code: str, *, parent: int | None = None) -> subprocess.CompletedProcess[str]:
    """Runs the code under limits, with 7 seconds of CPU, as a child of this process or `parent`."""
    launch = [sys.executable, "-I", "-S", RESOURCE_LIMITS, str(parent or os.getpid()), "7"]
    return subprocess.run([*launch, sys.executable, "-c", code], capture_output=True, text=True)


def test_a_command_runs_within_limits() -> None:
    answer = ask(
        "import json, resource as r;"
        "print(json.dumps([r.getrlimit(k)[0] for k in (r.RLIMIT_CPU, r.RLIMIT_NOFILE, r.RLIMIT_CORE)]))"
    )

    assert json.loads(answer.stdout) == [7, 64, 0]


@linux
def test_a_command_cannot_use_all_memory() -> None:
    answer = ask("bytearray(5 * 1024**3)")

    assert "MemoryError" in answer.stderr


def test_a_command_has_a_lower_priority_than_the_server() -> None:
    answer = ask("import os; print(os.nice(0))")

    assert int(answer.stdout) == min(19, os.nice(0) + 10)


@linux
def test_a_command_whose_parent_is_dead_does_not_start() -> None:
    answer = ask("print('started')", parent=1)

    assert answer.returncode
    assert not answer.stdout


@linux
def test_a_command_has_no_network() -> None:
    if not _may_leave_the_network():
        pytest.skip("this kernel does not permit it; only the protocol whitelist applies")
    with socket.create_server(("127.0.0.1", 0)) as server:
        answer = ask(f"import socket; socket.create_connection({server.getsockname()!r}, 2)")

    assert "OSError" in answer.stderr or "ConnectionRefused" in answer.stderr


def _may_leave_the_network() -> bool:
    unshare = shutil.which("unshare")
    flags = "-n" if os.geteuid() == 0 else "-Un"
    return bool(unshare) and not subprocess.run([str(unshare), flags, "true"]).returncode
