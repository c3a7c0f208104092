"""Query parameters in, WHERE clause out. Add a filter here.

A date becomes a position: events are numbered as time goes on, so a range of days is a range of
the index that orders the feed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, select, text

from app import clock
from app.errors import Invalid
from app.language import _
from app.models import Event, Notification
from app.models.notification import SHOWN, UNREAD
from app.notifications.events.catalogue import SYNONYMS, TYPES

STATUSES = ("unread", "read")
DATE_RANGES = {"today": 0, "week": 7, "month": 30, "3months": 91}
UTC = ZoneInfo("UTC")
FIELDS = ("type", "status", "date_range")


@dataclass(frozen=True)
class Filters:
    """Which notices are wanted: what is empty leaves a filter open. `zone` says when a day begins."""

    types: tuple[str, ...] = ()
    status: str = ""
    date_range: str = ""
    zone: ZoneInfo = UTC

    @property
    def type(self) -> str:
        """The one type that a select can show; "" where there are none or several."""
        return self.types[0] if len(self.types) == 1 else ""

    @property
    def query(self) -> str:
        """The filters as a query string, without those left open."""
        chosen = {"type": self.types, "status": self.status, "date_range": self.date_range}
        return urlencode({name: value for name, value in chosen.items() if value}, doseq=True)

    @property
    def is_everything(self) -> bool:
        return not (self.types or self.status or self.date_range)

    def clauses(self) -> list[ColumnElement[bool]]:
        """Conditions on `Notification`, the first written as the partial indexes have it."""
        wanted: list[ColumnElement[bool]] = [text(UNREAD if self.status == "unread" else SHOWN)]  # type: ignore[list-item]
        if self.types:
            wanted.append(Notification.type.in_(self.types))
        if self.status == "read":
            wanted.append(Notification.read_at.is_not(None))
        if self.date_range:
            wanted.append(Notification.event_id >= _first_position(self._since()))
        return wanted

    def _since(self) -> datetime:
        today = clock.now().astimezone(self.zone).replace(hour=0, minute=0, second=0, microsecond=0)
        return today - timedelta(days=DATE_RANGES[self.date_range])


def read_filters(query: Mapping[str, str], zone: ZoneInfo) -> Filters:
    """The filters in a query string; raises Invalid naming each that makes no sense."""
    given = {name: query.get(name, "").strip() for name in FIELDS}
    kind = SYNONYMS.get(given["type"], given["type"])
    status = "" if given["status"] == "all" else given["status"]
    dates = "" if given["date_range"] == "all" else given["date_range"]
    wrong = {}
    if kind and kind not in TYPES:
        wrong["type"] = _("There is no such type of notification.")
    if status and status not in STATUSES:
        wrong["status"] = _("Status is unread, read, or left open.")
    if dates and dates not in DATE_RANGES:
        wrong["date_range"] = _("The date range is today, week, month, 3months or all.")
    if wrong:
        raise Invalid(wrong)
    return Filters((kind,) if kind else (), status, dates, zone)


def choices() -> dict[str, list[tuple[str, str]]]:
    """What the three selects offer: (value, label)."""
    return {
        "type": [("", _("All types")), *((name, _(kind.label)) for name, kind in TYPES.items())],
        "status": [("", _("All")), ("unread", _("Unread")), ("read", _("Read"))],
        "date_range": [
            ("", _("All time")),
            ("today", _("Today")),
            ("week", _("This week")),
            ("month", _("This month")),
            ("3months", _("Last 3 months")),
        ],
    }


def _first_position(since: datetime) -> ColumnElement[int]:
    """The position of the first event since then; beyond all of them if there was none."""
    first = select(Event.id).where(Event.created_at >= since).order_by(Event.created_at).limit(1)
    return func.coalesce(first.scalar_subquery(), 2**62)
