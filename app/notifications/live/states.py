"""The states of a stream and all transitions between them, as data.

`EventStream` looks its transitions up here, so a path that is not listed cannot be taken.
"""

from enum import Enum


class State(Enum):
    """The value says what happens to a frame that is published in this state."""

    STALE = "dropped: an opening is due, which will contain it"
    OPENING = "held: the opening is being read or sent, and this frame follows it"
    BEHIND = "held: frames before it are still being sent"
    LIVE = "written at once"
    ENDING = "dropped: only the last frame is still to be sent"
    ENDED = "dropped: the last frame was written, or the connection is gone"


# As module constants they are read faster than as attributes, once per frame and stream.
STALE, OPENING, BEHIND, LIVE, ENDING, ENDED = State

TRANSITIONS: dict[State, dict[State, str]] = {
    STALE: {
        OPENING: "the stream starts to read its opening",
        ENDING: "the stream is ended while the reader is behind",
        ENDED: "the connection is gone",
    },
    OPENING: {
        STALE: "the opening was a part, or more was published meanwhile than is held",
        BEHIND: "the opening was sent",
        ENDING: "the stream is ended, or its opening failed",
        ENDED: "the connection is gone",
    },
    BEHIND: {
        LIVE: "everything held was sent",
        STALE: "more was published than is held, and the opening can replace it",
        ENDING: "more was published than is held, or the stream is ended",
        ENDED: "the connection is gone",
    },
    LIVE: {
        BEHIND: "a write has to wait for the reader",
        ENDED: "the last frame was written, or the connection is gone",
    },
    ENDING: {ENDED: "the last frame was written, or the connection is gone"},
    ENDED: {},
}
