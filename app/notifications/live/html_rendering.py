"""Frames of HTML, rendered once and split where personal values go.

Each cache key holds everything that its rendering depends on, so no entry is ever out of date.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Row

from app import clock
from app.language import in_language
from app.notifications.events.notices import Notice
from app.notifications.live.frames import data_lines, frame
from app.notifications.live.variants import ID, Facts, Variant
from app.rendering import render

# Takes the place of a position in a rendering; no real position is ever so large.
POSITION = 2**53 - 2


def bell_frames(user: Any, rows: Iterable[Row[Any]], facts: dict[int, Facts]) -> bytes:
    """The whole bell and panel of a user (language, timezone, unread, position)."""
    before, after, end = _shell(user.language, user.unread)
    parts = [before, b"%d" % user.position, after]
    for row in rows:
        if event := facts.get(row.event_id):
            to_affected = event.row.affected_id == row.user_id
            variant = Variant(event, user.language, user.timezone, to_affected, bool(row.is_read))
            parts.append((b"%d" % row.id).join(_row(variant)))
    return b"".join([*parts, end, _list_changed(user.position)])


def arrival_frames(
    recipients: Iterable[Sequence[Any]], facts: Facts
) -> Iterator[tuple[int, bytes]]:
    """(user_id, frames): a new notification and the count, for rows of `read_recipients`."""
    affected, position = facts.row.affected_id, b"%d" % facts.row.event_id
    end = _list_changed(facts.row.event_id)
    counts: dict[tuple[str, int], bytes] = {}
    arrivals: dict[tuple[str, str, bool], list[bytes]] = {}
    for user_id, id, language, timezone, unread in recipients:
        if (count := counts.get((language, unread))) is None:
            count = counts[language, unread] = position.join(_count(language, unread))
        reader = language, timezone, user_id == affected
        if (parts := arrivals.get(reader)) is None:
            *first, last = _arrival(Variant(facts, *reader))
            parts = arrivals[reader] = [*first, last + end]
        yield user_id, count + (b"%d" % id).join(parts)


def _list_changed(position: int) -> bytes:
    """Ends every update; a page that reconnects with this id has everything up to there."""
    return b"event: notifications-changed\nid: %d\ndata: \n\n" % position


@lru_cache(1024)
def _shell(language: str, unread: int) -> tuple[bytes, bytes, bytes]:
    """Bell and panel, split where the position and then the rows go."""
    placeholder = Notice(ID, 0, "", "", "", None, clock.now(), False, False, [], "")
    with in_language(language):
        row = render("notifications/_notice.html", {"notice": placeholder, "user": None})
        bell = SimpleNamespace(unread=unread, position=POSITION, notices=[placeholder])
        whole = frame(render("notifications/_update.html", {"bell": bell, "user": None}))
    start, _row, end = whole.partition(data_lines(row))
    before, after = start.split(b"%d" % POSITION)
    return before, after, end


@lru_cache(4096)
def _row(variant: Variant) -> list[bytes]:
    with in_language(variant.language):
        context = {"notice": variant.notice(), "user": variant}
        row = render("notifications/_notice.html", context)
    return data_lines(row).split(b"%d" % ID)


@lru_cache(1024)
def _count(language: str, unread: int) -> tuple[bytes, bytes]:
    """The bell alone, split where its position goes: the part before, and the part after."""
    bell = SimpleNamespace(unread=unread, position=POSITION)
    with in_language(language):
        whole = frame(render("notifications/_count.html", {"bell": bell, "user": None}))
    before, after = whole.split(b"%d" % POSITION)
    return before, after


@lru_cache(1024)
def _arrival(variant: Variant) -> list[bytes]:
    with in_language(variant.language):
        context = {"notice": variant.notice(), "user": variant}
        return frame(render("notifications/_arrival.html", context)).split(b"%d" % ID)
