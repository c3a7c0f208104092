"""Runs ffmpeg, one child at a time and on a short leash, for files that strangers made.

What can go wrong, each with a sentence for the person who wants the video:

    CompilationError
    ├── Unusable         a clip is not a video we can read
    ├── OutOfTime        the wall clock or the CPU limit
    ├── OutOfMemory
    ├── DiskFull
    └── TooBig           a file grew beyond what one file may be
    FfmpegFailed         not for people: ffmpeg refused, and the caller knows which clip it was

What ffmpeg itself says goes to the log only: it is full of paths.
"""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from imageio_ffmpeg import get_ffmpeg_exe

from app.errors import Failure
from app.language import _

THREADS = "2"
LOG_BYTES = 32_768
LIMITED = Path(__file__).with_name("resource_limits.py")

OnFrame = Callable[[int], Awaitable[None]]
logger = logging.getLogger(__name__)


class CompilationError(Failure):
    pass


class Unusable(CompilationError):
    status = 400


class OutOfTime(CompilationError):
    def __init__(self) -> None:
        super().__init__(_("This took too long and was stopped. Try fewer or shorter clips."))


class OutOfMemory(CompilationError):
    def __init__(self) -> None:
        super().__init__(_("The server ran out of memory. Try fewer or smaller clips."))


class DiskFull(CompilationError):
    def __init__(self) -> None:
        super().__init__(_("The server's disk is full. Delete what is not needed and try again."))


class TooBig(CompilationError):
    def __init__(self) -> None:
        super().__init__(_("The video became too big. Try fewer or shorter clips."))


class FfmpegFailed(Exception):
    """`log` is what ffmpeg said."""

    def __init__(self, log: str) -> None:
        super().__init__("ffmpeg failed")
        self.log = log


SAID = {
    "No space left on device": DiskFull,
    "File too large": TooBig,
    "Cannot allocate memory": OutOfMemory,
    f"received signal {signal.SIGXCPU.value}": OutOfTime,
}


@dataclass(frozen=True)
class Outcome:
    """What ffmpeg said, how many frames of video it wrote and how far in seconds it came."""

    log: str
    frames: int
    seconds: float


async def _nobody(_frames: int) -> None:
    pass


async def run(*arguments: str, seconds: float, on_frame: OnFrame = _nobody) -> Outcome:
    """Run ffmpeg to its end; `on_frame` hears twice a second how many frames are done.

    After `seconds` by the wall clock it raises OutOfTime. Out of time, cancelled, or with the
    worker killed, no child survives. Raises a CompilationError where the machine is at fault,
    FfmpegFailed otherwise.
    """
    process = await _start(arguments, seconds)
    assert process.stdout
    assert process.stderr
    try:
        async with asyncio.timeout(seconds):
            log, (frames, time) = await asyncio.gather(
                _read_log(process.stderr), _follow(process.stdout, on_frame)
            )
            code = await process.wait()
    except TimeoutError:
        raise OutOfTime from None
    finally:
        await _end(process)
    if code:
        logger.info("ffmpeg ended with %d: %s", code, log[-2_000:])
        raise _failure(code, log)
    return Outcome(log, frames, time)


def reading(path: Path, container: str) -> list[str]:
    """Arguments that open a stranger's file as this container and nothing else.

    No playlist, script or address inside it is followed: the demuxer is forced, also for what
    is nested in it, and only local files can be opened.
    """
    only = ["-protocol_whitelist", "file", "-format_whitelist", container]
    return [*only, "-threads", THREADS, "-f", container, "-i", local(path)]


def local(path: Path) -> str:
    """The path as ffmpeg takes it: never an option, an address or a pattern."""
    return f"file:{path.absolute()}"


async def _start(arguments: tuple[str, ...], seconds: float) -> asyncio.subprocess.Process:
    cpu_seconds = ceil(seconds * int(THREADS)) + 1
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", str(LIMITED), str(os.getpid()), str(cpu_seconds)),
        *(get_ffmpeg_exe(), "-nostdin", "-hide_banner", "-y", "-filter_threads", THREADS),
        *("-nostats", "-progress", "pipe:1", *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
        # None of our secrets; and English, so that SAID can be found in what it says.
        env={"LC_ALL": "C"},
    )


async def _read_log(stream: asyncio.StreamReader) -> str:
    """The beginning and the end: a broken clip can make ffmpeg say gigabytes."""
    beginning = end = b""
    while chunk := await stream.read(LOG_BYTES):
        beginning += chunk[: LOG_BYTES - len(beginning)]
        end = (end + chunk)[-LOG_BYTES:]
    whole = beginning if beginning == end else beginning + b"\n" + end
    return whole.decode(errors="replace")


async def _follow(stream: asyncio.StreamReader, on_frame: OnFrame) -> tuple[int, float]:
    """Frames and seconds at the end, from the `key=value` lines of `-progress`."""
    said: dict[str, str] = {}
    async for line in stream:
        key, value = line.decode().strip().partition("=")[::2]
        said[key] = value
        if key == "progress":
            await on_frame(_number(said.get("frame", "")))
    return _number(said.get("frame", "")), _number(said.get("out_time_us", "")) / 1_000_000


def _number(value: str) -> int:
    return int(value) if value.isdigit() else 0


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def _failure(code: int, log: str) -> Exception:
    if code == -signal.SIGKILL:
        return OutOfMemory()
    for words, error in SAID.items():
        if words in log:
            return error()
    return FfmpegFailed(log)
