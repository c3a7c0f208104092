"""A real server in a process of its own, on a port the system chooses."""

import asyncio
import os
import re
import resource
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Server:
    process: Process
    port: int = 0
    log: list[str] = field(default_factory=list)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def memory(self) -> int:
        """Resident bytes of the (one) server process."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024  # type: ignore[index]

    async def stop(self) -> float:
        """Ask it to end with SIGTERM; the seconds that took."""
        loop = asyncio.get_running_loop()
        asked_at = loop.time()
        self.process.send_signal(signal.SIGTERM)
        await self.process.wait()
        return loop.time() - asked_at


@asynccontextmanager
async def serving(app: str, *, workers: int = 1) -> AsyncIterator[Server]:
    """Run an ASGI application ("module:name") in uvicorn with its usual fast parts."""
    options = ["--port", "0", "--workers", str(workers), "--no-access-log"]
    options += ["--timeout-graceful-shutdown", "1", "--no-use-colors"]
    command = [sys.executable, "-m", "uvicorn", app, *options]
    ready = ["Uvicorn running on", *["Application startup complete"] * workers]
    async with running(command, ready) as server:
        yield server


@asynccontextmanager
async def running(command: Sequence[str], ready: Sequence[str]) -> AsyncIterator[Server]:
    """Run `command` until left; it is up once it has logged every line of `ready`, in any order.

    One of them names its address.
    """
    raise_file_limit()
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stderr=PIPE, start_new_session=True
    )
    server = Server(process)
    reading = asyncio.create_task(_read_log(server))
    try:
        async with asyncio.timeout(30):
            await _all_logged(server, list(ready))
        yield server
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        await reading


def raise_file_limit() -> None:
    """A stream is an open file; the soft limit may be raised to the hard one."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


async def _read_log(server: Server) -> None:
    assert server.process.stderr
    async for line in server.process.stderr:
        server.log.append(line.decode())


async def _all_logged(server: Server, ready: list[str]) -> None:
    read = 0
    while ready:
        if server.process.returncode is not None:
            raise RuntimeError("The server did not start:\n" + "".join(server.log))
        for line in server.log[read:]:
            read += 1
            if address := re.search(r"http://[^:/]+:(\d+)", line):
                server.port = int(address[1])
            if sign := next((sign for sign in ready if sign in line), None):
                ready.remove(sign)
        await asyncio.sleep(0.01)
