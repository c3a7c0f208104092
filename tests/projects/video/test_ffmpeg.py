import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from app.projects.video.cell import landlock_version
from app.projects.video.ffmpeg import (
    DiskFull,
    FfmpegFailed,
    OutOfMemory,
    OutOfTime,
    local,
    reading,
    run,
)
from app.settings import Settings
from tests import clips

confined = pytest.mark.skipif(not landlock_version(), reason="the kernel has no Landlock")
linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
SHORT = ["-f", "lavfi", "-i", "testsrc2=size=160x120:rate=25:duration=2", "-f", "null", "-"]
ENDLESS = ["-re", "-f", "lavfi", "-i", "testsrc2=size=160x120:rate=25", "-f", "null", "-"]


def children() -> set[int]:
    tasks = Path("/proc/self/task").glob("*/children")
    return {int(pid) for task in tasks for pid in task.read_text().split()}


def environment_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/environ").read_bytes()


class Worker:
    """Runs ffmpeg endlessly, and knows when it has started and its process id."""

    def __init__(self, seconds: float = 60) -> None:
        self.before = children()
        self.begun = asyncio.Event()
        self.task = asyncio.create_task(run(*ENDLESS, seconds=seconds, on_frame=self.on_frame))

    async def on_frame(self, _frames: int) -> None:
        self.begun.set()

    async def child(self) -> int:
        async with asyncio.timeout(10):
            await self.begun.wait()
        (pid,) = children() - self.before
        return pid


async def test_the_outcome_counts_frames_and_seconds() -> None:
    finished = await run(*SHORT, seconds=60)

    assert (finished.frames, finished.seconds) == (50, 2.0)
    assert "testsrc2" in finished.log


async def test_the_frames_done_are_reported_as_they_grow() -> None:
    reported: list[int] = []

    async def on_frame(frames: int) -> None:
        reported.append(frames)

    await run("-stats_period", "0.05", "-readrate", "4", *SHORT, seconds=60, on_frame=on_frame)

    assert len(reported) > 1
    assert reported == sorted(reported)
    assert reported[-1] == 50


async def test_a_file_that_ffmpeg_refuses_fails_with_its_log() -> None:
    text = clips.make("text")

    with pytest.raises(FfmpegFailed) as failure:
        await run(*reading(text, "mov"), "-f", "null", "-", reads=[text], seconds=60)

    assert "moov atom not found" in failure.value.log


@linux
async def test_a_full_disk_is_reported() -> None:
    raw = ["-f", "lavfi", "-i", "testsrc2=duration=1", "-f", "rawvideo"]
    full = Path("/dev/full")

    with pytest.raises(DiskFull):
        await run(*raw, local(full), writes=[full], seconds=60)


@linux
async def test_a_child_that_takes_too_long_is_stopped() -> None:
    worker = Worker(seconds=1.5)
    pid = await worker.child()

    with pytest.raises(OutOfTime, match="took too long"):
        await worker.task
    assert pid not in children()


@linux
async def test_a_cancelled_run_leaves_no_child() -> None:
    worker = Worker()
    pid = await worker.child()

    worker.task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await worker.task
    assert pid not in children()


@linux
async def test_a_callback_that_fails_leaves_no_child() -> None:
    before = children()

    async def fail(_frames: int) -> None:
        raise LookupError

    with pytest.raises(LookupError):
        await run(*ENDLESS, seconds=60, on_frame=fail)
    assert children() <= before


@linux
async def test_a_killed_child_counts_as_out_of_memory() -> None:
    worker = Worker()

    os.kill(await worker.child(), signal.SIGKILL)

    with pytest.raises(OutOfMemory):
        await worker.task


@linux
async def test_a_child_gets_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "alice-and-bob-and-carol")
    worker = Worker()

    environment = environment_of(await worker.child())
    worker.task.cancel()

    assert environment == b"LC_ALL=C\0"


@linux
async def test_no_child_outlives_a_killed_worker() -> None:
    process = await _worker_of_its_own()
    assert process.stdout
    child = os.pidfd_open(int(await process.stdout.readline()))

    process.kill()

    await _ended(child)
    await process.wait()


