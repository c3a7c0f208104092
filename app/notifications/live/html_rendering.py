"""Frames of HTML, rendered once and split where personal values go.

Each cache key holds everything that its rendering depends on, so no entry is ever out of date.
"""

from collections.abc import Iterator
from functools import lru_cache, partial
from types import SimpleNamespace
from typing import Any

from app import clock
from app.language import in_language
from app.notifications.events.notices import Notice
from app.notifications.inbox.bell import Bell
from app.notifications.live.frames import data_lines, frame
from app.notifications.live.placeholders import ID, POSITION
from app.notifications.live.queries import Rows
from app.notifications.live.variants import EVENTS_KEPT, EventRow, Variant, rendered
from app.rendering import render


class BellRenderer:
    """Renders bells whose notifications are of the same events; each row is looked up once for all
    users who see it alike.
    """

    def __init__(self, events: dict[int, EventRow]) -> None:
        self._events = events
        self._rows: dict[tuple[Any, ...], list[bytes]] = {}

    def frames(self, rows: Rows) -> bytes:
        """The whole bell and panel of one user, from their rows of `read_bells`. If the user wants
        groups, or urgent notices first, arranging the list would take too long here: their page
        gets only the count, and fetches the panel when it is opened.
        """
        _user_id, language, _timezone, unread, position, *_row = rows[0]
        if rows[0].is_arranged:
            return (b"%d" % position).join(_count(language, unread)) + _list_changed(
                position, "arranged"
            )
        before, after, end = _shell(language, unread)
        parts = [before, b"%d" % position, after]
        for user_id, language, timezone, _unread, _position, id, event_id, _key, is_read, _ in rows:
            if event := self._events.get(event_id):
                reader = language, timezone, event.row.affected_id == user_id, bool(is_read)
                parts.append((b"%d" % id).join(self._row(event, reader)))
        return b"".join([*parts, end, _list_changed(position)])

    def _row(self, event: EventRow, reader: tuple[str, str, bool, bool]) -> list[bytes]:
        key = event.row.event_id, *reader
        if (row := self._rows.get(key)) is None:
            variant = Variant(event, *reader)
            row = self._rows[key] = rendered(event, partial(_row, variant)) or []
        return row


def arrival_frames(recipients: Rows, event: EventRow) -> Iterator[tuple[int, bytes]]:
    """(user_id, frames): a new notification and the count, for rows of `read_recipients`; only the
    count for those for whom it cannot be rendered.
    """
    affected, position = event.row.affected_id, b"%d" % event.row.event_id
    end = _list_changed(event.row.event_id)
    counts: dict[tuple[str, int], bytes] = {}
    arrivals: dict[tuple[Any, ...], list[bytes]] = {}
    for user_id, id, language, timezone, unread, _is_shown, is_ungrouped in recipients:
        if (count := counts.get((language, unread))) is None:
            count = counts[language, unread] = position.join(_count(language, unread))
        reader = language, timezone, user_id == affected, False, bool(is_ungrouped)
        if (parts := arrivals.get(reader)) is None:
            variant = Variant(event, *reader)
            *first, last = rendered(event, partial(_arrival, variant)) or [b""]
            parts = arrivals[reader] = [*first, last + end]
        yield user_id, count + (b"%d" % id).join(parts)


def _list_changed(position: int, how: str = "") -> bytes:
    """Ends every update; a page that reconnects with this id has everything up to there."""
    return frame(how, event="notifications-changed", id=position)


@lru_cache(1024)
def _shell(language: str, unread: int) -> tuple[bytes, bytes, bytes]:
    """Bell and panel, split where the position and then the rows go."""
    placeholder = Notice(ID, 0, "", "", "", None, clock.now(), False, False, [], "")
    with in_language(language):
        row = render("notifications/_panel_row.html", {"notice": placeholder, "user": None})
        bell = Bell(unread, POSITION, [placeholder])
        whole = frame(render("notifications/_update.html", {"bell": bell, "user": None}))
    start, _row, end = whole.partition(data_lines(row))
    before, after = start.split(b"%d" % POSITION)
    return before, after, end


@lru_cache(EVENTS_KEPT)
def _row(variant: Variant) -> list[bytes]:
    with in_language(variant.language):
        context = {"notice": variant.notice(), "user": variant}
        row = render("notifications/_panel_row.html", context)
    return data_lines(row).split(b"%d" % ID)


@lru_cache(1024)
def _count(language: str, unread: int) -> tuple[bytes, bytes]:
    """The bell alone, split where its position goes: the part before, and the part after."""
    bell = SimpleNamespace(unread=unread, position=POSITION)
    with in_language(language):
        whole = frame(render("notifications/_count.html", {"bell": bell, "user": None}))
    before, after = whole.split(b"%d" % POSITION)
    return before, after


@lru_cache(EVENTS_KEPT)
def _arrival(variant: Variant) -> list[bytes]:
    with in_language(variant.language):
        context = {"notice": variant.notice(), "user": variant}
        return frame(render("notifications/_arrival.html", context)).split(b"%d" % ID)
