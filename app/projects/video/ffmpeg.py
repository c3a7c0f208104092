"""Runs ffmpeg on untrusted files, in a child process with tight limits that sees only its files.

Errors; each CompilationError has a sentence for the user who asked for the video:

    CompilationError
    ├── Unusable     400  a clip is not a video we can read
    ├── OutOfTime    400  over the wall clock or CPU limit; shorter clips help
    ├── OutOfMemory  503
    ├── DiskFull     507
    └── TooBig       413  a file exceeded the size limit
    FfmpegFailed          any other failure of ffmpeg; the caller knows which clip caused it

ffmpeg's own output is only logged, because it contains paths of this machine.
"""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from math import ceil
from pathlib import Path
from typing import Protocol, TypeVar

from imageio_ffmpeg import get_ffmpeg_exe

from app.errors import Failure, OutOfSpace
from app.faults import fault_of
from app.language import _
from app.projects.video.turns import turn

THREADS = "2"
LOG_BYTES = 32_768
OUTPUT = "pipe:1"
CELL = Path(__file__).with_name("cell.py")
# The picture of an 8K camera, with a little room. A larger one is refused before it is decoded.
MAX_PIXELS = 8192 * 4608

OnFrame = Callable[[int], Awaitable[None]]
Result = TypeVar("Result")
_log = logging.getLogger(__name__)


class CompilationError(Failure):
    pass


class Unusable(CompilationError):
    status = 400


class OutOfTime(CompilationError):
    status = 400

    def __init__(self) -> None:
        sentence = _("Processing took too long and was stopped. Use fewer or shorter clips.")
        super().__init__(sentence)


class OutOfMemory(CompilationError):
    status = 503

    def __init__(self) -> None:
        sentence = _("The server ran out of memory. Use fewer or smaller clips.")
        super().__init__(sentence, {"Retry-After": "60"})


class DiskFull(CompilationError):
    """Not an OutOfSpace, which makes a worker try again: here the user can act."""

    status = OutOfSpace.status

    def __init__(self) -> None:
        sentence = _("The server's disk is full. Delete clips you no longer need, and try again.")
        super().__init__(sentence)


class TooBig(CompilationError):
    status = 413

    def __init__(self) -> None:
        super().__init__(_("The video would be too large. Use fewer or shorter clips."))


class FfmpegFailed(Exception):
    """`log` is the output of ffmpeg."""

    def __init__(self, log: str) -> None:
        super().__init__("ffmpeg failed")
        self.log = log


# Words in ffmpeg's output, and the error they mean.
ERRORS = {
    "No space left on device": DiskFull,
    "File too large": TooBig,
    "Cannot allocate memory": OutOfMemory,
    f"received signal {signal.SIGXCPU.value}": OutOfTime,
}


@dataclass(frozen=True)
class FfmpegRun:
    """The output of ffmpeg, the number of video frames written, and how many seconds they last."""

    log: str
    frames: int
    seconds: float


class LineReader(Protocol):
    def feed(self, line: str) -> None: ...


async def _ignore(_frames: int) -> None:
    pass


async def run(
    *arguments: str,
    reads: Sequence[Path] = (),
    writes: Sequence[Path] = (),
    seconds: float,
    on_frame: OnFrame = _ignore,
) -> FfmpegRun:
    """Runs ffmpeg and waits for it. `on_frame` is called twice a second with the frames done.

    ffmpeg can open `reads`, which may be folders, and `writes`, which are created empty, and no
    other file. It waits for its `turn`. The child never outlives a timeout, a cancellation or the
    worker. Raises OutOfTime after `seconds` of wall clock time, another CompilationError if the
    machine has too little memory or disk space, FfmpegFailed otherwise.
    """
    follow = partial(_follow, on_frame=on_frame)
    progress = ["-progress", OUTPUT]
    log, (frames, time) = await _run([*progress, *arguments], reads, writes, seconds, follow)
    return FfmpegRun(log, frames, time)


async def read_lines(
    *arguments: str, reads: Sequence[Path], seconds: float, reader: LineReader
) -> str:
    """Like `run`, but feeds each line that ffmpeg writes to OUTPUT to `reader`. Returns the log."""
    log, _nothing = await _run(arguments, reads, (), seconds, partial(_split, reader=reader))
    return log


