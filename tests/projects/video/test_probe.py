from pathlib import Path

import pytest

from app.projects.video.ffmpeg import Unusable
from app.projects.video.probe import probe, sniff
from app.projects.video.sound import Sound
from tests import clips


@pytest.mark.parametrize("name", clips.GOOD)
async def test_every_common_kind_of_video_is_recognized(name: str) -> None:
    facts = await probe(clips.make(name), name)

    assert facts.duration == pytest.approx(1.0 if name == "long sound" else 0.6, abs=0.1)
    assert facts.width
    assert facts.height


@pytest.mark.parametrize(
    ("name", "container"),
    [
        *[("mp4", "mov"), ("mov", "mov"), ("webm", "matroska"), ("mkv", "matroska")],
        *[("avi", "avi"), ("ts", "mpegts"), ("mpg", "mpeg"), ("flv", "flv"), ("ogv", "ogg")],
        *[("wmv", "asf"), ("text", None), ("playlist", None), ("concat script", None)],
        *[("svg", None), ("empty", None), ("picture", None), ("photo of a phone", None)],
    ],
)
def test_the_first_bytes_determine_the_container(name: str, container: str | None) -> None:
    assert sniff(clips.make(name)) == container


@pytest.mark.parametrize("name", clips.BROKEN)
async def test_a_file_that_is_not_a_video_is_refused_by_name(name: str) -> None:
    with pytest.raises(Unusable, match=r"^'bob's holiday\.mp4' ") as refusal:
        await probe(clips.make(name), "bob's holiday.mp4")

    assert str(clips.make(name).parent) not in refusal.value.sentence


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("cut short", "is incomplete"),
        ("sound only", "no picture"),
        ("empty", "is empty"),
        ("text", "not a video"),
        ("claims hours", "claims to show one frame for 117 minutes"),
        ("huge picture", "picture of 'holiday.mp4' is too large: at most 8K"),
    ],
)
async def test_a_refusal_names_the_reason(name: str, words: str) -> None:
    with pytest.raises(Unusable, match=words):
        await probe(clips.make(name), "holiday.mp4")


@pytest.mark.parametrize(
    ("name", "seconds"),
    [("a fifth of a frame a second", 30), ("one frame", 0.04), ("one frame with sound", 90)],
)
async def test_a_length_that_frames_and_bytes_account_for_is_believed(
    name: str, seconds: float
) -> None:
    facts = await probe(clips.make(name), name)

    assert facts.duration == pytest.approx(seconds, abs=0.1)


async def test_the_frames_are_counted_not_decoded() -> None:
    facts = await probe(clips.make("two hours"), "two hours")

    assert facts.frames == 122
    assert facts.effort < 300 < facts.duration


async def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match=r"'holiday\.mp4' is missing"):
        await probe(tmp_path / "7f3a", "holiday.mp4")


async def test_width_and_height_are_those_after_rotation() -> None:
    facts = await probe(clips.make("turned"), "turned")

    assert (facts.width, facts.height) == (120, 160)


async def test_width_and_height_are_in_square_pixels() -> None:
    facts = await probe(clips.make("wide pixels"), "wide")

    assert (facts.width, facts.height) == (213, 120)


async def test_a_cover_picture_is_not_the_video() -> None:
    facts = await probe(clips.make("with a cover"), "with a cover")

    assert (facts.rate, facts.sounds) == (25, 1)


async def test_a_recording_without_a_duration_is_measured() -> None:
    facts = await probe(clips.make("recorded in a browser"), "recording")

    assert facts.duration == pytest.approx(0.6, abs=0.05)


async def test_a_title_cannot_pass_for_a_stream() -> None:
    facts = await probe(clips.make("titled like a stream"), "titled")

    assert (facts.width, facts.height) == (160, 120)


@pytest.mark.parametrize(("name", "sound"), [("mp4", Sound(0, "mono")), ("silent", None)])
async def test_sound_is_detected(name: str, sound: Sound | None) -> None:
    facts = await probe(clips.make(name), name)

    assert facts.sound == sound
