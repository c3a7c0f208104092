"""The frame size and rate of a compilation, and the ffmpeg filters that fit a clip to them."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from app.projects.video.colours import Colours
from app.projects.video.probe import ClipFacts

LONG_SIDE, SHORT_SIDE, MIN_SIDE = 1920, 1080, 16
SAMPLES = 48_000
# Each divides SAMPLES, so that a frame lasts a whole number of samples and nothing is rounded.
RATES = (24, 25, 30, 50, 60)

Trait = TypeVar("Trait", bound=Hashable)


@dataclass(frozen=True)
class Canvas:
    """`width` and `height` in pixels, both even because H.264 requires it; `rate` in frames per
    second.
    """

    width: int
    height: int
    rate: int

    @classmethod
    def for_clips(cls, clips: Sequence[ClipFacts]) -> "Canvas":
        """The size and the rate that cover most seconds of the clips, at most 1920 by 1080."""
        width, height = _most_common(clips, lambda clip: (clip.width, clip.height))
        rate = _most_common(clips, lambda clip: _nearest_rate(clip.rate))
        box = (LONG_SIDE, SHORT_SIDE) if width >= height else (SHORT_SIDE, LONG_SIDE)
        scale = min(1.0, box[0] / width, box[1] / height)
        return cls(_even(width * scale, MIN_SIDE), _even(height * scale, MIN_SIDE), rate)

    def frames(self, seconds: float) -> int:
        return max(1, round(seconds * self.rate))

    def filters_for(self, colours: Colours) -> str:
        """ffmpeg filters that show the whole clip, centred on black, and hold its last frame.

        The size is computed from each frame, since a clip may turn in mid-recording: ffmpeg then
        starts the filters again, which is why none of them may begin at 0. Colours are converted
        to BT.709, so that all segments have the same stream header.
        """
        width = f"max(2,2*round(min({self.width},{self.height}*dar)/2))"
        height = f"max(2,2*round(min({self.height},{self.width}/dar)/2))"
        return ",".join([
            # Deinterlacing needs three lines and columns.
            "scale=w='max(4,iw)':h='max(4,ih)'",
            "bwdif=deint=interlaced",
            f"fps={self.rate}",
            f"scale=w='{width}':h='{height}'",
            *colours.filters,
            "format=yuv420p",
            f"pad={self.width}:{self.height}:-1:-1",
            "setsar=1",
            "setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709",
            "tpad=stop=-1:stop_mode=clone",
        ])  # fmt: skip


def _most_common(clips: Sequence[ClipFacts], trait: Callable[[ClipFacts], Trait]) -> Trait:
    """The trait with the longest total duration; the first one in a tie."""
    seconds: dict[Trait, float] = {}
    for clip in clips:
        seconds[trait(clip)] = seconds.get(trait(clip), 0.0) + clip.duration
    return max(seconds, key=lambda each: seconds[each])


def _nearest_rate(rate: float) -> int:
    return min(RATES, key=lambda standard: abs(standard - rate))


def _even(side: float, least: int = 2) -> int:
    return max(least, 2 * round(side / 2))
