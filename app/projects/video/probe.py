"""What a clip really is, whatever its name says: found out before anything else touches it.

The first bytes decide which demuxer may open it, so that playlists, scripts and pictures never
reach ffmpeg; then ffmpeg reads every packet and decodes the first frame.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from app.language import _
from app.projects.video.ffmpeg import FfmpegFailed, Outcome, Unusable, reading, run

SECONDS = 300
USUAL_RATE = 30.0
FASTEST_RATE = 240.0
BEGINNINGS = {
    b"\x1a\x45\xdf\xa3": "matroska",
    b"OggS": "ogg",
    b"FLV\x01": "flv",
    b"\x00\x00\x01\xba": "mpeg",
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11": "asf",
}
QUICKTIME_ATOMS = {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}
PICTURE_BRANDS = {b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"crx "}
STREAMS = re.compile(r"^ {2,4}Stream #0:\d+[^:\n]*: (\w+): ", re.MULTILINE)
COVER = re.compile(r"[^\n]*\((attached pic|timed thumbnails|still image)\)")


@dataclass(frozen=True)
class ClipFacts:
    """`duration` in seconds; `width` and `height` in square pixels, as shown (turned upright);
    `rate` in frames a second; `container` is ffmpeg's name of the demuxer.
    """

    container: str
    duration: float
    width: int
    height: int
    rate: float
    has_sound: bool


async def probe(path: Path, name: str) -> ClipFacts:
    """Read the whole clip once. `name` is what its owner calls it.

    Raises Unusable, with a sentence naming the clip, if it is missing, empty, cut short, without
    a picture, or no video at all; another CompilationError if the machine gave out.
    """
    container = _container(path, name)
    first_frame = ["-map", "0:V:0", "-frames:v", "1", "-f", "null", "-"]
    every_packet = ["-map", "0:V:0", "-map", "0:a:0?", "-c", "copy", "-f", "null", "-"]
    try:
        outcome = await run(*reading(path, container), *first_frame, *every_packet, seconds=SECONDS)
    except FfmpegFailed as error:
        kinds = STREAMS.findall(error.log)
        only_sound = "Audio" in kinds and "Video" not in kinds
        raise (_without_picture(name) if only_sound else unreadable(name)) from error
    return _facts(outcome, container, name)


def sniff(path: Path) -> str | None:
    """The demuxer for this file by its first bytes; None if it is no video container we know."""
    with path.open("rb") as file:
        head = file.read(400)
    if head[4:8] in QUICKTIME_ATOMS:
        return None if head[4:8] == b"ftyp" and head[8:12] in PICTURE_BRANDS else "mov"
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "avi"
    if _is_transport_stream(head):
        return "mpegts"
    return next((name for start, name in BEGINNINGS.items() if head.startswith(start)), None)


def unreadable(name: str) -> Unusable:
    sentence = _("'{name}' is not a video we can read. Upload it again or remove it.")
    return Unusable(sentence.format(name=name))


def _container(path: Path, name: str) -> str:
    try:
        container = sniff(path)
        size = path.stat().st_size
    except OSError as error:
        sentence = _("'{name}' is no longer there. Upload it again or remove it.")
        raise Unusable(sentence.format(name=name)) from error
    if not size:
        raise Unusable(_("'{name}' is empty. Upload it again or remove it.").format(name=name))
    if not container:
        raise unreadable(name)
    return container


def _is_transport_stream(head: bytes) -> bool:
    """ISO 13818-1: packets of 188 bytes, each beginning with 0x47; cameras put 4 before each."""
    return head[0:377:188] == b"GGG" or head[4:389:192] == b"GGG"


def _without_picture(name: str) -> Unusable:
    sentence = _("'{name}' has sound but no picture. Upload a video in its place or remove it.")
    return Unusable(sentence.format(name=name))


def _facts(outcome: Outcome, container: str, name: str) -> ClipFacts:
    header = outcome.log.partition("Stream mapping:")[0]
    parts = STREAMS.split(header)
    streams = list(zip(parts[1::2], parts[2::2], strict=True))
    video = next((text for kind, text in streams if kind == "Video" and not COVER.match(text)), "")
    size = re.search(r", (\d+)x(\d+)\b", video)
    duration = _duration(header, outcome.seconds, name)
    if not size or not outcome.frames or not duration:
        raise unreadable(name)
    width, height = _upright(int(size[1]), int(size[2]), video)
    has_sound = any(kind == "Audio" for kind, _text in streams)
    return ClipFacts(container, duration, width, height, _rate(video), has_sound)


def _duration(header: str, measured: float, name: str) -> float:
    """Browsers record without writing a duration: then only the packets tell."""
    found = re.search(r"^ +Duration: (\d+):(\d\d):(\d\d\.\d+)", header, re.MULTILINE)
    claimed = int(found[1]) * 3600 + int(found[2]) * 60 + float(found[3]) if found else 0.0
    if claimed - measured > max(1.0, claimed / 10):
        sentence = _(
            "'{name}' ends too early: part of it is missing. Upload it again or remove it."
        )
        raise Unusable(sentence.format(name=name))
    return max(claimed, measured)


def _upright(width: int, height: int, video: str) -> tuple[int, int]:
    """Square pixels first, then the turn: the pixels' shape belongs to the picture as stored."""
    if (shape := re.search(r"SAR (\d+):(\d+)", video)) and int(shape[1]) and int(shape[2]):
        width = max(1, round(width * int(shape[1]) / int(shape[2])))
    turned = re.search(r"rotation of (-?\d+)", video)
    return (height, width) if turned and int(turned[1]) % 180 else (width, height)


def _rate(video: str) -> float:
    """The average rate, or the usual one where the clip has none worth the name."""
    found = re.search(r"([\d.]+)(k?) (?:fps|tbr)", video)
    rate = float(found[1]) * (1000 if found[2] else 1) if found else 0.0
    return rate if 1 <= rate <= FASTEST_RATE else USUAL_RATE
