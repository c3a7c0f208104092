"""Whether picture data is missing at the end of a file, as after an upload or copy that broke off.

The length in the header proves nothing: it may be that of a subtitle track, or count from an
offset. Each container has a better sign that more picture data should follow.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from app.projects.video.tracks import Track

# In seconds. Lengths in headers are rounded, and sound ends a little later than its picture.
TOLERANCE = 0.1
TIME = r"(\d+):(\d\d):(\d\d\.\d+)"
ASF_DATA = bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")
HEAD_BYTES = 1_000_000


def is_cut_short(path: Path, container: str, log: str, tracks: Sequence[Track]) -> bool:
    """`log` is that of ffmpeg, with the picture as its input 0. `tracks` begins with the picture."""
    picture = tracks[0]
    match container:
        case "mov":
            return picture.ends_corrupt or _says_of_picture("partial file", log)
        case "matroska":
            ends_early = _says_of_picture("File ended prematurely", log)
            return ends_early and _declared(log) - picture.end > TOLERANCE
        case "flv":
            declared = _declared(log)
            return declared - max(track.end for track in tracks) > max(1.0, declared / 10)
        case "avi" | "asf":
            return _end_of_media(path, container) > path.stat().st_size
    return False


def _says_of_picture(words: str, log: str) -> bool:
    return re.search(rf"^\[in#0/[^\n]*{words}", log, re.MULTILINE) is not None


def _declared(log: str) -> float:
    """The seconds from the start to where the picture should end, according to its own track (a tag
    of Matroska) or, without that, to the file.
    """
    header = log.partition("Input #1,")[0]
    picture = re.search(r" Video: (?:(?! Stream #).)*? DURATION +: " + TIME, header, re.DOTALL)
    whole = re.search(rf"^ +Duration: {TIME}", header, re.MULTILINE)
    start = re.search(r"^ +Duration: [^\n]*, start: (-?[\d.]+)", header, re.MULTILINE)
    return _seconds(picture or whole) - (float(start[1]) if start else 0.0)


def _seconds(time: re.Match[str] | None) -> float:
    return int(time[1]) * 3600 + int(time[2]) * 60 + float(time[3]) if time else 0.0


def _end_of_media(path: Path, container: str) -> int:
    """Where the file should have the last byte of picture and sound; 0 if it does not say so."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    return _end_of_movi(head) if container == "avi" else _end_of_data(head)


def _end_of_movi(head: bytes) -> int:
    """`LIST`, its size, `movi`. Unfinished recordings have the size 0 or the largest one."""
    offset = head.find(b"movi")
    size = int.from_bytes(head[offset - 4 : offset], "little") if offset >= 8 else 0
    return offset + size if size < 0xFFFF_FF00 else 0


def _end_of_data(head: bytes) -> int:
    """The data object of ASF (section 5.1): its GUID, then its size."""
    offset = head.find(ASF_DATA)
    return offset + int.from_bytes(head[offset + 16 : offset + 24], "little") if offset >= 0 else 0
