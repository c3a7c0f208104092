import pytest

from app.notifications.live.frames import bye_frame, frame


def test_a_frame_has_all_its_fields_in_one_block() -> None:
    assert (
        frame("news", event="hello", id=7, retry=3000)
        == b"event: hello\nid: 7\nretry: 3000\ndata: news\n\n"
    )


@pytest.mark.parametrize("line_end", ["\n", "\r", "\r\n"])
def test_every_line_of_the_data_is_data(line_end: str) -> None:
    assert frame(f"<p>{line_end}event: forged") == b"data: <p>\ndata: event: forged\n\n"


def test_other_separators_of_unicode_stay_within_the_line() -> None:
    assert frame("one\u2028two\x0bthree") == "data: one\u2028two\x0bthree\n\n".encode()


@pytest.mark.parametrize("event", ["read\ndata: forged", "read\rdata: forged"])
def test_the_name_of_an_event_has_no_second_line(event: str) -> None:
    with pytest.raises(ValueError, match="single line"):
        frame("news", event=event)


def test_position_zero_is_an_id() -> None:
    assert frame("news", id=0) == b"id: 0\ndata: news\n\n"


def test_bye_frames_spread_the_return_over_1_to_8_seconds() -> None:
    waits = {int(bye_frame().split(b"retry: ")[1].split()[0]) for _ in range(200)}

    assert min(waits) >= 1000
    assert max(waits) <= 8000
    assert len(waits) > 50
