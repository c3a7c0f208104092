"""Determines whether an uploaded file is a video, and its container, size, duration and rate.

File names are not trusted. The first bytes select the demuxer, so that playlists, scripts and
images never reach ffmpeg. Then ffmpeg reads every packet and decodes the first frame. The length is
that of the packets, not what the header claims, and a clip is cut short if picture data is missing.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from app.language import _, ngettext
from app.projects.video.colours import Colours
from app.projects.video.completeness import is_cut_short
from app.projects.video.ffmpeg import OUTPUT, FfmpegFailed, Unusable, read_lines, reading
from app.projects.video.sound import Sound, find_sound
from app.projects.video.tracks import Track, Tracks

# Time to read a clip, on a slow disk and a busy machine.
MIN_SECONDS, MAX_SECONDS, BYTES_PER_SECOND = 30, 300, 4_000_000
# The longest that a frame may be shown, and the fewest bytes that a second of sound takes.
SECONDS_PER_FRAME, BYTES_OF_SOUND = 60, 1_000
DEFAULT_RATE = 30.0
# Words in ffmpeg's output. Cameras write the index of an MP4, `moov`, last.
CUT = ("moov atom not found", "partial file", "File ended prematurely")
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
    second. `width` and `height` are in square pixels, after rotation. `sound` is the track to use,
    `sounds` how many there are. `frames` and `size` in bytes are what the file really contains.
    """

    container: str
    duration: float
    width: int
    height: int
    rate: float
    sound: Sound | None
    sounds: int
    colours: Colours
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
    seconds = min(MAX_SECONDS, MIN_SECONDS + size / BYTES_PER_SECOND)
    try:
        log, tracks = await _read_packets(path, container, seconds)
    except FfmpegFailed as error:
        raise _refusal(error.log, name) from error
    header = _Header.of(log)
    picture, sounds = tracks[0], [track for track in tracks[1:] if track.kind == "audio"]
    if not header.size or not picture.packets:
        raise unreadable(name)
    if is_cut_short(path, container, log, tracks):
        raise _incomplete(name)
    sound = await find_sound(path, container, header.sounds, seconds=seconds)
    used = sounds[sound.track] if sound and sound.track < len(sounds) else Track()
    _require_believable(picture, used, name)
    return ClipFacts(
        container=container,
        duration=_duration(picture, used),
        width=header.size[0],
        height=header.size[1],
        rate=header.rate or _measured_rate(picture),
        sound=sound,
        sounds=len(header.sounds),
        colours=header.colours,
        frames=picture.packets,
        size=size,
    )


async def _read_packets(path: Path, container: str, seconds: float) -> tuple[str, list[Track]]:
    """Lists the packets of the picture, then those of the other tracks, and decodes one frame.

    The file is opened twice, so that ffmpeg reads the picture to its end even where sound is
    missing, and reports errors in the picture (`in#0`) separately from errors in the rest.
    """
    listed, opened = Tracks(), reading(path, container)
    rest = [part for kind in "asd" for part in ("-map", f"1:{kind}?")]
    every_packet = ["-map", "0:V:0", *rest, "-c", "copy", "-copy_unknown", "-f", "framecrc", OUTPUT]
    first_frame = ["-map", "0:V:0", "-frames:v", "1", "-f", "null", "-"]
    log = await read_lines(
        *[*opened, *opened, *every_packet, *first_frame],
        reads=[path],
        seconds=seconds,
        reader=listed,
    )
    return log, listed.close()


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
    if any(words in log for words in CUT):
        return _incomplete(name)
    kinds = STREAMS.findall(log)
    return _no_picture(name) if "Audio" in kinds and "Video" not in kinds else unreadable(name)


def _no_picture(name: str) -> Unusable:
    sentence = _("'{name}' has sound but no picture. Replace it with a video, or remove it.")
    return Unusable(sentence.format(name=name))


def _incomplete(name: str) -> Unusable:
    sentence = _(
        "'{name}' is incomplete: the end of the file is missing. Upload it again, or remove it."
    )
    return Unusable(sentence.format(name=name))


@dataclass(frozen=True)
class _Header:
    """What ffmpeg says of the file before it reads packets. `rate` is 0 if it is not plausible."""

    size: tuple[int, int] | None
    rate: float
    colours: Colours
    sounds: list[str]

    @classmethod
    def of(cls, log: str) -> "_Header":
        parts = STREAMS.split(log.partition("Input #1,")[0])
        streams = list(zip(parts[1::2], parts[2::2], strict=True))
        pictures = (text for kind, text in streams if kind == "Video" and not COVER.match(text))
        video = next(pictures, "")
        sounds = [text for kind, text in streams if kind == "Audio"]
        return cls(_upright_size(video), _rate(video), Colours.of(video), sounds)


def _duration(picture: Track, sound: Track) -> float:
    """The last frame is held until the sound ends, but no longer than the sound's size makes
    credible.
    """
    shown = picture.end_believing(SECONDS_PER_FRAME)
    if picture.last_duration <= 0:
        shown += 1 / (_measured_rate(picture))
    return max(shown, min(sound.end, shown + sound.size / BYTES_OF_SOUND))


def _require_believable(picture: Track, sound: Track, name: str) -> None:
    """Raises Unusable if one frame would be shown for too long. The first frame is shown from the
    start; a late one is credible only if there is sound before it.
    """
    first = max(0.0, picture.start) - sound.size / BYTES_OF_SOUND
    if (gap := max(picture.longest_gap, first)) <= SECONDS_PER_FRAME:
        return
    minutes = round(gap / 60)
    sentence = ngettext(
        "'{name}' claims to show one frame for {n} minute, which cannot be right. Replace it, or remove it.",
        "'{name}' claims to show one frame for {n} minutes, which cannot be right. Replace it, or remove it.",
        minutes,
    )
    raise Unusable(sentence.format(name=name, n=minutes))


def _upright_size(video: str) -> tuple[int, int] | None:
    """Applies the pixel aspect ratio, which describes the stored picture, before the rotation."""
    if not (found := re.search(r", (\d+)x(\d+)\b", video)):
        return None
    width, height = int(found[1]), int(found[2])
    if (ratio := re.search(r"SAR (\d+):(\d+)", video)) and int(ratio[1]) and int(ratio[2]):
        width = max(1, round(width * int(ratio[1]) / int(ratio[2])))
    rotation = re.search(r"rotation of (-?\d+)", video)
    # Within one degree, as ffmpeg does it; other angles keep the size.
    is_turned = rotation and abs(int(rotation[1]) % 180 - 90) <= 1
    return (height, width) if is_turned else (width, height)


def _rate(video: str) -> float:
    """The average rate."""
    found = re.search(r"([\d.]+)(k?) (?:fps|tbr)", video)
    rate = float(found[1]) * (1000 if found[2] else 1) if found else 0.0
    return rate if _is_plausible(rate) else 0.0


def _measured_rate(picture: Track) -> float:
    """DEFAULT_RATE if the frames are too few, or have no plausible rate."""
    seconds = picture.end - picture.last_duration - picture.start
    rate = (picture.packets - 1) / seconds if seconds > 0 else 0.0
    return rate if _is_plausible(rate) else DEFAULT_RATE


def _is_plausible(rate: float) -> bool:
    return 1 <= rate <= MAX_RATE
