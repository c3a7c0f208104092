"""Determines whether an uploaded file is a video, and its container, size, duration and rate.

File names are not trusted. The first bytes select the demuxer, so that playlists, scripts and
images never reach ffmpeg. Then ffmpeg reads every packet and decodes the first frame. A length
that a file only claims is not believed: its frames or its bytes have to account for it.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from app.language import _, ngettext
from app.projects.video.ffmpeg import FfmpegFailed, Outcome, Unusable, reading, run

# Time to read a clip, on a slow disk and a busy machine.
MIN_SECONDS, MAX_SECONDS, BYTES_PER_SECOND = 30, 300, 4_000_000
# The longest that a frame may be shown, and the fewest bytes that a second of sound takes.
SECONDS_PER_FRAME, BYTES_OF_SOUND = 60, 1_000
DEFAULT_RATE = 30.0
MAX_RATE = 240.0
SIGNATURES = {
    b"\x1a\x45\xdf\xa3": "matroska",
    b"OggS": "ogg",
    b"FLV\x01": "flv",
    b"\x00\x00\x01\xba": "mpeg",
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11": "asf",
}
QUICKTIME_ATOMS = {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}
IMAGE_BRANDS = {b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"crx "}
STREAMS = re.compile(r"^ {2,4}Stream #0:\d+[^:\n]*: (\w+): ", re.MULTILINE)
COVER = re.compile(r"[^\n]*\((attached pic|timed thumbnails|still image)\)")


@dataclass(frozen=True)
class ClipFacts:
    """`container` is ffmpeg's name of the demuxer, `duration` in seconds, `rate` in frames per
    second. `width` and `height` are in square pixels, after rotation. `frames` and `size` in bytes
    are what the file really contains.
    """

    container: str
    duration: float
    width: int
    height: int
    rate: float
    has_sound: bool
    frames: int
    size: int

    @property
    def effort(self) -> float:
        """The seconds of ordinary video that take at least as much work as this clip."""
        return min(self.duration, self.frames + self.size / BYTES_OF_SOUND)


async def probe(path: Path, name: str) -> ClipFacts:
    """Reads the whole clip once. `name` is its file name for error sentences.

    Raises Unusable if the clip is missing, empty, truncated, has no picture, or is not a video;
    another CompilationError if the machine ran out of time, memory or disk space.
    """
    container, size = _container_and_size(path, name)
    # ffmpeg counts the frames of its first output.
    every_packet = ["-map", "0:V:0", "-map", "0:a:0?", "-c", "copy", "-f", "null", "-"]
    first_frame = ["-map", "0:V:0", "-frames:v", "1", "-f", "null", "-"]
    try:
        outcome = await run(
            *[*reading(path, container), *every_packet, *first_frame],
            reads=[path],
            seconds=min(MAX_SECONDS, MIN_SECONDS + size / BYTES_PER_SECOND),
        )
    except FfmpegFailed as error:
        raise _refusal(error.log, name) from error
    return _facts(outcome, container, size, name)


def sniff(path: Path) -> str | None:
    """The demuxer for this file, by its first bytes. None if it is not a known video container."""
    with path.open("rb") as file:
        head = file.read(400)
    if head[4:8] in QUICKTIME_ATOMS:
        return None if head[4:8] == b"ftyp" and head[8:12] in IMAGE_BRANDS else "mov"
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "avi"
    if _is_transport_stream(head):
        return "mpegts"
    return next((name for start, name in SIGNATURES.items() if head.startswith(start)), None)


def unreadable(name: str) -> Unusable:
    sentence = _("'{name}' is not a video we can read. Upload it again, or remove it.")
    return Unusable(sentence.format(name=name))


def _container_and_size(path: Path, name: str) -> tuple[str, int]:
    try:
        container = sniff(path)
        size = path.stat().st_size
    except OSError as error:
        sentence = _("The file of '{name}' is missing. Upload it again, or remove it.")
        raise Unusable(sentence.format(name=name)) from error
    if not size:
        raise Unusable(_("'{name}' is empty. Upload it again, or remove it.").format(name=name))
    if not container:
        raise unreadable(name)
    return container, size


def _is_transport_stream(head: bytes) -> bool:
    """ISO 13818-1: packets of 188 bytes that start with 0x47. Cameras prefix each with 4 bytes."""
    return head[0:377:188] == b"GGG" or head[4:389:192] == b"GGG"


def _refusal(log: str, name: str) -> Unusable:
    if "exceeds specified max pixel count" in log:
        sentence = _("The picture of '{name}' is too large: at most 8K (8192 × 4608) can be read.")
        return Unusable(sentence.format(name=name))
    kinds = STREAMS.findall(log)
    return _no_picture(name) if "Audio" in kinds and "Video" not in kinds else unreadable(name)


def _no_picture(name: str) -> Unusable:
    sentence = _("'{name}' has sound but no picture. Replace it with a video, or remove it.")
    return Unusable(sentence.format(name=name))


def _facts(outcome: Outcome, container: str, size: int, name: str) -> ClipFacts:
    header = outcome.log.partition("Stream mapping:")[0]
    parts = STREAMS.split(header)
    streams = list(zip(parts[1::2], parts[2::2], strict=True))
    video = next((text for kind, text in streams if kind == "Video" and not COVER.match(text)), "")
    found = re.search(r", (\d+)x(\d+)\b", video)
    duration = _duration(header, outcome.seconds, name)
    if not found or not outcome.frames or not duration:
        raise unreadable(name)
    _require_believable(duration, outcome.frames, size, name)
    width, height = _upright(int(found[1]), int(found[2]), video)
    has_sound = any(kind == "Audio" for kind, _text in streams)
    rate = _rate(video)
    return ClipFacts(container, duration, width, height, rate, has_sound, outcome.frames, size)


def _duration(header: str, measured: float, name: str) -> float:
    """The longer of the duration in the header and the measured one. Recordings by a browser have
    none in the header.
    """
    found = re.search(r"^ +Duration: (\d+):(\d\d):(\d\d\.\d+)", header, re.MULTILINE)
    declared = int(found[1]) * 3600 + int(found[2]) * 60 + float(found[3]) if found else 0.0
    if declared - measured > max(1.0, declared / 10):
        sentence = _(
            "'{name}' is incomplete: the end of the file is missing. Upload it again, or remove it."
        )
        raise Unusable(sentence.format(name=name))
    return max(declared, measured)


def _require_believable(duration: float, frames: int, size: int, name: str) -> None:
    if duration <= frames * SECONDS_PER_FRAME + size / BYTES_OF_SOUND:
        return
    sentence = ngettext(
        "'{name}' claims to last {minutes} minutes but has only {n} frame. Replace it, or remove it.",
        "'{name}' claims to last {minutes} minutes but has only {n} frames. Replace it, or remove it.",
        frames,
    )
    raise Unusable(sentence.format(name=name, minutes=round(duration / 60), n=frames))


def _upright(width: int, height: int, video: str) -> tuple[int, int]:
    """Applies the pixel aspect ratio, which describes the stored picture, before the rotation."""
    if (ratio := re.search(r"SAR (\d+):(\d+)", video)) and int(ratio[1]) and int(ratio[2]):
        width = max(1, round(width * int(ratio[1]) / int(ratio[2])))
    rotation = re.search(r"rotation of (-?\d+)", video)
    return (height, width) if rotation and int(rotation[1]) % 180 else (width, height)


def _rate(video: str) -> float:
    """The average rate, or DEFAULT_RATE if the clip has no plausible one."""
    found = re.search(r"([\d.]+)(k?) (?:fps|tbr)", video)
    rate = float(found[1]) * (1000 if found[2] else 1) if found else 0.0
    return rate if 1 <= rate <= MAX_RATE else DEFAULT_RATE
