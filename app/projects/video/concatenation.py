"""Joins clips of any size, rate and codec into one MP4 that plays everywhere.

Each clip is first filmed again alone, onto the same canvas at the same rate, so that memory stays
bounded, progress is real and a broken clip can be named; the pieces are then joined without
touching the picture again. Sound is kept as one long run of samples, cut or filled with silence to
exactly the length of each piece: picture and sound cannot drift apart.
"""

import asyncio
import errno
import os
import shutil
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from app.language import _
from app.projects.video.canvas import SAMPLES, Canvas
from app.projects.video.ffmpeg import (
    THREADS,
    CompilationError,
    DiskFull,
    FfmpegFailed,
    OnFrame,
    local,
    reading,
    run,
)
from app.projects.video.probe import ClipFacts, probe, unreadable

MOST_MINUTES = 120
BYTES_A_SAMPLE = 4
PIECES_SHARE = 0.95
# A slow machine with one core needs several seconds for a second of video.
SECONDS_A_SECOND = 20
H264 = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "21", "-threads", THREADS]
# A phone notes in each clip where it was filmed; that is nobody else's business.
ANONYMOUS = ["-map_metadata", "-1", "-map_chapters", "-1"]
RAW_SOUND = ["-f", "s16le", "-ar", str(SAMPLES), "-ac", "2"]

OnProgress = Callable[[float], Awaitable[None]]


@dataclass(frozen=True)
class ClipFile:
    """Where a clip lies, and what its owner calls it."""

    path: Path
    name: str


@dataclass(frozen=True)
class Joined:
    """`duration` in seconds; `thumbnail` is a JPEG at most 640 pixels wide."""

    duration: float
    size_bytes: int
    thumbnail: Path


async def join(
    clips: Sequence[ClipFile], target: Path, *, on_progress: OnProgress, workdir: Path
) -> Joined:
    """Join `clips` in this order into `target`: H.264 and AAC in an MP4 that plays as it loads.

    `on_progress` hears a growing share from 0 to 1. The thumbnail lies beside the target, as .jpg;
    each appears complete or not at all. Pieces lie in `workdir` and are always removed; what a
    killed worker left of the same target goes with the next attempt. Raises CompilationError.
    """
    thumbnail = target.with_suffix(".jpg")
    with _explained(), _room(workdir / f"{target.name}.pieces") as room:
        facts = await _examine(clips)
        canvas = Canvas.suiting(facts)
        frames = await _cut(clips, facts, canvas, room, on_progress)
        duration = frames / canvas.rate
        with _draft(target) as video, _draft(thumbnail) as picture:
            await _assemble(room, video, duration, _part(on_progress, PIECES_SHARE, 1.0, frames))
            await _photograph(video, picture, duration)
    await on_progress(1.0)
    return _joined(duration, target, thumbnail)


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except FfmpegFailed as error:
        sentence = _("The clips could not be joined. Try again, or tell who runs this server.")
        raise CompilationError(sentence) from error
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        raise DiskFull from error


@contextmanager
def _room(room: Path) -> Iterator[Path]:
    shutil.rmtree(room, ignore_errors=True)
    room.mkdir(parents=True)
    try:
        yield room
    finally:
        shutil.rmtree(room, ignore_errors=True)


async def _examine(clips: Sequence[ClipFile]) -> list[ClipFacts]:
    facts = [await probe(clip.path, clip.name) for clip in clips]
    if not facts:
        raise CompilationError(_("There are no clips to join. Upload one first."))
    if (minutes := round(sum(fact.duration for fact in facts) / 60)) > MOST_MINUTES:
        sentence = _("Together the clips last {minutes} minutes; {most} are possible. Remove some.")
        raise CompilationError(sentence.format(minutes=minutes, most=MOST_MINUTES))
    return facts


