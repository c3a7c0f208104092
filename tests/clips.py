"""Small real clips for tests, made once per session by the same ffmpeg that we ship.

`clips.make("portrait")` is the path of a file shared by all tests: look, do not touch.
"""

import struct
import subprocess
import zlib
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

from imageio_ffmpeg import get_ffmpeg_exe

PICTURE = "testsrc2=size=160x120:rate=25:duration=0.6"
TONE = "sine=frequency=440:sample_rate=48000:duration=0.6"
H264 = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p"
AAC = "-c:a aac"

# name of the clip: (file name, what ffmpeg is told to make it)
RECIPES = {
    "mp4": ("mp4.mp4", f"-f lavfi -i {PICTURE} -f lavfi -i {TONE} {H264} {AAC}"),
    "webm": (
        "webm.webm",
        "-f lavfi -i testsrc2=size=96x96:rate=30:duration=0.6 -f lavfi -i sine=duration=0.6 "
        "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -c:a libopus",
    ),
    "recorded in a browser": (
        "recorded.webm",
        f"-f lavfi -i {PICTURE} -c:v libvpx -deadline realtime -cpu-used 8 -live 1",
    ),
    "avi": ("avi.avi", f"-f lavfi -i {PICTURE} -f lavfi -i {TONE} -c:v mpeg4 -c:a libmp3lame"),
    "mkv": ("mkv.mkv", f"-f lavfi -i {PICTURE} -f lavfi -i {TONE} -c:v mpeg4 -c:a pcm_s16le"),
    "mov": ("mov.mov", f"-f lavfi -i {PICTURE} -f lavfi -i {TONE} -c:v mjpeg -c:a pcm_s16le"),
    "ts": ("ts.ts", f"-f lavfi -i {PICTURE} -f lavfi -i {TONE} {H264} {AAC}"),
    "mpg": ("mpg.mpg", f"-f lavfi -i {PICTURE} -f lavfi -i {TONE} -c:v mpeg2video -c:a mp2"),
    "flv": ("flv.flv", f"-f lavfi -i {PICTURE} -f lavfi -i sine=duration=0.6 -c:v flv {AAC}"),
    "ogv": ("ogv.ogv", f"-f lavfi -i {PICTURE} -c:v libtheora"),
    "wmv": ("wmv.wmv", f"-f lavfi -i {PICTURE} -f lavfi -i {TONE} -c:v wmv2 -c:a wmav2"),
    "portrait": (
        "portrait.mp4",
        f"-f lavfi -i testsrc2=size=120x160:rate=25:duration=0.6 -f lavfi -i {TONE} {H264} {AAC}",
    ),
    "from bob's phone": (
        "phone.mov",
        f"-f lavfi -i {PICTURE} {H264} -metadata:s:v handler_name=bobs-phone",
    ),
    "silent": ("silent.mp4", f"-f lavfi -i {PICTURE} {H264}"),
    "mono at 22 kHz": (
        "mono.mp4",
        f"-f lavfi -i {PICTURE} -f lavfi -i sine=sample_rate=22050:duration=0.6 -ac 1 {H264} {AAC}",
    ),
    "variable rate": (
        "variable.mkv",
        f"-f lavfi -i {PICTURE} -vf select='not(mod(n,3))+lt(n,5)' -fps_mode vfr {H264}",
    ),
    "odd size": (
        "odd.mkv",
        "-f lavfi -i testsrc2=size=161x121:rate=25:duration=0.6 -pix_fmt yuv444p -c:v ffv1",
    ),
    "wide pixels": ("wide.mp4", f"-f lavfi -i {PICTURE} -vf setsar=4/3 {H264}"),
    "short sound": (
        "short-sound.mkv",
        f"-f lavfi -i {PICTURE} -f lavfi -i sine=sample_rate=48000:duration=0.2 {H264} -c:a pcm_s16le",
    ),
    "long sound": (
        "long-sound.mkv",
        f"-f lavfi -i {PICTURE} -f lavfi -i sine=sample_rate=48000:duration=1 {H264} -c:a pcm_s16le",
    ),
    "late sound": (
        "late-sound.mkv",
        f"-f lavfi -i {PICTURE} -itsoffset 0.3 -f lavfi -i sine=sample_rate=48000:duration=0.3 "
        f"{H264} -c:a pcm_s16le",
    ),
    "titled like a stream": (
        "titled.mkv",
        f"-f lavfi -i {PICTURE} {H264} -metadata title=Stream\\ #0:0:\\ Video:\\ x,\\ 9x9",
    ),
    "long": (
        "long.mp4",
        "-f lavfi -i testsrc2=size=160x120:rate=10:duration=6 -f lavfi -i sine=duration=6 "
        f"{H264} {AAC} -movflags +faststart",
    ),
    "a fifth of a frame a second": (
        "slower.mp4",
        f"-f lavfi -i testsrc2=size=160x120:rate=0.2:duration=30 {H264}",
    ),
    "one frame": ("one.mp4", f"-f lavfi -i testsrc2=size=160x120:duration=0.04 -frames:v 1 {H264}"),
    "one frame with sound": (
        "still.mkv",
        "-f lavfi -i color=size=160x120:rate=1/90:duration=90 -f lavfi -i sine=duration=90 "
        f"-frames:v 1 {H264} -c:a pcm_s16le",
    ),
    "claims hours": (
        "claims-hours.mp4",
        "-f lavfi -i testsrc2=size=64x64:rate=25:duration=0.08 "
        f"-vf setpts=N*7000/TB -fps_mode vfr {H264}",
    ),
    "two hours": (
        "two-hours.mp4",
        f"-f lavfi -i color=size=32x32:rate=1/60:duration=7320 {H264}",
    ),
    "sound only": ("sound.m4a", f"-f lavfi -i {TONE} {AAC}"),
    "picture": ("picture.png", f"-f lavfi -i {PICTURE} -frames:v 1"),
    "photo of a phone": (
        "photo.avif",
        f"-f lavfi -i {PICTURE} -frames:v 1 -c:v libaom-av1 -cpu-used 8 -still-picture 1",
    ),
}
GOOD = (
    "mp4", "webm", "recorded in a browser", "avi", "mkv", "mov", "ts", "mpg", "flv", "ogv", "wmv",
    "portrait", "silent", "mono at 22 kHz", "variable rate", "odd size", "wide pixels",
    "short sound", "late sound", "long sound", "titled like a stream", "turned", "with a cover",
)  # fmt: skip
TEXTS = {
    "text": "Dear diary, today I filmed nothing.\n" * 20,
    "playlist": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
    "concat script": "ffconcat version 1.0\nfile /etc/passwd\n",
    "svg": '<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
    "empty": "",
}
BROKEN = (
    *TEXTS, "picture", "photo of a phone", "sound only", "cut short", "cut at its head", "scrambled"
)  # fmt: skip


