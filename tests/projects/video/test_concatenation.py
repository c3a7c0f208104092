"""Concatenating clips of every kind into one video."""

import asyncio
import subprocess
from array import array
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from imageio_ffmpeg import get_ffmpeg_exe

from app.projects.video.colours import Colours
from app.projects.video.concatenation import ClipFile, FinishedVideo, concatenate
from app.projects.video.ffmpeg import CompilationError, DiskFull, Unusable
from app.projects.video.probe import probe
from app.projects.video.sound import stereo_filters
from tests import clips
from tests.projects.video import made_files
from tests.projects.video.made_files import Colour

SECOND = 48_000


class Bench:
    """A folder to concatenate clips in. `progress` lists the reported progress."""

    def __init__(self, folder: Path) -> None:
        self.workdir, self.target = folder / "work", folder / "reel.mp4"
        self.progress: list[float] = []
        self.has_begun = asyncio.Event()
        self.on_beginning: Callable[[], None] = lambda: None

    async def concatenate(self, *names: str) -> FinishedVideo:
        files = [ClipFile(clips.make(name), f"{name}.mp4") for name in names]
        return await self.concatenate_files(*files)

    async def concatenate_files(self, *files: ClipFile) -> FinishedVideo:
        return await concatenate(
            files, self.target, on_progress=self.on_progress, workdir=self.workdir
        )

    async def on_progress(self, progress: float) -> None:
        if not self.progress:
            self.on_beginning()
        self.progress.append(progress)
        self.has_begun.set()

    def leftovers(self) -> list[Path]:
        kept = {self.target, self.target.with_suffix(".jpg")}
        return [path for path in self.target.parent.rglob("*") if path not in kept]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def decoded(video: Path, *arguments: str) -> bytes:
    """The output of a decoder. Any warning fails the test."""
    command = [get_ffmpeg_exe(), "-v", "warning", "-i", str(video), *arguments, "-"]
    played = subprocess.run(command, capture_output=True, check=True)
    assert played.stderr.decode() == ""
    return played.stdout


