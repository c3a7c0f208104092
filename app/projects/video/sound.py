"""Chooses the sound track of a clip and mixes it down to stereo that is as loud as the original.

A downmix of many channels is too quiet if it leaves room for the loudest possible moment, and too
loud if the channels carry the same signal. So the loudness of both is measured (EBU R 128) and the
difference compensated, with a limiter against clipping.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.projects.video.ffmpeg import OUTPUT, FfmpegFailed, read_lines, reading, run
from app.projects.video.tracks import Tracks

MAX_TRACKS = 8
# Layouts that ffmpeg turns into stereo without changing the loudness.
SIMPLE = {"mono", "stereo", "downmix", "1 channels", "2 channels"}
# Missing samples become silence, so that sound stays with its picture.
IN_TIME = "aresample=async=1:first_pts=0"
BY_PLACE = "aformat=sample_fmts=fltp:channel_layouts=stereo"
MAX_GAIN = 20.0
LOUDNESS = re.compile(r"^\[ebur128@(\w+) .*?^ +I: +(-?[\d.]+) LUFS", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Sound:
    """`track` is its place among the sound tracks of the file, from 0; `layout` is ffmpeg's name of
    its channels, such as `5.1(side)`.
    """

    track: int
    layout: str


async def find_sound(
    path: Path, container: str, descriptions: Sequence[str], *, seconds: float
) -> Sound | None:
    """The first sound track that can be decoded. `descriptions` is how ffmpeg describes each."""
    for track, description in enumerate(descriptions[:MAX_TRACKS]):
        if _is_foreign(description, container):
            continue
        if sound := await _decoded(path, container, track, seconds):
            return sound
    return None


async def stereo_filters(path: Path, container: str, sound: Sound, *, seconds: float) -> str:
    """ffmpeg filters that make the sound stereo. Reads the whole sound once if it has more channels.

    Raises FfmpegFailed if it cannot be decoded.
    """
    if sound.layout in SIMPLE:
        return IN_TIME
    mix = f"{IN_TIME},{_downmix(sound.layout)}"
    gain = await _loudness_lost(path, container, sound, mix, seconds)
    return f"{mix},volume={gain:.2f}dB,alimiter=limit=0.97:level=0:latency=1"


def _is_foreign(description: str, container: str) -> bool:
    """MP4 gives AAC the tag `mp4a`. Under another one it is encrypted (`enca`), or of a kind that
    no player knows; decoding it would give noise at best.
    """
    tag = re.match(r"aac\b[^,]*\((\w{4}) / ", description)
    return container == "mov" and tag is not None and tag[1] != "mp4a"


async def _decoded(path: Path, container: str, track: int, seconds: float) -> Sound | None:
    tracks = Tracks()
    first = ["-map", f"0:a:{track}", "-frames:a", "1", "-f", "framecrc", OUTPUT]
    try:
        await read_lines(
            *reading(path, container), *first, reads=[path], seconds=seconds, reader=tracks
        )
    except FfmpegFailed:
        return None
    found = tracks.close()
    return Sound(track, found[0].layout) if found and found[0].packets else None


def _downmix(layout: str) -> str:
    """Mixes by the position of each channel; channels without one go to left and right in turn."""
    if layout == "binaural":
        return "pan=stereo|c0=c0|c1=c1"
    if not (found := re.fullmatch(r"(\d+) channels", layout)) or int(found[1]) <= 8:
        return BY_PLACE
    left, right = (
        "+".join(f"c{channel}" for channel in range(side, int(found[1]), 2)) for side in (0, 1)
    )
    return f"pan=stereo|c0<{left}|c1<{right}"


async def _loudness_lost(
    path: Path, container: str, sound: Sound, mix: str, seconds: float
) -> float:
    """By how many LU the mix is quieter than the original; 0 if either is too short or too quiet."""
    graph = (
        f"[0:a:{sound.track}]asplit[all][two];[all]ebur128@all=framelog=quiet[a];"
        f"[two]{mix},ebur128@two=framelog=quiet[b]"
    )
    finished = await run(
        *[*reading(path, container), "-filter_complex", graph],
        *["-map", "[a]", "-map", "[b]", "-f", "null", "-"],
        reads=[path],
        seconds=seconds,
    )
    measured = {name: float(value) for name, value in LOUDNESS.findall(finished.log)}
    if min(measured.get("all", -70), measured.get("two", -70)) <= -70:
        return 0.0
    return max(-MAX_GAIN, min(MAX_GAIN, measured["all"] - measured["two"]))
