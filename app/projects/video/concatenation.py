"""Concatenates clips of any size, rate and codec into one MP4 that plays everywhere.

Each clip is first re-encoded alone, to the same frame size and rate. That bounds the memory, makes
progress measurable, and tells which clip is broken. The resulting segments are then concatenated
without encoding the picture again. Sound is kept as one file of raw samples, in which each
segment is cut or padded with silence to its exact length, so picture and sound cannot drift apart.
"""

import asyncio
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
    FfmpegFailed,
    OnFrame,
    disk_full_explained,
    local,
    reading,
    run,
)
from app.projects.video.probe import ClipFacts, probe, unreadable
from app.projects.video.sound import stereo_filters
from app.projects.video.thumbnail import write_thumbnail

MAX_MINUTES = 120
BYTES_PER_SAMPLE = 4
# The share of the progress bar that encoding the segments takes up.
SEGMENTS_SHARE = 0.95
# A slow machine with one core needs several seconds for each second of video.
TIMEOUT_FACTOR = 20
H264 = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "21", "-threads", THREADS]
# Phones record the location in each clip. Viewers must not get it.
NO_METADATA = ["-map_metadata", "-1", "-map_chapters", "-1"]
# A clip that is damaged in the middle is shown as far as it can be decoded.
DAMAGED_TOO = ["-max_error_rate", "1"]
RAW_SOUND = ["-f", "s16le", "-ar", str(SAMPLES), "-ac", "2"]

OnProgress = Callable[[float], Awaitable[None]]


@dataclass(frozen=True)
class ClipFile:
    """`name` is the clip's file name for error sentences."""

    path: Path
    name: str


@dataclass(frozen=True)
class FinishedVideo:
    """`duration` in seconds; `thumbnail` is a JPEG at most 640 pixels wide."""

    duration: float
    size_bytes: int
    thumbnail: Path


async def concatenate(
    clips: Sequence[ClipFile], target: Path, *, on_progress: OnProgress, workdir: Path
) -> FinishedVideo:
    """Writes the clips, in this order, to `target`: H.264 and AAC in an MP4 that can be streamed.

    `on_progress` is called with a growing share from 0 to 1. The thumbnail is written beside the
    target, as .jpg; either file appears complete or not at all. `workdir` is for this attempt alone,
    on the same file system as the target; it is emptied first and always removed. Raises
    CompilationError.
    """
    thumbnail = target.with_suffix(".jpg")
    with _explained(), _empty_folder(workdir) as folder:
        facts = await _probe_all(clips)
        canvas = Canvas.for_clips(facts)
        frames = await _encode_segments(clips, facts, canvas, folder, on_progress)
        duration = frames / canvas.rate
        on_frame = _share_of(on_progress, SEGMENTS_SHARE, 1.0, frames)
        with _draft(target, folder) as video, _draft(thumbnail, folder) as picture:
            await _assemble(folder, video, duration, on_frame)
            await write_thumbnail(video, "mov", picture, last_frame=(frames - 1) / canvas.rate)
    await on_progress(1.0)
    return _finished(duration, target, thumbnail)


@contextmanager
def _explained() -> Iterator[None]:
    try:
        with disk_full_explained():
            yield
    except FfmpegFailed as error:
        sentence = _("The clips could not be combined. Try again, or contact the administrator.")
        raise CompilationError(sentence) from error


@contextmanager
def _empty_folder(folder: Path) -> Iterator[Path]:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def without_clips() -> str:
    """Why there is no video."""
    return _("This project has no clips yet. Upload one first.")


async def _probe_all(clips: Sequence[ClipFile]) -> list[ClipFacts]:
    facts = [await probe(clip.path, clip.name) for clip in clips]
    if not facts:
        raise CompilationError(without_clips())
    if (minutes := round(sum(fact.duration for fact in facts) / 60)) > MAX_MINUTES:
        sentence = _(
            "The clips last {minutes} minutes, but a video can last at most {limit}. Remove some."
        )
        raise CompilationError(sentence.format(minutes=minutes, limit=MAX_MINUTES))
    return facts