async def _worker_of_its_own() -> asyncio.subprocess.Process:
    """Another Python process that runs ffmpeg endlessly and prints the process id of ffmpeg."""
    code = (
        "import asyncio\n"
        "from tests.projects.video.test_ffmpeg import Worker\n"
        "async def work():\n"
        "    worker = Worker()\n"
        "    print(await worker.child(), flush=True)\n"
        "    await worker.task\n"
        "asyncio.run(work())\n"
    )
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code),
        cwd=Path(__file__).parents[3],
        stdout=asyncio.subprocess.PIPE,
    )


async def _ended(child: int) -> None:
    """Waits for the process; its descriptor becomes readable when it ends."""
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(child, ended.set)
    try:
        async with asyncio.timeout(10):
            await ended.wait()
    finally:
        asyncio.get_running_loop().remove_reader(child)
        os.close(child)


async def test_a_url_inside_a_clip_is_not_followed(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        playlist = playlist_of(f"http://127.0.0.1:{server.getsockname()[1]}/next.ts", tmp_path)

        with pytest.raises(FfmpegFailed) as failure:
            await run(*reading(playlist, "hls"), "-f", "null", "-", reads=[playlist], seconds=60)

        assert "Protocol 'http' not on whitelist 'file'!" in failure.value.log
        with pytest.raises(BlockingIOError):
            server.accept()


async def test_another_container_inside_a_clip_is_not_opened(tmp_path: Path) -> None:
    other = clips.make("ts")
    playlist = playlist_of(str(other), tmp_path)

    with pytest.raises(FfmpegFailed) as failure:
        await run(*reading(playlist, "hls"), "-f", "null", "-", reads=[playlist, other], seconds=60)

    assert "Format not on whitelist" in failure.value.log


def playlist_of(url: str, folder: Path) -> Path:
    playlist = folder / "clip.m3u8"
    playlist.write_text(f"#EXTM3U\n#EXTINF:9,\n{url}\n#EXT-X-ENDLIST\n")
    return playlist


PEEKING = {
    "by a concat script": ["-safe", "0", "-f", "concat", "-i", "file:{script}"],
    "by a part of a file": ["-f", "rawvideo", "-i", "subfile,,start,0,end,16,,:{secret}"],
    "by a filter": ["-f", "lavfi", "-i", "movie={secret}:f=rawvideo"],
    "by its path": ["-f", "rawvideo", "-i", "file:{secret}"],
}


@confined
@pytest.mark.parametrize("way", PEEKING)
@pytest.mark.parametrize("victim", ["/etc/passwd", "the database"])
async def test_no_other_file_is_read(
    settings: Settings, tmp_path: Path, way: str, victim: str
) -> None:
    secret = str(settings.sqlite_path) if victim == "the database" else victim
    script = tmp_path / "clip.txt"
    script.write_text(f"ffconcat version 1.0\nfile '{secret}'\noption f rawvideo\n")
    size = ["-video_size", "4x4", "-pixel_format", "gray"]
    given = [part.format(script=script, secret=secret) for part in PEEKING[way]]

    with pytest.raises(FfmpegFailed) as failure:
        await run(
            *(size if "rawvideo" in given else []),
            *given,
            "-f",
            "null",
            "-",
            reads=[script],
            seconds=60,
        )

    assert "Permission denied" in failure.value.log


@confined
async def test_no_file_is_written_but_the_output(tmp_path: Path) -> None:
    output, other = tmp_path / "reel.mp4", tmp_path / "other.mp4"
    picture = ["-f", "lavfi", "-i", "testsrc2=duration=0.2", "-f", "mp4"]

    with pytest.raises(FfmpegFailed) as failure:
        await run(*picture, local(output), "-f", "mp4", local(other), writes=[output], seconds=60)

    assert "Permission denied" in failure.value.log
    assert not other.exists()


async def test_no_file_name_is_an_option_or_a_pattern(tmp_path: Path) -> None:
    path = tmp_path / "-y http:bob's 100%03d.mp4"
    path.write_bytes(clips.make("mp4").read_bytes())

    finished = await run(*reading(path, "mov"), "-f", "null", "-", reads=[path], seconds=60)

    assert finished.frames == 15
