"""Renders the parts that the notifications of one event share, once for all users."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Row

from app import clock
from app.notifications.events.notices import Notice, as_notice

# Takes the place of a notification's id in a rendering; no real id is ever so large.
ID = 2**53 - 1

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Facts:
    """A row of `all_events` that can be hashed and compared, as a cache key."""

    row: Row[Any] = field(compare=False)
    key: str

    @classmethod
    def of(cls, row: Row[Any]) -> "Facts":
        return cls(row, repr(tuple(row)))

    def notice(self, id: int, user_id: int, read_at: datetime | None) -> Notice:
        own = {"id": id, "user_id": user_id, "read_at": read_at}
        return as_notice(SimpleNamespace(**self.row._mapping, **own))  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Variant:
    """An event as it looks to all readers who share these attributes."""

    facts: Facts
    language: str
    timezone: str
    to_affected: bool
    is_read: bool = False

    def notice(self) -> Notice:
        """The notice of one of these readers, with `ID` in place of its id."""
        user_id = self.facts.row.affected_id if self.to_affected else 0
        return self.facts.notice(ID, user_id, clock.now() if self.is_read else None)


def renderable(rows: Iterable[Row[Any]]) -> dict[int, Facts]:
    """The facts by event id, without the events that cannot be rendered."""
    facts = (Facts.of(row) for row in rows)
    return {each.row.event_id: each for each in facts if _is_renderable(each)}


@lru_cache(4096)
def _is_renderable(facts: Facts) -> bool:
    """Cached, so that each event is logged once."""
    try:
        Variant(facts, "", "", to_affected=False).notice()
    except Exception:
        # A newer version's event type, or a damaged row.
        _log.exception("The event at %s cannot be rendered.", facts.row.event_id)
        return False
    return True
