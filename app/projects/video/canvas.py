"""The picture all clips of a compilation share, and how each clip is fitted onto it."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from app.projects.video.probe import ClipFacts

LONG_SIDE, SHORT_SIDE, LEAST_SIDE = 1920, 1080, 16
SAMPLES = 48_000
# Each divides SAMPLES: a frame of picture lasts a whole number of samples, so nothing is rounded.
RATES = (24, 25, 30, 50, 60)

Trait = TypeVar("Trait", bound=Hashable)


@dataclass(frozen=True)
class Canvas:
    """`width` and `height` in pixels, both even as H.264 wants them; `rate` in frames a second."""

    width: int
    height: int
    rate: int

    @classmethod
    def suiting(cls, clips: Sequence[ClipFacts]) -> "Canvas":
        """The shape, and the rate, that most seconds of the clips have; at most 1920 by 1080."""
        width, height = _commonest(clips, lambda clip: (clip.width, clip.height))
        rate = _commonest(clips, lambda clip: _usual(clip.rate))
        box = (LONG_SIDE, SHORT_SIDE) if width >= height else (SHORT_SIDE, LONG_SIDE)
        scale = min(1.0, box[0] / width, box[1] / height)
        return cls(_even(width * scale, LEAST_SIDE), _even(height * scale, LEAST_SIDE), rate)

    def frames(self, seconds: float) -> int:
        return max(1, round(seconds * self.rate))

    def fitting(self, clip: ClipFacts) -> str:
        """ffmpeg's filters: this clip whole, in the middle, on black, its last frame held for ever.

        Colours are brought to BT.709 too, so that every piece has the very same stream header.
        """
        scale = min(self.width / clip.width, self.height / clip.height)
        width, height = _even(clip.width * scale), _even(clip.height * scale)
        return ",".join([
            "bwdif=deint=interlaced",
            f"fps={self.rate}:start_time=0",
            f"scale={width}:{height}:out_color_matrix=bt709:out_range=tv",
            "format=yuv420p",
            f"pad={self.width}:{self.height}:-1:-1",
            "setsar=1",
            "setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709",
            "tpad=stop=-1:stop_mode=clone",
        ])  # fmt: skip


def _commonest(clips: Sequence[ClipFacts], trait: Callable[[ClipFacts], Trait]) -> Trait:
    """The trait that lasts longest in all; the first of several that last equally long."""
    lasting: dict[Trait, float] = {}
    for clip in clips:
        lasting[trait(clip)] = lasting.get(trait(clip), 0.0) + clip.duration
    return max(lasting, key=lambda each: lasting[each])


def _usual(rate: float) -> int:
    return min(RATES, key=lambda usual: abs(usual - rate))


def _even(side: float, least: int = 2) -> int:
    return max(least, 2 * round(side / 2))