@cache
def make(name: str) -> Path:
    """The path of the clip called `name`: GOOD, BROKEN, "long" (6 seconds) or "two hours"."""
    if name in TEXTS:
        return written(f"{name}.mp4", TEXTS[name].encode())
    if name in RECIPES:
        filename, recipe = RECIPES[name]
        return filmed(filename, recipe.replace("\\ ", "\0").split())
    return _altered(name)


def _altered(name: str) -> Path:
    match name:
        case "turned":
            return filmed(
                "turned.mp4", ["-display_rotation", "90", "-i", str(make("mp4")), "-c", "copy"]
            )
        case "with a cover":
            inputs = ["-i", str(make("picture")), "-i", str(make("mp4"))]
            cover = ["-map", "0", "-map", "1", "-c", "copy", "-disposition:v:0", "attached_pic"]
            return filmed("cover.mp4", [*inputs, *cover])
        case "cut short":
            whole = make("long").read_bytes()
            return written("cut.mp4", whole[: len(whole) // 2])
        case "cut at its head":
            return written("headless.mp4", make("mp4").read_bytes()[:2_000])
        case "scrambled":
            whole = make("long").read_bytes()
            media = whole.index(b"mdat") + 4
            return written("scrambled.mp4", whole[:media] + bytes(len(whole) - media))
        case "huge picture":
            row = bytes(1 + 16_000 // 8)
            header = struct.pack(">II5B", 16_000, 16_000, 1, 0, 0, 0, 0)
            pieces = [_png(b"IHDR", header), _png(b"IDAT", zlib.compress(row * 16_000))]
            picture = b"\x89PNG\r\n\x1a\n" + b"".join(pieces) + _png(b"IEND", b"")
            source = written("huge.png", picture)
            return filmed("huge.mov", ["-f", "png_pipe", "-i", str(source), "-c", "copy"])
    raise KeyError(name)


def _png(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG file."""
    checksum = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + checksum


@cache
def _room() -> TemporaryDirectory[str]:
    """Removed at the end of the session; only made when a test asks for a clip."""
    return TemporaryDirectory(prefix="clips-")


def _new(filename: str) -> Path:
    """In a folder of its own, because tests give the same name to different files."""
    return Path(mkdtemp(dir=_room().name), filename)


def written(filename: str, content: bytes) -> Path:
    path = _new(filename)
    path.write_bytes(content)
    return path


def filmed(filename: str, arguments: list[str]) -> Path:
    path = _new(filename)
    words = [word.replace("\0", " ") for word in arguments]
    command = [get_ffmpeg_exe(), "-nostdin", "-v", "error", "-y", *words, str(path)]
    subprocess.run(command, check=True)
    return path
