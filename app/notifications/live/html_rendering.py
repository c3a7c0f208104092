"""Pieces of HTML as bytes on the wire, each rendered once and split where personal parts stand.

What a rendering depends on is the key under which it is kept, so nothing kept is ever out of date.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Row

from app import clock
from app.language import in_language
from app.notifications.events.notices import Notice, as_notice
from app.notifications.live.frames import data_lines, frame
from app.rendering import render

# Stand for a notice's id and a position while a piece is rendered: no real one is ever so large.
ID = 2**53 - 1
POSITION = 2**53 - 2

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Facts:
    """What an event's notices have in common (a row of `all_events`), comparable as a whole."""

    row: Row[Any] = field(compare=False)
    key: str

    @classmethod
    def of(cls, row: Row[Any]) -> "Facts":
        return cls(row, repr(tuple(row)))


@dataclass(frozen=True, slots=True)
class Told:
    """An event as some people are told of it."""

    facts: Facts
    language: str
    timezone: str
    to_affected: bool
    is_read: bool = False


def showable(rows: Iterable[Row[Any]]) -> dict[int, Facts]:
    """The facts by event; one that cannot be shown is left out, and logged once."""
    facts = (Facts.of(row) for row in rows)
    return {each.row.event_id: each for each in facts if _can_be_shown(each)}


@lru_cache(4096)
def _can_be_shown(facts: Facts) -> bool:
    try:
        notice_of(Told(facts, "", "", to_affected=False))
    except Exception:
        # A newer version's type, or a row that is damaged.
        _log.exception("The event at %s cannot be shown.", facts.row.event_id)
        return False
    return True


def state(user: Any, rows: Iterable[Row[Any]], facts: dict[int, Facts]) -> bytes:
    """The whole bell and panel of a person (language, timezone, unread, position)."""
    before, after, end = _shell(user.language, user.unread)
    parts = [before, b"%d" % user.position, after]
    for row in rows:
        if event := facts.get(row.event_id):
            to_affected = event.row.affected_id == row.user_id
            told = Told(event, user.language, user.timezone, to_affected, bool(row.is_read))
            parts.append((b"%d" % row.id).join(_row(told)))
    return b"".join([*parts, end, _list_changed(user.position)])


def arrivals(people: Iterable[Sequence[Any]], facts: Facts) -> Iterator[tuple[int, bytes]]:
    """A notice that has just come, with the count, for each who was told (as `read_told`)."""
    affected, position = facts.row.affected_id, b"%d" % facts.row.event_id
    end = _list_changed(facts.row.event_id)
    counts: dict[tuple[str, int], bytes] = {}
    pieces: dict[tuple[str, str, bool], list[bytes]] = {}
    for user_id, id, language, timezone, unread in people:
        if (count := counts.get((language, unread))) is None:
            count = counts[language, unread] = position.join(_count(language, unread))
        reader = language, timezone, user_id == affected
        if (parts := pieces.get(reader)) is None:
            *first, last = _arrival(Told(facts, *reader))
            parts = pieces[reader] = [*first, last + end]
        yield user_id, count + (b"%d" % id).join(parts)


def _list_changed(position: int) -> bytes:
    """The end of all that is told; who comes back with this id has everything up to there."""
    return b"event: notifications-changed\nid: %d\ndata: \n\n" % position


@lru_cache(1024)
def _shell(language: str, unread: int) -> tuple[bytes, bytes, bytes]:
    """The bell and the list of the panel: up to the position, up to the rows, after the rows."""
    stand_in = Notice(ID, 0, "", "", "", None, clock.now(), False, False, [], "")
    with in_language(language):
        row = render("notifications/_notice.html", {"notice": stand_in, "user": None})
        bell = SimpleNamespace(unread=unread, position=POSITION, notices=[stand_in])
        whole = frame(render("notifications/_update.html", {"bell": bell, "user": None}))
    start, _row, end = whole.partition(data_lines(row))
    before, after = start.split(b"%d" % POSITION)
    return before, after, end


@lru_cache(4096)
def _row(told: Told) -> list[bytes]:
    with in_language(told.language):
        piece = render("notifications/_notice.html", {"notice": notice_of(told), "user": told})
    return data_lines(piece).split(b"%d" % ID)


@lru_cache(1024)
def _count(language: str, unread: int) -> tuple[bytes, bytes]:
    """The bell alone: up to the position, after it."""
    bell = SimpleNamespace(unread=unread, position=POSITION)
    with in_language(language):
        piece = frame(render("notifications/_count.html", {"bell": bell, "user": None}))
    before, after = piece.split(b"%d" % POSITION)
    return before, after


@lru_cache(1024)
def _arrival(told: Told) -> list[bytes]:
    with in_language(told.language):
        piece = render("notifications/_arrival.html", {"notice": notice_of(told), "user": told})
    return frame(piece).split(b"%d" % ID)


def notice_of(told: Told) -> Notice:
    """As one of those has it who were told, under an id that stands for theirs."""
    row = told.facts.row
    own = {
        "id": ID,
        "user_id": row.affected_id if told.to_affected else 0,
        "read_at": clock.now() if told.is_read else None,
    }
    return as_notice(SimpleNamespace(**row._mapping, **own))  # type: ignore[arg-type]
