from app.projects.video.canvas import Canvas
from app.projects.video.colours import Colours
from app.projects.video.probe import ClipFacts


def clip(width: int, height: int, *, seconds: float = 1.0, rate: float = 30.0) -> ClipFacts:
    frames = round(seconds * rate)
    return ClipFacts(
        "mov", seconds, width, height, rate, None, 0, Colours(), frames=frames, size=9_999
    )


def test_the_size_with_the_longest_total_duration_wins() -> None:
    wide, tall = clip(640, 360, seconds=3), clip(360, 640, seconds=2)

    assert Canvas.for_clips([tall, wide]) == Canvas(640, 360, 30)
    assert Canvas.for_clips([tall, wide, tall]) == Canvas(360, 640, 30)


def test_in_a_tie_the_first_size_wins() -> None:
    assert Canvas.for_clips([clip(360, 640), clip(640, 360)]) == Canvas(360, 640, 30)


def test_no_canvas_is_larger_than_full_hd() -> None:
    assert Canvas.for_clips([clip(3840, 2160)]) == Canvas(1920, 1080, 30)
    assert Canvas.for_clips([clip(2160, 3840)]) == Canvas(1080, 1920, 30)
    assert Canvas.for_clips([clip(4096, 3072)]) == Canvas(1440, 1080, 30)


def test_an_odd_size_becomes_even() -> None:
    canvas = Canvas.for_clips([clip(161, 121)])

    assert (canvas.width % 2, canvas.height % 2) == (0, 0)


def test_the_rate_is_the_nearest_standard_rate() -> None:
    rates = [Canvas.for_clips([clip(640, 360, rate=rate)]).rate for rate in (15, 23.98, 29.97, 144)]

    assert rates == [24, 24, 30, 60]


def test_a_clip_lasts_at_least_one_frame() -> None:
    assert Canvas(640, 360, 30).frames(0.001) == 1
    assert Canvas(640, 360, 30).frames(2.0) == 60
