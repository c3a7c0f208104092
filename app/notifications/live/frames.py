"""Server-sent events on the wire: WHATWG HTML, section 9.2.

A frame is built once, as bytes; many streams can share it, and frames can be concatenated.
"""

import random
import re

HEADERS = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
)
COMMENT = b":\n\n"
# Milliseconds, picked at random so that clients that were cut off together return one by one.
RETRY_AFTER_BYE = 1_000, 8_000

_line_end = re.compile(r"\r\n|\r|\n")


def frame(
    data: str, *, event: str | None = None, id: int | None = None, retry: int | None = None
) -> bytes:
    """One message; `retry` in milliseconds.

    All fields go into one block because some clients ignore a `retry` on its own. `data` may
    have several lines but must not be empty, or browsers drop the message.
    """
    if event and _line_end.search(event):
        raise ValueError(f"An event name must be a single line, not {event!r}.")
    fields = {"event": event, "id": id, "retry": retry}
    lines = [f"{name}: {value}\n" for name, value in fields.items() if value is not None]
    return "".join(lines).encode() + b"data: " + data_lines(data) + b"\n\n"


def data_lines(data: str) -> bytes:
    """`data` as it appears in a frame; the result can be split and joined again."""
    return "\ndata: ".join(_line_end.split(data)).encode()


def bye_frame(retry: int | None = None) -> bytes:
    """The last frame of a stream: the client should reconnect after `retry` milliseconds."""
    return frame("{}", event="bye", retry=retry or random.randint(*RETRY_AFTER_BYE))  # noqa: S311
