"""What a command finds out about itself once it was started under limits."""

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from app.projects.video import resource_limits

LIMITED = str(Path(resource_limits.__file__))
linux = pytest.mark.skipif(sys.platform != "linux", reason="promised on Linux only")


def ask(code: str, *, parent: int | None = None) -> subprocess.CompletedProcess[str]:
    """Run these lines of Python under limits: 7 seconds of CPU, ours or another's child."""
    launch = [sys.executable, "-I", "-S", LIMITED, str(parent or os.getpid()), "7"]
    return subprocess.run([*launch, sys.executable, "-c", code], capture_output=True, text=True)


def test_a_command_runs_within_limits() -> None:
    answer = ask(
        "import json, resource as r;"
        "print(json.dumps([r.getrlimit(k)[0] for k in (r.RLIMIT_CPU, r.RLIMIT_NOFILE, r.RLIMIT_CORE)]))"
    )

    assert json.loads(answer.stdout) == [7, 64, 0]


@linux
def test_a_command_cannot_take_all_the_memory() -> None:
    answer = ask("bytearray(5 * 1024**3)")

    assert "MemoryError" in answer.stderr


def test_a_command_gives_way_to_the_server() -> None:
    answer = ask("import os; print(os.nice(0))")

    assert int(answer.stdout) == min(19, os.nice(0) + 10)


@linux
def test_a_command_whose_parent_is_gone_does_not_begin() -> None:
    answer = ask("print('begun')", parent=1)

    assert answer.returncode
    assert not answer.stdout


@linux
def test_a_command_is_alone_on_the_network() -> None:
    if not _may_leave_the_network():
        pytest.skip("this kernel does not permit it; the protocol whitelist stands alone")
    with socket.create_server(("127.0.0.1", 0)) as server:
        answer = ask(f"import socket; socket.create_connection({server.getsockname()!r}, 2)")

    assert "OSError" in answer.stderr or "ConnectionRefused" in answer.stderr


def _may_leave_the_network() -> bool:
    unshare = shutil.which("unshare")
    flags = "-n" if os.geteuid() == 0 else "-Un"
    return bool(unshare) and not subprocess.run([str(unshare), flags, "true"]).returncode
