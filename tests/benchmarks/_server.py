"""A real server in a process of its own, on a port the system chooses."""

import asyncio
import os
import re
import resource
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
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
        """Bytes that the (one) server process has for itself: without the files it looks into."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"RssAnon:\s+(\d+) kB", status)[1]) * 1024  # type: ignore[index]

    def processor_seconds(self) -> float:
        """What the (one) server process has used of a core so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    async def stop(self) -> float:
        """End it with SIGTERM; returns how many seconds that took."""
        loop = asyncio.get_running_loop()
        asked_at = loop.time()
        self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(60):
            await self.process.wait()
        return loop.time() - asked_at


@asynccontextmanager
async def serving(
    app: str, *, workers: int = 1, shutdown_seconds: int = 1
) -> AsyncIterator[Server]:
    """Run an ASGI application ("module:name") in uvicorn with uvloop and httptools.

    After SIGTERM, uvicorn waits `shutdown_seconds` for open requests, then cancels them and logs
    an error.
    """
    options = ["--port", "0", "--workers", str(workers), "--no-access-log"]
    options += ["--timeout-graceful-shutdown", str(shutdown_seconds), "--no-use-colors"]
    command = [sys.executable, "-m", "uvicorn", app, *options]
    ready = ["Uvicorn running on", *["Application startup complete"] * workers]
    async with running(command, lambda server: _all_logged(server, ready)) as server:
        yield server


@asynccontextmanager
async def serving_clippyfront(environ: Mapping[str, str]) -> AsyncIterator[Server]:
    """Run the application by its own command, with these settings, on a free port."""
    port = free_port()
    command = [sys.executable, "-m", "app", "web"]

    async with running(
        command, partial(until_listening, port), {**environ, "PORT": str(port)}
    ) as server:
        yield server


@asynccontextmanager
async def running(
    command: Sequence[str],
    until_up: Callable[[Server], Awaitable[None]],
    environ: Mapping[str, str] | None = None,
) -> AsyncIterator[Server]:
    """Run `command` until left; `until_up` awaits that it serves, and finds its port."""
    raise_file_limit()
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=ROOT,
        env={**os.environ, **(environ or {})},
        stderr=PIPE,
        start_new_session=True,
    )
    server = Server(process)
    reading = asyncio.create_task(_read_log(server))
    try:
        async with asyncio.timeout(30):
            await until_up(server)
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


async def _all_logged(server: Server, signs: Sequence[str]) -> None:
    """Until each of the signs stood in the log, in any order; one of them names the address."""
    read, ready = 0, list(signs)
    while ready:
        _require_alive(server)
        for line in server.log[read:]:
            read += 1
            if address := re.search(r"http://[^:/]+:(\d+)", line):
                server.port = int(address[1])
            if sign := next((sign for sign in ready if sign in line), None):
                ready.remove(sign)
        await asyncio.sleep(0.01)


async def until_listening(port: int, server: Server) -> None:
    server.port = port
    while not await _listens(port):
        _require_alive(server)
        await asyncio.sleep(0.02)


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


async def _listens(port: int) -> bool:
    try:
        _reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return False
    writer.close()
    return True


def _require_alive(server: Server) -> None:
    if server.process.returncode is not None:
        raise RuntimeError("The server did not start:\n" + "".join(server.log))
