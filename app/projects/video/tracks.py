"""What the tracks of a file contain, packet by packet.

A header only claims a length, and what ffmpeg reports of its progress lags behind by the frames that
it reorders. So the packets themselves are listed, by ffmpeg's muxer `framecrc`: it writes a line with
the times of each packet, and lines that start with `#` with the facts of each track.
"""

from dataclasses import dataclass, field
from heapq import heappush, heappushpop
from math import inf

# The most packets that can be shown in another order than they are stored in: H.264 and HEVC allow
# 16 frames, which may be two packets each.
REORDERED = 32
CORRUPT, DISCARDED = 0x2, 0x4
NO_TIME = "-9223372036854775808"


@dataclass
class Track:
    """Times are in seconds from the start of the file, `size` in bytes. `start` and `end` are those
    of what is shown; `longest_gap` is the longest time between the starts of two packets.
    """

    kind: str = ""
    layout: str = ""
    packets: int = 0
    size: int = 0
    start: float = inf
    end: float = -inf
    longest_gap: float = 0.0
    last_duration: float = 0.0
    ends_corrupt: bool = False
    tick: float = 0.0
    _newest: float = -inf
    _shown: float = inf
    _pending: list[float] = field(default_factory=list)

    def take(self, time: float, duration: float, size: int, flags: int) -> None:
        self.ends_corrupt = bool(flags & CORRUPT)
        if flags & DISCARDED:
            return
        self.packets += 1
        self.size += size
        self.start = min(self.start, time)
        self.end = max(self.end, time + duration)
        if time > self._newest:
            self._newest, self.last_duration = time, duration
        self._in_order(time)

    def end_believing(self, most: float) -> float:
        """The end, with at most `most` seconds for the packet that is shown last."""
        return min(self.end, self._newest + most)

    def _in_order(self, time: float) -> None:
        if len(self._pending) < REORDERED:
            heappush(self._pending, time)
        else:
            self._show(heappushpop(self._pending, time))

    def _show(self, time: float) -> None:
        self.longest_gap = max(self.longest_gap, time - self._shown)
        self._shown = time

    def close(self) -> None:
        """To be called after the last packet."""
        for time in sorted(self._pending):
            self._show(time)
        self._pending.clear()


class Tracks:
    """Reads the lines of `framecrc`. The tracks are in the order in which they were mapped."""

    def __init__(self) -> None:
        self._tracks: dict[int, Track] = {}

    def feed(self, line: str) -> None:
        if line.startswith("#"):
            self._take_fact(line)
        elif line:
            self._take_packet(line)

    def close(self) -> list[Track]:
        for track in self._tracks.values():
            track.close()
        return [track for _index, track in sorted(self._tracks.items())]

    def _take_fact(self, line: str) -> None:
        """Such as `#media_type 0: video`."""
        name, _space, rest = line[1:].partition(" ")
        index, _colon, value = rest.partition(": ")
        if not index.isdigit():
            return
        track = self._tracks.setdefault(int(index), Track())
        if name == "tb":
            above, _slash, below = value.partition("/")
            track.tick = int(above) / int(below)
        elif name == "media_type":
            track.kind = value
        elif name == "channel_layout_name":
            track.layout = value

    def _take_packet(self, line: str) -> None:
        """`track, decoding time, time, duration, size, checksum[, F=flags]`. AVI has no times to
        show a packet at.
        """
        index, decoding, shown, duration, size, _checksum, *more = map(str.strip, line.split(","))
        track = self._tracks[int(index)]
        time = int(decoding if shown == NO_TIME else shown) * track.tick
        flags = int(more[0][2:], 16) if more and more[0].startswith("F=") else 0
        track.take(time, int(duration) * track.tick, int(size), flags)