async def _cut(
    clips: Sequence[ClipFile],
    facts: Sequence[ClipFacts],
    canvas: Canvas,
    room: Path,
    on_progress: OnProgress,
) -> int:
    """Make a piece of every clip and list the pieces; the frames they have together."""
    ends = list(accumulate(canvas.frames(fact.duration) for fact in facts))
    share = PIECES_SHARE / ends[-1]
    listed = ["ffconcat version 1.0"]
    for number, (clip, fact, end) in enumerate(zip(clips, facts, ends, strict=True)):
        frames = canvas.frames(fact.duration)
        on_frame = _part(on_progress, share * (end - frames), share * end, frames)
        await _cut_one(clip, fact, canvas, room / f"{number}.mp4", on_frame)
        listed += [f"file {number}.mp4", f"duration {frames / canvas.rate:.6f}"]
    (room / "pieces.txt").write_text("\n".join(listed))
    return ends[-1]


def _part(on_progress: OnProgress, start: float, end: float, frames: int) -> OnFrame:
    """Turns the frames done, out of `frames`, into progress from `start` to `end`."""

    async def tell(done: int) -> None:
        await on_progress(start + (end - start) * min(1.0, done / frames))

    return tell


async def _cut_one(
    clip: ClipFile, fact: ClipFacts, canvas: Canvas, piece: Path, on_frame: OnFrame
) -> None:
    """Film the clip again onto the canvas, and add exactly as much to the room's sound."""
    frames, sound = canvas.frames(fact.duration), piece.with_suffix(".pcm")
    seen = ["-map", "0:V:0", "-vf", canvas.fitting(fact), "-frames:v", str(frames), *H264]
    heard = ["-map", "0:a:0", "-af", "aresample=async=1:first_pts=0", *RAW_SOUND]
    until = ["-t", str(frames / canvas.rate)]
    try:
        outcome = await run(
            *reading(clip.path, fact.container),
            *[*seen, *ANONYMOUS, "-g", str(2 * canvas.rate), "-f", "mp4", local(piece)],
            *([*heard, *until, local(sound)] if fact.has_sound else []),
            seconds=_patience(fact.duration),
            on_frame=on_frame,
        )
    except FfmpegFailed as error:
        raise unreadable(clip.name) from error
    if not outcome.frames:
        raise unreadable(clip.name)
    await asyncio.to_thread(_add_sound, sound, frames * SAMPLES // canvas.rate * BYTES_A_SAMPLE)


def _patience(seconds: float) -> float:
    return 60 + SECONDS_A_SECOND * seconds


def _add_sound(piece: Path, size: int) -> None:
    """Append exactly `size` bytes of it: cut, or followed by zeroes, which are silence."""
    piece.touch()
    os.truncate(piece, size)
    with piece.open("rb") as source, piece.with_name("sound.pcm").open("ab") as sound:
        shutil.copyfileobj(source, sound)
    piece.unlink()


@contextmanager
def _draft(target: Path) -> Iterator[Path]:
    """A path beside `target` that takes its name once the block has ended well."""
    draft = target.with_name(f".{target.name}.draft")
    draft.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield draft
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


async def _assemble(room: Path, video: Path, seconds: float, on_frame: OnFrame) -> None:
    pieces = ["-format_whitelist", "concat,mov", "-f", "concat", "-i", local(room / "pieces.txt")]
    sound = [*RAW_SOUND, "-i", local(room / "sound.pcm")]
    aac = ["-map", "1:a", "-c:a", "aac", "-b:a", "160k"]
    await run(
        *[*pieces, *sound, "-map", "0:v", "-c:v", "copy", *aac],
        *["-movflags", "+faststart", "-f", "mp4", local(video)],
        seconds=_patience(seconds),
        on_frame=on_frame,
    )


async def _photograph(video: Path, picture: Path, seconds: float) -> None:
    """The most typical of the frames from a second (or a tenth) into the video."""
    await run(
        *["-ss", str(min(1.0, seconds / 10)), *reading(video, "mov")],
        *["-vf", "thumbnail=25,scale='min(640,iw)':-2", "-frames:v", "1"],
        *["-c:v", "mjpeg", "-q:v", "4", "-f", "mjpeg", local(picture)],
        seconds=_patience(1),
    )


def _joined(duration: float, video: Path, thumbnail: Path) -> Joined:
    return Joined(duration, video.stat().st_size, thumbnail)