async def _encode_segments(
    clips: Sequence[ClipFile],
    facts: Sequence[ClipFacts],
    canvas: Canvas,
    folder: Path,
    on_progress: OnProgress,
) -> int:
    """Encodes a segment for each clip and lists the segments. Returns the number of frames."""
    ends = list(accumulate(canvas.frames(fact.duration) for fact in facts))
    share = SEGMENTS_SHARE / ends[-1]
    listed = ["ffconcat version 1.0"]
    for number, (clip, fact, end) in enumerate(zip(clips, facts, ends, strict=True)):
        frames = canvas.frames(fact.duration)
        on_frame = _share_of(on_progress, share * (end - frames), share * end, frames)
        await _encode_segment(clip, fact, canvas, folder / f"{number}.mp4", on_frame)
        listed += [f"file {number}.mp4", f"duration {frames / canvas.rate:.6f}"]
    (folder / "segments.txt").write_text("\n".join(listed))
    return ends[-1]


def _share_of(on_progress: OnProgress, start: float, end: float, frames: int) -> OnFrame:
    """Converts frames done, out of `frames`, to progress between `start` and `end`."""

    async def report(done: int) -> None:
        await on_progress(start + (end - start) * min(1.0, done / frames))

    return report


async def _encode_segment(
    clip: ClipFile, fact: ClipFacts, canvas: Canvas, segment: Path, on_frame: OnFrame
) -> None:
    """Encodes the clip's picture to `segment` and appends as much sound to the folder's."""
    frames, sound = canvas.frames(fact.duration), segment.with_suffix(".pcm")
    picture = ["-map", "0:V:0", "-vf", canvas.filters_for(fact.colours), *H264]
    # Frames are repeated from the start, and where the clip turned.
    timing = ["-fps_mode", "cfr", "-r", str(canvas.rate), "-frames:v", str(frames)]
    until = ["-t", str(frames / canvas.rate)]
    try:
        samples = await _samples(clip, fact)
        finished = await run(
            *[*DAMAGED_TOO, *reading(clip.path, fact.container), *picture, *timing, *NO_METADATA],
            *["-g", str(2 * canvas.rate), "-f", "mp4", local(segment)],
            *([*samples, *until, local(sound)] if samples else []),
            reads=[clip.path],
            writes=[segment, sound],
            seconds=_timeout(fact.effort),
            on_frame=on_frame,
        )
    except FfmpegFailed as error:
        raise unreadable(clip.name) from error
    if not finished.frames:
        raise unreadable(clip.name)
    size = frames * SAMPLES // canvas.rate * BYTES_PER_SAMPLE
    await asyncio.to_thread(_append_sound, sound, size)


async def _samples(clip: ClipFile, fact: ClipFacts) -> list[str]:
    if not fact.sound:
        return []
    effort = _timeout(fact.effort)
    filters = await stereo_filters(clip.path, fact.container, fact.sound, seconds=effort)
    return ["-map", f"0:a:{fact.sound.track}", "-af", filters, *RAW_SOUND]


def _timeout(seconds: float) -> float:
    return 60 + TIMEOUT_FACTOR * seconds


def _append_sound(segment: Path, size: int) -> None:
    """Appends exactly `size` bytes of the segment, cut or padded with zeros, which are silence."""
    os.truncate(segment, size)
    with segment.open("rb") as source, segment.with_name("sound.pcm").open("ab") as sound:
        shutil.copyfileobj(source, sound)
    segment.unlink()


@contextmanager
def _draft(target: Path, folder: Path) -> Iterator[Path]:
    """Yields a path in `folder`, which is renamed to `target` if the block succeeds."""
    draft = folder / f"finished{target.suffix}"
    yield draft
    draft.replace(target)


async def _assemble(folder: Path, video: Path, seconds: float, on_frame: OnFrame) -> None:
    listed = local(folder / "segments.txt")
    segments = ["-format_whitelist", "concat,mov", "-f", "concat", "-i", listed]
    sound = [*RAW_SOUND, "-i", local(folder / "sound.pcm")]
    aac = ["-map", "1:a", "-c:a", "aac", "-b:a", "160k"]
    await run(
        *[*segments, *sound, "-map", "0:v", "-c:v", "copy", *aac],
        *["-movflags", "+faststart", "-f", "mp4", local(video)],
        reads=[folder],
        writes=[video],
        seconds=_timeout(seconds),
        on_frame=on_frame,
    )


def _finished(duration: float, video: Path, thumbnail: Path) -> FinishedVideo:
    return FinishedVideo(duration, video.stat().st_size, thumbnail)
