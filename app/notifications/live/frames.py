"""Server-sent events on the wire: WHATWG HTML, section 9.2.

Frames are built once as bytes and may be shared by any number of streams, or joined.
"""

import random
import re

HEADERS = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
)
COMMENT = b":\n\n"

_line_end = re.compile(r"\r\n|\r|\n")


def frame(
    data: str, *, event: str | None = None, id: int | None = None, retry: int | None = None
) -> bytes:
    """One message; `retry` in milliseconds.

    All fields stand in one block, because some readers ignore a lone `retry`. Data may
    have several lines; it must not be empty, or browsers drop the message.
    """
    if event and _line_end.search(event):
        raise ValueError(f"The name of an event is one line, not {event!r}.")
    fields = {"event": event, "id": id, "retry": retry}
    lines = [f"{name}: {value}\n" for name, value in fields.items() if value is not None]
    return "".join(lines).encode() + b"data: " + data_lines(data) + b"\n\n"


def data_lines(data: str) -> bytes:
    """`data` as it stands in a frame; parts of it may be joined again."""
    return "\ndata: ".join(_line_end.split(data)).encode()


def farewell(retry: int | None = None) -> bytes:
    """The last frame of a stream: come back after `retry` milliseconds.

    Left open, it is 1 to 8 seconds at random, so that a crowd does not return as one.
    """
    return frame("{}", event="bye", retry=retry or random.randint(1000, 8000))  # noqa: S311
