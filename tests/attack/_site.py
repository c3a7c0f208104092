"""`python -m app` in a fresh folder, with a limit of open files, and the memory of its processes."""

import asyncio
import os
import re
import resource
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from app.settings import ROOT

FILES = 300
SECONDS_TO_START = 120


@dataclass(frozen=True)
class Site:
    pid: int
    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def memory(self) -> dict[str, float]:
        """MB that the web process and the worker have for themselves."""
        return {name: _memory_of(pid) for name, pid in self._processes().items()}

    def complaints(self) -> list[str]:
        """The lines of the log that tell of a failure of the application itself."""
        return re.findall(r".*(?:Traceback|Too many open files| ERROR ).*", self.log.read_text())

    def _processes(self) -> dict[str, int]:
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                words = (folder / "cmdline").read_text().split("\0")
                is_ours = f"PORT={self.port}\0" in (folder / "environ").read_text()
                if is_ours and words[1:3] == ["-m", "app"] and words[3] in ("web", "worker"):
                    found[words[3]] = int(folder.name)
        return found


@asynccontextmanager
async def shipped() -> AsyncIterator[Site]:
    with TemporaryDirectory() as folder:
        log, port = Path(folder) / "log", _free_port()
        with log.open("w") as output:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "app"),
                cwd=ROOT,
                env=_environ() | {"DATA_DIR": f"{folder}/data", "PORT": str(port)},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=_limit_files,
            )
        site = Site(process.pid, port, log)
        try:
            await _until_it_listens(site)
            yield site
        finally:
            await _end(process)


def _environ() -> dict[str, str]:
    """Without any setting, so that every default applies."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}


def _limit_files() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


async def _until_it_listens(site: Site) -> None:
    async with asyncio.timeout(SECONDS_TO_START):
        while True:
            with suppress(OSError):
                _reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
                writer.close()
                return
            await asyncio.sleep(0.1)


async def _end(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), 15)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


def _memory_of(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.findall(r"RssAnon:\s+(\d+) kB", status)[0]) / 1024
