from app.projects.video.tracks import Track, Tracks


def read(*lines: str) -> list[Track]:
    tracks = Tracks()
    for line in ("#software: Lavf", "#tb 0: 1/10", "#media_type 0: video", *lines):
        tracks.feed(line)
    return tracks.close()


def test_the_end_is_that_of_the_frame_that_is_shown_last() -> None:
    [picture] = read(
        "0, -20,  0, 10, 900, 0x0",
        "0, -10, 30, 10, 100, 0x0, F=0x0",
        "0,   0, 10, 10, 100, 0x0, F=0x0",
        "0,  10, 20, 10, 100, 0x0, F=0x0",
    )

    assert (picture.kind, picture.packets, picture.size) == ("video", 4, 1_200)
    assert (picture.start, picture.end, picture.longest_gap) == (0.0, 4.0, 1.0)


def test_frames_before_an_edit_are_not_shown() -> None:
    [picture] = read("0, -30, -30, 10, 900, 0x0, F=0x5", "0, 0, 0, 10, 100, 0x0, F=0x0")

    assert (picture.packets, picture.start, picture.longest_gap) == (1, 0.0, 0.0)


def test_a_frame_without_a_time_is_shown_when_it_is_decoded() -> None:
    [picture] = read("0, 20, -9223372036854775808, 10, 900, 0x0")

    assert (picture.start, picture.end) == (2.0, 3.0)


def test_a_corrupt_last_packet_is_noticed() -> None:
    [whole] = read("0, 0, 0, 10, 900, 0x0, F=0x3", "0, 10, 10, 10, 900, 0x0")
    [corrupt] = read("0, 0, 0, 10, 900, 0x0", "0, 10, 10, 10, 900, 0x0, F=0x2")

    assert (whole.ends_corrupt, corrupt.ends_corrupt) == (False, True)


def test_the_last_frame_is_believed_to_be_shown_for_a_while_at_most() -> None:
    [picture] = read("0, 0, 0, 10, 900, 0x0", "0, 10, 10, 70000, 900, 0x0")

    assert picture.end == 7001.0
    assert picture.end_believing(60) == 61.0