def loudness(video: Path) -> list[int]:
    """The loudest sample in each tenth of a second."""
    samples = array("h", decoded(video, "-ac", "1", "-ar", str(SECOND), "-f", "s16le"))
    tenths = range(0, len(samples) - SECOND // 20, SECOND // 10)
    return [max(map(abs, samples[start : start + SECOND // 10])) for start in tenths]


async def test_clips_of_every_kind_become_one_video_that_plays(bench: Bench) -> None:
    result = await bench.concatenate(*clips.GOOD)

    facts = await probe(bench.target, "reel.mp4")
    assert (facts.container, facts.width, facts.height, facts.rate) == ("mov", 160, 120, 25)
    assert facts.sound
    assert result.duration == pytest.approx(0.6 * len(clips.GOOD) + 0.4, abs=0.5)
    frame = 160 * 120 * 3 // 2
    assert len(decoded(bench.target, "-f", "rawvideo")) == round(result.duration * 25) * frame


async def test_the_video_is_h264_and_aac_and_plays_as_it_loads(bench: Bench) -> None:
    result = await bench.concatenate("webm", "avi")

    content = bench.target.read_bytes()
    assert result.size_bytes == len(content)
    assert b"avc1" in content
    assert b"mp4a" in content
    assert content.index(b"moov") < content.index(b"mdat")


async def test_sound_stays_with_its_picture(bench: Bench) -> None:
    await bench.concatenate(
        "silent", "mp4", "silent", "short sound", "mono at 22 kHz", "late sound"
    )

    is_loud = [peak > 1_000 for peak in loudness(bench.target)]
    assert is_loud[1:5] == [False] * 4
    assert is_loud[6:12] == [True] * 6
    assert is_loud[13:18] == [False] * 5
    assert is_loud[18:20] == [True] * 2
    assert is_loud[21:24] == [False] * 3
    assert is_loud[24:30] == [True] * 6
    assert is_loud[31:33] == [False] * 2
    assert is_loud[34:36] == [True] * 2


async def test_the_last_frame_is_held_until_the_sound_ends(bench: Bench) -> None:
    result = await bench.concatenate("long sound")

    assert result.duration == 1.0
    assert len(loudness(bench.target)) == 10


async def test_a_portrait_stays_upright(bench: Bench) -> None:
    await bench.concatenate("portrait", "turned", "mp4")

    facts = await probe(bench.target, "reel.mp4")
    assert (facts.width, facts.height) == (120, 160)


async def test_the_thumbnail_is_a_picture_beside_the_video(bench: Bench) -> None:
    result = await bench.concatenate("mp4")

    assert result.thumbnail == bench.target.with_suffix(".jpg")
    assert result.thumbnail.read_bytes().startswith(b"\xff\xd8\xff")


async def test_progress_moves_forward_to_the_end(bench: Bench) -> None:
    await bench.concatenate("mp4", "webm", "avi", "mkv")

    assert bench.progress == sorted(bench.progress)
    assert len(set(bench.progress)) >= 4
    assert bench.progress[0] < 0.5
    assert bench.progress[-1] == 1.0


@pytest.mark.parametrize(
    "name",
    ["text", "playlist", "cut short", "scrambled", "sound only", "claims hours", "huge picture"],
)
async def test_a_broken_clip_is_named_and_nothing_is_left(bench: Bench, name: str) -> None:
    with pytest.raises(Unusable, match=f"'{name}.mp4'"):
        await bench.concatenate("mp4", name)

    assert not bench.target.exists()
    assert not bench.leftovers()


async def test_a_missing_clip_is_named(bench: Bench, tmp_path: Path) -> None:
    with pytest.raises(Unusable, match=r"'carol\.mp4' is missing"):
        await bench.concatenate_files(ClipFile(tmp_path / "9c1d", "carol.mp4"))


async def test_no_clips_make_no_video(bench: Bench) -> None:
    with pytest.raises(CompilationError, match="no clips"):
        await bench.concatenate()


async def test_more_than_two_hours_are_refused_before_anything_is_encoded(bench: Bench) -> None:
    with pytest.raises(CompilationError, match="122 minutes, but a video can last at most 120"):
        await bench.concatenate("mp4", "two hours")

    assert not bench.progress


async def test_a_full_disk_is_reported(bench: Bench) -> None:
    bench.on_beginning = lambda: (bench.workdir / "finished.mp4").symlink_to("/dev/full")

    with pytest.raises(DiskFull, match="disk is full"):
        await bench.concatenate("mp4")
    assert not bench.leftovers()


async def test_a_failed_attempt_keeps_the_earlier_video(bench: Bench) -> None:
    await bench.concatenate("mp4")
    earlier = bench.target.read_bytes()

    with pytest.raises(CompilationError):
        await bench.concatenate("text")

    assert bench.target.read_bytes() == earlier


async def test_a_cancelled_compilation_leaves_nothing(bench: Bench) -> None:
    task = asyncio.create_task(bench.concatenate("mp4", "long"))
    await bench.has_begun.wait()

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert not bench.target.exists()
    assert not bench.leftovers()


async def test_leftover_files_in_the_work_folder_do_not_get_into_the_video(bench: Bench) -> None:
    bench.workdir.mkdir()
    (bench.workdir / "sound.pcm").write_bytes(b"\x7f" * SECOND)

    result = await bench.concatenate("mp4")

    assert result.duration == 0.6
    assert max(loudness(bench.target)) < 10_000
    assert not bench.leftovers()


async def test_the_metadata_of_a_phone_is_removed(bench: Bench) -> None:
    assert b"bobs-phone" in clips.make("from bob's phone").read_bytes()

    await bench.concatenate("from bob's phone")

    assert b"bobs-phone" not in bench.target.read_bytes()


QUARTERS = ((40, 24), (120, 24), (40, 72), (120, 72))
REFERENCE = (
    "zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,tonemap=tonemap=hable:desat=0,"
    "zscale=t=bt709:m=bt709:r=tv,format=yuv420p"
)


def colours_of(picture: Path, places: Sequence[tuple[int, int]], filters: str) -> list[Colour]:
    """The colours of the first frame, scaled to 160 x 96, at these places."""
    scaled = ["-vf", f"{filters},scale=160:96", "-frames:v", "1"]
    command = [get_ffmpeg_exe(), "-v", "error", "-i", str(picture), *scaled]
    raw = ["-pix_fmt", "rgb24", "-f", "rawvideo", "-"]
    pixels = subprocess.run([*command, *raw], capture_output=True, check=True).stdout
    starts = [(y * 160 + x) * 3 for x, y in places]
    return [(pixels[at], pixels[at + 1], pixels[at + 2]) for at in starts]


def are_near(some: Sequence[Colour], others: Sequence[Colour], within: int) -> bool:
    pairs = zip(some, others, strict=True)
    return all(abs(a - b) <= within for one, two in pairs for a, b in zip(one, two, strict=True))


@pytest.mark.parametrize("transfer", ["arib-std-b67", "smpte2084"])
async def test_the_bars_of_hdr_look_as_zscale_and_tonemap_make_them(
    bench: Bench, transfer: str
) -> None:
    names = f"log-level=none:colorprim=bt2020:transfer={transfer}:colormatrix=bt2020nc"
    hevc = ["-c:v", "libx265", "-pix_fmt", "yuv420p10le", "-x265-params", names]
    bars = clips.filmed(
        f"{transfer}.mp4", ["-f", "lavfi", "-i", "smptehdbars=s=640x360:d=0.2", *hevc]
    )

    await bench.concatenate_files(ClipFile(bars, "bars.mp4"))

    places = [(x, 20) for x in (10, 35, 50, 65, 82, 98, 115, 128, 150)]
    reference = colours_of(bars, places, REFERENCE)
    assert are_near(colours_of(bench.target, places, "null"), reference, 12)
    facts = await probe(bench.target, "reel.mp4")
    assert facts.colours == Colours("bt709", "bt709", "bt709")


@pytest.mark.parametrize(("name", "within"), [("h264", 10), ("full range", 10), ("hlg", 12)])
async def test_the_thumbnail_has_the_colours_of_the_video(
    bench: Bench, name: str, within: int
) -> None:
    result = await bench.concatenate_files(ClipFile(made_files.make(name), name))

    right = made_files.BY_NAME[name].seen
    assert right
    assert are_near(colours_of(result.thumbnail, QUARTERS, "null"), right, within)


async def test_one_frame_compiles_alone_and_has_a_thumbnail(bench: Bench) -> None:
    result = await bench.concatenate("one frame")

    assert result.duration == 0.04
    assert result.thumbnail.stat().st_size


async def test_many_loud_channels_do_not_clip(bench: Bench) -> None:
    wave = "|".join(["0.9*sin(2000*PI*t)"] * 6)
    sound = ["-f", "lavfi", "-i", f"aevalsrc={wave}:c=5.1:d=1:s=48000"]
    picture = ["-f", "lavfi", "-i", "color=s=64x64:d=1", "-c:v", "ffv1", "-c:a", "flac"]
    clip = clips.filmed("loud.mkv", [*sound, *picture])
    facts = await probe(clip, "loud")
    assert facts.sound

    filters = await stereo_filters(clip, "matroska", facts.sound, seconds=60)
    samples = array("h", decoded(clip, "-vn", "-af", filters, "-ac", "2", "-f", "s16le"))

    assert 0.8 < max(map(abs, samples)) / 32_768 < 0.99