async def _run(
    arguments: Sequence[str],
    reads: Sequence[Path],
    writes: Sequence[Path],
    seconds: float,
    follow: Callable[[asyncio.StreamReader], Awaitable[Result]],
) -> tuple[str, Result]:
    allowed = [*(f"read:{path.absolute()}" for path in reads)]
    allowed += [f"write:{path.absolute()}" for path in writes]
    with disk_full_explained():
        for path in writes:
            path.touch()
        async with turn():
            return await _communicate(await _start(arguments, allowed, seconds), seconds, follow)


@contextmanager
def disk_full_explained() -> Iterator[None]:
    """Raises DiskFull for an OSError that says that there is no room."""
    try:
        yield
    except OSError as error:
        if not isinstance(fault_of(error), OutOfSpace):
            raise
        raise DiskFull from error


async def _communicate(
    process: asyncio.subprocess.Process,
    seconds: float,
    follow: Callable[[asyncio.StreamReader], Awaitable[Result]],
) -> tuple[str, Result]:
    assert process.stdout
    assert process.stderr
    try:
        async with asyncio.timeout(seconds):
            log, result = await asyncio.gather(_read_log(process.stderr), follow(process.stdout))
            code = await process.wait()
    except TimeoutError:
        raise OutOfTime from None
    finally:
        await _kill(process)
    if code:
        _log.info("ffmpeg exited with code %d: %s", code, log[-2_000:])
        raise _failure(code, log)
    return log, result


async def is_confined(file: Path) -> bool:
    """Whether ffmpeg is denied files that it was not given. Tries to read `file` with it."""
    gray = ["-f", "rawvideo", "-video_size", "1x1", "-pixel_format", "gray"]
    try:
        await run(*gray, "-i", local(file), "-f", "null", "-", seconds=30)
    except FfmpegFailed as error:
        return "Permission denied" in error.log
    return False


def reading(path: Path, container: str) -> list[str]:
    """Arguments that open an untrusted file as this container and as nothing else.

    No playlist, script or URL inside the file is followed: the demuxer is forced, for nested files
    too, and only local files can be opened.
    """
    only = ["-protocol_whitelist", "file", "-format_whitelist", container]
    bounds = ["-threads", THREADS, "-max_pixels", str(MAX_PIXELS)]
    return [*only, *bounds, "-f", container, "-i", local(path)]


def local(path: Path) -> str:
    """The path in a form that ffmpeg never takes for an option, a URL or a pattern."""
    return f"file:{path.absolute()}"


async def _start(
    arguments: Sequence[str], allowed: Sequence[str], seconds: float
) -> asyncio.subprocess.Process:
    cpu_seconds = ceil(seconds * int(THREADS)) + 1
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", str(CELL), str(os.getpid()), str(cpu_seconds)),
        *(
            *allowed,
            "--",
            get_ffmpeg_exe(),
            "-nostdin",
            "-hide_banner",
            "-y",
            "-filter_threads",
            THREADS,
        ),
        *("-nostats", *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
        # No secrets, and English output, in which ERRORS can be found.
        env={"LC_ALL": "C"},
    )


async def _read_log(stream: asyncio.StreamReader) -> str:
    """Keeps the beginning and the end: a broken clip can make ffmpeg print gigabytes."""
    beginning = end = b""
    while chunk := await stream.read(LOG_BYTES):
        beginning += chunk[: LOG_BYTES - len(beginning)]
        end = (end + chunk)[-LOG_BYTES:]
    whole = beginning if beginning == end else beginning + b"\n" + end
    return whole.decode(errors="replace")


async def _split(stream: asyncio.StreamReader, reader: LineReader) -> None:
    """Reads in large pieces, because a long clip has hundreds of thousands of lines."""
    rest = b""
    while chunk := await stream.read(LOG_BYTES):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            reader.feed(line.decode())


async def _follow(stream: asyncio.StreamReader, on_frame: OnFrame) -> tuple[int, float]:
    """Returns the final frames and seconds, from the `key=value` lines of `-progress`."""
    values: dict[str, str] = {}
    async for line in stream:
        key, value = line.decode().strip().partition("=")[::2]
        values[key] = value
        if key == "progress":
            await on_frame(_number(values.get("frame", "")))
    return _number(values.get("frame", "")), _number(values.get("out_time_us", "")) / 1_000_000


def _number(value: str) -> int:
    return int(value) if value.isdigit() else 0


async def _kill(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def _failure(code: int, log: str) -> Exception:
    if code == -signal.SIGKILL:
        return OutOfMemory()
    for words, error in ERRORS.items():
        if words in log:
            return error()
    return FfmpegFailed(log)
