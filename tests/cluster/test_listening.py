"""What the rig knows of open streams and pages."""

from tests.cluster._listening import Audience, Frame, Listener, Page


def test_a_page_is_behind_until_it_shows_what_a_stream_of_its_team_got_last() -> None:
    listener, page = Listener(1, 1, "a token", []), Page(1, 2, "a cookie", [])
    audience = Audience([listener, page, Page(2, 3, "a cookie", [])])
    for number in (1, 2):
        listener.take(notice(number))
    page.take(Frame("", None, b"<li>act 0-1</li>"))
    assert audience.pages_behind == [page]

    page.take(Frame("", None, b"<li>act 0-2</li><li>act 0-1</li>"))

    assert audience.pages_behind == []


def notice(number: int) -> Frame:
    return Frame("notification", number, b'{"message": "act 0-%d", "context": {}}' % number)
