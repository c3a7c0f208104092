"""What a command can do in its cell."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from app.projects.video import cell

CELL = str(Path(cell.__file__))
linux = pytest.mark.skipif(sys.platform != "linux", reason="only on Linux")


confined = pytest.mark.skipif(not cell.landlock_version(), reason="the kernel has no Landlock")


def ask(
    code: str, *paths: str, parent: int | None = None, **values: object
) -> subprocess.CompletedProcess[str]:
    """Runs the code in a cell, with 7 seconds of CPU, as a child of this process or `parent`.

    It sees Python and the paths, each `read:…` or `write:…`. `values` are its variables.
    """
    launch = [sys.executable, "-I", "-S", CELL, str(parent or os.getpid()), "7"]
    python = [os.path.realpath(sys.executable), "-I", "-S", "-c"]
    code = "".join(f"{name} = {value!r}\n" for name, value in values.items()) + code
    seen = [f"read:{sys.base_prefix}", *paths]
    return subprocess.run([*launch, *seen, "--", *python, code], capture_output=True, text=True)


def test_a_command_runs_within_limits() -> None:
    answer = ask(
        "import json, resource as r;"
        "kinds = r.RLIMIT_CPU, r.RLIMIT_NOFILE, r.RLIMIT_CORE, r.RLIMIT_FSIZE;"
        "print(json.dumps([r.getrlimit(kind)[0] for kind in kinds]))"
    )

    assert json.loads(answer.stdout) == [7, 64, 0, 16 * 1024**3]


@linux
def test_a_command_cannot_use_all_memory() -> None:
    answer = ask("bytearray(1700 * 1024**2)")

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

    assert re.search("OSError|ConnectionRefused|PermissionError", answer.stderr)


@confined
def test_a_command_reads_no_file_but_its_own(tmp_path: Path) -> None:
    mine, secret = tmp_path / "clip.mp4", tmp_path / "clippyfront.db"
    mine.write_text("a clip")
    secret.write_text("passwords")

    own = ask("print(open(path).read())", f"read:{mine}", path=str(mine))
    other = ask("print(open(path).read())", f"read:{mine}", path=str(secret))
    system = ask("print(open('/etc/passwd').read())", f"read:{mine}")

    assert own.stdout == "a clip\n"
    assert "PermissionError" in other.stderr
    assert "PermissionError" in system.stderr


@confined
def test_a_command_lists_no_folder_but_its_own(tmp_path: Path) -> None:
    (tmp_path / "segments").mkdir()
    (tmp_path / "segments" / "0.mp4").touch()

    own = ask("import os; print(os.listdir(path))", f"read:{tmp_path}", path=f"{tmp_path}/segments")
    other = ask("import os; os.listdir(path)", f"read:{tmp_path}/segments", path=str(tmp_path))

    assert own.stdout == "['0.mp4']\n"
    assert "PermissionError" in other.stderr


@confined
def test_a_command_writes_its_output_and_nothing_else(tmp_path: Path) -> None:
    video, clip, other = tmp_path / "reel.mp4", tmp_path / "clip.mp4", tmp_path / "other.mp4"
    video.write_text("draft")
    clip.write_text("a clip")
    paths = [f"write:{video}", f"read:{clip}"]

    ask("open(path, 'w').write('done')", *paths, path=str(video))
    overwriting = ask("open(path, 'w')", *paths, path=str(clip))
    creating = ask("open(path, 'w')", *paths, path=str(other))
    removing = ask("import os; os.unlink(path)", *paths, path=str(video))

    assert video.read_text() == "done"
    for answer in (overwriting, creating, removing):
        assert "PermissionError" in answer.stderr
    assert sorted(tmp_path.iterdir()) == [clip, video]
    assert clip.read_text() == "a clip"


@confined
def test_a_command_starts_no_program_of_its_own_choice() -> None:
    answer = ask("import os; os.execv('/bin/sh', ['sh', '-c', 'echo started'])")

    assert "PermissionError" in answer.stderr


@pytest.mark.skipif(cell.landlock_version() < 4, reason="the kernel confines no TCP")
def test_a_command_opens_no_port() -> None:
    answer = ask("import socket; socket.create_server(('127.0.0.1', 0))")

    assert "PermissionError" in answer.stderr


@pytest.mark.skipif(cell.landlock_version() < 6, reason="the kernel confines no signals")
def test_a_command_signals_no_process_outside() -> None:
    answer = ask("import os; os.kill(os.getppid(), 0)")

    assert "PermissionError" in answer.stderr


@linux
def test_a_kernel_without_landlock_runs_the_command_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    launched: list[list[str]] = []
    for name in ("_leave_the_network", "_die_with", "_limit"):
        monkeypatch.setattr(cell, name, lambda *_: None)
    monkeypatch.setattr(cell, "landlock_version", lambda: 0)
    monkeypatch.setattr(os, "nice", lambda _: 0)
    monkeypatch.setattr(os, "execv", lambda _path, command: launched.append(command))

    cell.become(["/bin/true"], parent=1, seconds=7, read=["/etc/passwd"])

    assert launched == [["/bin/true"]]


def _may_leave_the_network() -> bool:
    unshare = shutil.which("unshare")
    flags = "-n" if os.geteuid() == 0 else "-Un"
    return bool(unshare) and not subprocess.run([str(unshare), flags, "true"]).returncode
