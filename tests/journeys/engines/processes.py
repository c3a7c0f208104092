"""The programs of a browser: each with a process group of its own, so that all of it can be ended."""

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

SECONDS_TO_START = 120


def why_missing(*programs: str) -> str:
    """Why a journey in this browser is skipped, or ""."""
    missing = [program for program in programs if not shutil.which(program)]
    return f"{' and '.join(missing)} not installed" if missing else ""


@asynccontextmanager
async def running(
    *command: str, log: Path, environ: Mapping[str, str] | None = None
) -> AsyncIterator[None]:
    """Runs the command, in English and in UTC. Both of its outputs are in `log`."""
    inherited = {**os.environ, "LANG": "C.UTF-8", "TZ": "UTC"}
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *command,
            env=inherited | dict(environ or {}),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def until(is_ready: Callable[[], bool]) -> None:
    """Asks again and again while a program starts."""
    async with asyncio.timeout(SECONDS_TO_START):
        while not is_ready():  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.05)


def read(path: Path) -> str:
    """What a program has written so far."""
    return path.read_text() if path.exists() else ""
