"""Runs the processes of the Procfile, and starts each one again that ends by itself.

Each is the leader of its own process group, so that its children do not outlive it: a web process
left behind would keep the port. On Linux, all end if the supervisor is killed.
"""

import asyncio
import os
import re
import shlex
import signal
import sys
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from app.process.parent_process import end_with_parent

MOST_RESTARTS, WITHIN_SECONDS = 5, 60
GRACE_SECONDS = 10
OUTPUT_SECONDS = 1
LONGEST_LINE = 65_536
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PARENT = "CLIPPYFRONT_SUPERVISOR"
SYSTEM = "system"
COLOURS = (36, 33, 32, 35, 34)  # ANSI
FAILED = 1


def read_procfile(path: Path) -> dict[str, str]:
    """The command line of each process, by its name."""
    return dict(re.findall(r"^([\w-]+):[ \t]*(\S.*?)\s*$", path.read_text(), re.M))


def end_with_supervisor() -> bool:
    """Returns whether a supervisor has started this process. If so, ends it when the supervisor
    dies.
    """
    parent = os.environ.pop(PARENT, "")
    if parent:
        end_with_parent(int(parent))
    return bool(parent)


class Supervisor:
    """`run` returns when every process has ended: after a signal, or because one keeps failing."""

    def __init__(self, commands: Mapping[str, str], environ: Mapping[str, str], cwd: Path) -> None:
        self._commands = commands
        self._environ = dict(environ) | {PARENT: str(os.getpid())}
        self._cwd = cwd
        self._width = max(map(len, [*commands, SYSTEM]))
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self._stopping = asyncio.Event()
        self._status = 0

    @property
    def pids(self) -> dict[str, int]:
        """The ids of the processes that are running, by their names."""
        return {name: process.pid for name, process in self._running.items()}

    async def run(self) -> int:
        """Returns the exit status: 128 and the number of the signal that ended it (as a shell has
        it), or 1 for a process that keeps failing.
        """
        loop = asyncio.get_running_loop()
        # nohup ignores SIGHUP for us.
        numbers = [each for each in STOP_SIGNALS if signal.getsignal(each) != signal.SIG_IGN]
        for number in numbers:
            loop.add_signal_handler(number, self._on_signal, number)
        try:
            async with asyncio.TaskGroup() as group:
                for name in self._commands:
                    group.create_task(self._keep_running(name))
        finally:
            for name in list(self._running):
                self._kill_group(name)
            for number in numbers:
                loop.remove_signal_handler(number)
        return self._status

    def _on_signal(self, number: signal.Signals) -> None:
        """The first signal lets the processes finish their work; a second one kills them."""
        self._say(f"{number.name} received")
        if self._stopping.is_set():
            self._kill_all()
        else:
            self._stop(128 + number)

    def _stop(self, status: int) -> None:
        self._status = status
        self._stopping.set()
        for process in self._running.values():
            self._end_if_stopping(process)
        asyncio.get_running_loop().call_later(GRACE_SECONDS, self._kill_all)

    def _end_if_stopping(self, process: asyncio.subprocess.Process) -> None:
        if self._stopping.is_set():
            with suppress(ProcessLookupError):
                process.terminate()

    def _kill_all(self) -> None:
        for name in list(self._running):
            self._say(f"{name} is killed, because it has not ended")
            self._kill_group(name)

    async def _keep_running(self, name: str) -> None:
        restarts: deque[float] = deque(maxlen=MOST_RESTARTS)
        while not self._stopping.is_set():
            ending = await self._run_once(name)
            if self._stopping.is_set():
                self._say(f"{name} {ending}")
            elif _may_restart(restarts):
                self._say(f"{name} {ending} and is started again")
            else:
                self._say(f"{name} {ending}. It ended too often within a minute, so all stop.")
                self._stop(FAILED)

    async def _run_once(self, name: str) -> str:
        """Returns how it ended, in words."""
        reading, writing = os.pipe()
        output = asyncio.create_task(self._pass_on(name, reading))
        try:
            process = await asyncio.create_subprocess_exec(
                *shlex.split(self._commands[name]),
                cwd=self._cwd,
                env=self._environ,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=writing,
                stderr=writing,
                start_new_session=True,
            )
        finally:
            os.close(writing)
        self._running[name] = process
        self._end_if_stopping(process)
        status = await process.wait()
        self._kill_group(name)
        del self._running[name]
        await asyncio.wait([output], timeout=OUTPUT_SECONDS)
        return _in_words(status)

    def _kill_group(self, name: str) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._running[name].pid, signal.SIGKILL)

    async def _pass_on(self, name: str, descriptor: int) -> None:
        """Prints the output of the process line by line, until its whole group has ended."""
        reader = asyncio.StreamReader()
        with os.fdopen(descriptor, "rb", 0) as pipe:
            await asyncio.get_running_loop().connect_read_pipe(
                lambda: asyncio.StreamReaderProtocol(reader), pipe
            )
            rest = b""
            while chunk := await reader.read(LONGEST_LINE):
                *lines, rest = (rest + chunk).split(b"\n")
                if len(rest) > LONGEST_LINE:
                    lines, rest = [*lines, rest], b""
                for line in lines:
                    self._print(name, line.decode(errors="replace"))
            if rest:
                self._print(name, rest.decode(errors="replace"))

    def _say(self, text: str) -> None:
        self._print(SYSTEM, text)

    def _print(self, name: str, line: str) -> None:
        prefix = f"{datetime.now():%H:%M:%S} {name.ljust(self._width)} | "
        if name != SYSTEM and sys.stdout.isatty():
            colour = COLOURS[list(self._commands).index(name) % len(COLOURS)]
            prefix = f"\033[{colour}m{prefix}\033[0m"
        with suppress(OSError):  # the reader is gone, or the disk is full: the processes go on
            print(prefix + line, flush=True)


def _may_restart(restarts: deque[float]) -> bool:
    """Whether fewer than MOST_RESTARTS are recent; if so, adds one."""
    now = asyncio.get_running_loop().time()
    is_allowed = len(restarts) < MOST_RESTARTS or now - restarts[0] >= WITHIN_SECONDS
    if is_allowed:
        restarts.append(now)
    return is_allowed


def _in_words(status: int) -> str:
    if status >= 0:
        return f"exited with status {status}"
    return f"was ended by {signal.Signals(-status).name}"
