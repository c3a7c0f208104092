"""When the worker stops, and what it says of a part that ended by itself."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Coroutine
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app import worker
from app.settings import ROOT

A_PART_FAILS = """
from app import worker
from app.cli import commands

async def fail(_worker):
    raise LookupError("no such queue")

worker._QuietWorker.start = fail
commands.run_worker([])
"""


class Working:
    """In place of one of SAQ's workers: works until it is stopped."""

    queue = SimpleNamespace(name="default")

    def __init__(self) -> None:
        self._stopped = asyncio.Event()

    async def start(self) -> None:
        await self._stopped.wait()

    async def stop(self) -> None:
        self._stopped.set()


class Failing(Working):
    async def start(self) -> None:
        raise LookupError("no such queue")


async def forever() -> None:
    await asyncio.Event().wait()


async def ends() -> None:
    """At once."""


async def fails() -> None:
    raise LookupError("no such table")


async def work(one: Working, **beside: Coroutine[Any, Any, None]) -> bool:
    return await worker._work([one], beside)  # type: ignore[list-item]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_the_worker(
    caplog: pytest.LogCaptureFixture, number: signal.Signals
) -> None:
    asyncio.get_running_loop().call_later(0.1, os.kill, os.getpid(), number)

    assert await work(Working(), beside=forever())
    assert caplog.text == ""


async def test_a_queue_that_fails_stops_the_worker_and_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert not await work(Failing(), beside=forever())

    assert "A part of the worker has ended: worker of default" in caplog.text
    assert "LookupError: no such queue" in caplog.text


async def test_whatever_ends_beside_the_queues_stops_the_worker_and_is_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert not await work(Working(), wake=ends(), beside=forever())
    assert [record.message for record in caplog.records] == ["A part of the worker has ended: wake"]

    assert not await work(Working(), watch=fails(), beside=forever())
    assert "A part of the worker has ended: watch" in caplog.text
    assert "LookupError: no such table" in caplog.text


async def test_a_failure_to_stop_hides_no_other(caplog: pytest.LogCaptureFixture) -> None:
    class Stuck(Failing):
        async def stop(self) -> None:
            raise OSError("connection lost")

    assert not await work(Stuck(), beside=forever())

    assert "LookupError: no such queue" in caplog.text
    assert "OSError: connection lost" in caplog.text


def test_the_process_of_a_worker_that_failed_exits_with_an_error(tmp_path: Path) -> None:
    environ = {**os.environ, "DATA_DIR": str(tmp_path), "DEMO": "0"}
    command = [sys.executable, "-c", A_PART_FAILS]

    ended = subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )

    assert ended.returncode == 1
    assert "LookupError: no such queue" in ended.stderr
