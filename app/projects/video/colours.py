"""From the colours of a clip to those of every screen: BT.709, 8 bit, limited range.

Phones record HDR (HLG or PQ, ITU-R BT.2100) in the wide gamut of BT.2020. Such values have to be
converted, HDR by a tone curve; under the label of BT.709 they are pale and off in hue.
"""

import re
from dataclasses import dataclass

HDR = {"arib-std-b67", "smpte2084"}
# BT.2020 and the two forms of P3. Those of BT.601 are so close to BT.709 that players do not
# tell them apart.
WIDE = {"bt2020", "smpte431", "smpte432"}
# What zscale can read; its input must be known completely.
MATRICES = {"bt709", "bt2020nc", "bt2020c", "smpte170m", "bt470bg", "gbr"}
TRANSFERS = HDR | {"bt709", "bt2020-10", "bt2020-12", "smpte170m", "iec61966-2-1", "linear"}
TO_BT709 = "zscale=p=bt709:t=bt709:m=bt709:r=tv"
# The curve and its parameters are the ones that most guides to ffmpeg give. The metadata of HDR must
# not stay with frames that are not HDR.
TONE_MAPPED = (
    "zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,tonemap=tonemap=hable:desat=0,"
    "sidedata=mode=delete,zscale=t=bt709:m=bt709:r=tv"
)


@dataclass(frozen=True)
class Colours:
    """The names that ffmpeg gives to matrix, primaries and transfer function."""

    matrix: str = "unknown"
    primaries: str = "unknown"
    transfer: str = "unknown"

    @classmethod
    def of(cls, video: str) -> "Colours":
        """Reads ffmpeg's description, such as `yuv420p10le(tv, bt2020nc/bt2020/arib-std-b67)`.
        One name stands for all three.
        """
        found = re.search(r", \w+\(([^)]*)\), \d+x\d+", video)
        for word in found[1].split(", ") if found else ():
            names = word.split("/")
            if len(names) == 3:
                return cls(*names)
            if word in MATRICES | TRANSFERS:
                return cls(word, word, word)
        return cls()

    @property
    def filters(self) -> list[str]:
        """The ffmpeg filters, after which the frames are BT.709 in limited range."""
        if self.transfer in HDR:
            return [self._completed("bt2020nc", "bt2020"), TONE_MAPPED]
        if self.primaries in WIDE:
            matrix = "bt2020nc" if self.primaries == "bt2020" else "bt709"
            return [self._completed(matrix, self.primaries), TO_BT709]
        return ["scale=out_color_matrix=bt709:out_range=tv"]

    def _completed(self, matrix: str, primaries: str) -> str:
        """Sets what the clip does not say."""
        known_matrix = self.matrix if self.matrix in MATRICES else matrix
        known_transfer = self.transfer if self.transfer in TRANSFERS else "bt709"
        return (
            f"setparams=colorspace={known_matrix}:color_trc={known_transfer}:color_primaries="
            + (primaries if self.primaries == "unknown" else self.primaries)
        )
