"""`python -m app` keeps its processes running, and none of them outlives it."""

import asyncio
import errno
import io
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import httpx
import pytest

from app.cli import supervisor
from app.cli.supervisor import Supervisor, read_procfile
from app.settings import ROOT
from tests.journeys.running import free_port

SECONDS = 120  # a busy machine takes its time to start Python
WAITS = f"{sys.executable} -u -c 'import signal; print(1); signal.pause()'"
IGNORES_SIGTERM = (
    f"{sys.executable} -u -c 'import signal; signal.signal(15, signal.SIG_IGN); print(1);"
    " signal.pause(); signal.pause(); signal.pause()'"
)
FAILS = f"{sys.executable} -c 'raise SystemExit(3)'"
HAS_A_CHILD = "sh -c 'sleep 1000 & echo child $!; exec sleep 1000'"


async def until(is_so: Callable[[], object]) -> None:
    async with asyncio.timeout(SECONDS):
        while not is_so():  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.05)


def is_there(pid: int) -> bool:
    """Whether the process runs; one that has ended and waits for its parent does not."""
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def supervise(**commands: str) -> tuple[Supervisor, "asyncio.Task[int]"]:
    one = Supervisor(commands, os.environ, ROOT)
    return one, asyncio.create_task(one.run())


async def test_a_process_that_is_killed_is_started_again(
    capfd: pytest.CaptureFixture[str],
) -> None:
    one, running = supervise(web=WAITS, worker=WAITS)
    await until(lambda: len(one.pids) == 2)
    first = one.pids

    os.kill(first["web"], signal.SIGKILL)
    await until(lambda: one.pids.get("web", first["web"]) != first["web"])

    assert one.pids["worker"] == first["worker"]
    os.kill(os.getpid(), signal.SIGTERM)
    assert await running == 128 + signal.SIGTERM
    assert not any(map(is_there, [*first.values(), *one.pids.values()]))
    (line,) = [line for line in capfd.readouterr().out.splitlines() if "again" in line]
    assert re.fullmatch(
        r"\d\d:\d\d:\d\d system \| web was ended by SIGKILL and is started again", line
    )


async def test_children_of_a_process_end_with_it(capfd: pytest.CaptureFixture[str]) -> None:
    one, running = supervise(web=HAS_A_CHILD)
    await until(lambda: one.pids)
    children: list[int] = []

    def has_child() -> bool:
        children.extend(map(int, re.findall(r"child (\d+)", capfd.readouterr().out)))
        return bool(children)

    await until(has_child)
    os.kill(one.pids["web"], signal.SIGKILL)

    await until(lambda: not is_there(children[0]))
    os.kill(os.getpid(), signal.SIGINT)
    assert await running == 128 + signal.SIGINT


async def test_a_process_that_keeps_failing_ends_all_with_a_message(
    capfd: pytest.CaptureFixture[str],
) -> None:
    one, running = supervise(web=FAILS, worker=WAITS)
    await until(lambda: "worker" in one.pids)
    worker = one.pids["worker"]

    assert await running == 1

    printed = capfd.readouterr().out
    assert printed.count("web exited with status 3 and is started again") == 5
    assert "web exited with status 3. It ended too often within a minute" in printed
    assert not is_there(worker)


async def test_a_process_that_does_not_end_is_killed_after_its_grace(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "GRACE_SECONDS", 0.2)
    one, running = supervise(web=IGNORES_SIGTERM)
    await until(lambda: "| 1" in capfd.readouterr().out)
    pid = one.pids["web"]

    os.kill(os.getpid(), signal.SIGTERM)

    assert await running == 128 + signal.SIGTERM
    assert not is_there(pid)
    assert "web is killed, because it has not ended" in capfd.readouterr().out


async def test_output_of_processes_is_passed_on_line_by_line(
    capfd: pytest.CaptureFixture[str],
) -> None:
    text = 'print("ü" * 3); print("x" * 200_000); print("no line break", end="")'
    _one, running = supervise(web=f"{sys.executable} -X utf8 -c '{text}'")

    await running

    lines = capfd.readouterr().out.splitlines()
    assert re.fullmatch(r"\d\d:\d\d:\d\d web    \| üüü", lines[0])
    assert lines[-3].endswith("| no line break") or "no line break" in "".join(lines)


async def test_processes_are_started_again_while_their_output_cannot_be_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    disk = FullDisk()
    monkeypatch.setattr(sys, "stdout", disk)
    one, running = supervise(web=WAITS)
    await until(lambda: one.pids and disk.refused)
    first = one.pids

    os.kill(first["web"], signal.SIGKILL)
    await until(lambda: one.pids.get("web", first["web"]) != first["web"])

    os.kill(os.getpid(), signal.SIGTERM)
    assert await running == 128 + signal.SIGTERM


class FullDisk(io.StringIO):
    refused = 0

    def write(self, _text: str) -> int:
        self.refused += 1
        raise OSError(errno.ENOSPC, "No space left on device")


def test_the_procfile_names_the_processes() -> None:
    assert read_procfile(ROOT / "Procfile") == {
        "web": "python -m app web",
        "worker": "python -m app worker",
    }


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of a parent's death")
async def test_the_application_goes_on_without_any_of_its_processes_but_not_without_the_first(
    tmp_path: Path,
) -> None:
    port, log = free_port(), tmp_path / "log"
    environ = {"DATA_DIR": str(tmp_path / "data"), "PORT": str(port), "DEMO": "0"}
    with log.open("w") as output:
        process = subprocess.Popen(  # noqa: ASYNC220
            [sys.executable, "-m", "app"],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "WEB_CONCURRENCY": "2"} | environ,
            stdout=output,
            stderr=output,
        )
    try:
        await _serves(port, "/readyz")
        for name in ("web", "worker"):
            os.kill(_children(process.pid)[name], signal.SIGKILL)
            await until(partial(_has_line, log, f"{name} was ended by SIGKILL"))
            await _serves(port, "/readyz" if name == "worker" else "/healthz")
        started = _descendants(process.pid)
        process.kill()
        await until(lambda: not any(map(is_there, started)))
    finally:
        process.kill()
        process.wait()

    assert len(started) >= 4
    assert log.read_text().count("is started again") == 2


def _has_line(log: Path, words: str) -> bool:
    return words in log.read_text()


async def _serves(port: int, path: str) -> None:
    async with asyncio.timeout(SECONDS), httpx.AsyncClient(timeout=SECONDS) as client:
        while True:
            with suppress(httpx.TransportError):
                if (await client.get(f"http://127.0.0.1:{port}{path}")).is_success:
                    return
            await asyncio.sleep(0.1)


def _children(pid: int) -> dict[str, int]:
    """The process ids by their commands: "web", "worker"."""
    rows = [row.split(maxsplit=2) for row in _processes() if row.split()[1] == str(pid)]
    return {args.split()[-1]: int(child) for child, _parent, args in rows}


def _descendants(pid: int) -> list[int]:
    below = [int(row.split()[0]) for row in _processes() if row.split()[1] == str(pid)]
    return below + [lower for child in below for lower in _descendants(child)]


def _processes() -> list[str]:
    listed = subprocess.run(
        ["ps", "-Aww", "-o", "pid=,ppid=,args="], capture_output=True, text=True
    )
    return listed.stdout.splitlines()
