import pytest

from app.projects.video.colours import Colours

SDR = Colours().filters


@pytest.mark.parametrize(
    ("described", "colours"),
    [
        ("yuv420p10le(tv, bt2020nc/bt2020/arib-std-b67, progressive)", ("bt2020nc", "bt2020", "arib-std-b67")),
        ("yuv420p(tv, bt709, progressive)", ("bt709", "bt709", "bt709")),
        ("yuvj420p(pc, bt470bg/unknown/unknown)", ("bt470bg", "unknown", "unknown")),
        ("yuv420p(progressive)", ("unknown", "unknown", "unknown")),
    ],
)  # fmt: skip
def test_colours_are_read_from_what_ffmpeg_says(
    described: str, colours: tuple[str, str, str]
) -> None:
    video = f"hevc (Main 10) (hev1 / 0x31766568), {described}, 640x360 [SAR 1:1 DAR 16:9]"

    assert Colours.of(video) == Colours(*colours)


@pytest.mark.parametrize("transfer", ["arib-std-b67", "smpte2084"])
def test_hdr_is_tone_mapped_whatever_else_is_named(transfer: str) -> None:
    named, unnamed = Colours("bt2020nc", "bt2020", transfer), Colours("ipt-c2", "unknown", transfer)

    assert named.filters == unnamed.filters != SDR


def test_other_colours_are_converted_where_they_are_wide() -> None:
    assert Colours("smpte170m", "smpte170m", "smpte170m").filters == SDR
    assert Colours("bt2020nc", "bt2020", "bt2020-10").filters != SDR
    assert Colours("unknown", "smpte432", "unknown").filters != SDR
