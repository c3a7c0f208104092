import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from app.settings import ROOT

StartProcess = Callable[..., Awaitable[Process]]


@pytest.fixture
async def start_process() -> AsyncIterator[StartProcess]:
    """Starts a part of `tests/broker/processes.py` and waits until it is ready."""
    started: list[Process] = []

    async def start_process(part: str, path: Path) -> Process:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.broker.processes", part, str(path)),
            cwd=ROOT,
            stdout=PIPE,
        )
        started.append(process)
        assert await said(process) == "ready"
        return process

    yield start_process
    for process in started:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def said(process: Process) -> str:
    """The next line the process prints."""
    assert process.stdout
    async with asyncio.timeout(20):
        return (await process.stdout.readline()).decode().strip()
