"""Renders the parts that the notifications of one event share, once for all users."""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, TypeVar

from sqlalchemy import Row

from app import clock
from app.models.notification import IN_INBOX
from app.notifications.events.catalogue import TYPES
from app.notifications.events.grouping import APART, group_key_of
from app.notifications.events.notices import OWN, Notice, notice_of
from app.notifications.live.placeholders import ID

# Some 4 KB each.
EVENTS_KEPT = 1_000

Rendered = TypeVar("Rendered")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EventRow:
    """A row of `all_events` that can be hashed and compared, as a cache key.

    The row is copied, because a row of SQLAlchemy keeps 6 KB of metadata about its result alive.
    """

    row: SimpleNamespace = field(compare=False)
    key: str

    @classmethod
    def of(cls, row: Row[Any]) -> "EventRow":
        return cls(SimpleNamespace(**row._mapping), repr(tuple(row)))

    def notice(self, user_id: int, own: Mapping[str, Any]) -> Notice:
        """The notice of this user. `own` has the columns OWN of the user's row."""
        own = {**own, "user_id": user_id}
        return notice_of(SimpleNamespace(**(vars(self.row) | own)))


@dataclass(frozen=True, slots=True)
class Variant:
    """An event as it looks to all readers who share these attributes."""

    event: EventRow
    language: str
    timezone: str
    to_affected: bool
    is_read: bool = False
    is_ungrouped: bool = False

    def notice(self) -> Notice:
        """The notice of one of these readers, with `ID` in place of its id."""
        user_id = self.event.row.affected_id if self.to_affected else 0
        return self.event.notice(user_id, self._as_it_arrived())

    def _as_it_arrived(self) -> dict[str, Any]:
        """The columns OWN of a notification that nothing has happened to except, perhaps, reading
        it.
        """
        row = self.event.row
        arrived = dict.fromkeys(one.key for one in OWN)
        key = group_key_of(row.event_id, row, TYPES[row.type])
        return arrived | {
            "id": ID,
            "position": row.event_id,
            "folder": IN_INBOX,
            "is_saved": False,
            "read_at": clock.now() if self.is_read else None,
            "group_key": f"{row.type}:{APART}:{ID}" if self.is_ungrouped else key,
        }


def renderable(rows: Iterable[Row[Any]]) -> dict[int, EventRow]:
    """The rows by event id, without the events that cannot be rendered."""
    events = (EventRow.of(row) for row in rows)
    return {each.row.event_id: each for each in events if _is_renderable(each)}


@lru_cache(EVENTS_KEPT)
def _is_renderable(event: EventRow) -> bool:
    """Cached, so that each event is logged once."""
    variant = Variant(event, "", "", to_affected=False)
    return rendered(event, variant.notice) is not None


def rendered(event: EventRow, render: Callable[[], Rendered]) -> Rendered | None:
    """The result of `render`; None if it raises, which is logged. Retrying would not help: the row is
    damaged, or its type belongs to a newer version.
    """
    try:
        return render()
    except Exception:
        _log.exception("The event at %s cannot be rendered.", event.row.event_id)
        return None
