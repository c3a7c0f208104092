"""The inbox filter. To add a filter, add an entry to FIELDS.

The selects of the page, the query string, the JSON API with its document, the messages about wrong
values and the SQL all read these entries.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import ColumnElement, func, select, text

from app import clock
from app.errors import Invalid
from app.language import N_, _
from app.models import Event, Notification
from app.models.notification import SHOWN
from app.notifications.events.catalogue import SYNONYMS, TYPES

UTC = ZoneInfo("UTC")
DAYS_BACK = {"today": 0, "week": 7, "month": 30, "3months": 91}
BEYOND_ALL_POSITIONS = 2**62


@dataclass(frozen=True)
class FilterField:
    """One field of the filter.

    `clause` makes the condition on `Notification` from the chosen values and the user's time zone.
    `options` maps each value to its label; without options the page asks for the value in a text
    field, and `kind` is its type (msgspec). `open_label` is the option that leaves the field open.
    `synonyms` maps further accepted values to an option, or to "" if they leave the field open.
    """

    name: str
    label: str
    clause: Callable[[Sequence[Any], ZoneInfo], ColumnElement[bool]]
    wrong: str
    description: str
    open_label: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    synonyms: Mapping[str, str] = field(default_factory=dict)
    kind: Any = None
    may_repeat: bool = False

    @property
    def value_type(self) -> Any:
        """The type of one value, synonyms included, for msgspec and the API document."""
        return self.kind or Literal[(*self.options, *self.synonyms)]

    @property
    def choices(self) -> list[tuple[str, str]]:
        """The (value, label) pairs of a select, empty for a field without options."""
        options = [(value, _(label)) for value, label in self.options.items()]
        return [("", _(self.open_label)), *options] if options else []

    def parse(self, given: Any) -> Any:
        """The value that `given` stands for, "" for none. Raises msgspec.ValidationError."""
        value = self.synonyms.get(given, given)
        return "" if value == "" else msgspec.convert(value, self.value_type, strict=False)


@dataclass(frozen=True)
class Filter:
    """Which notifications are wanted.

    `chosen` maps the name of a field to its values, in the order of FIELDS; a field that is not
    in it is open. `zone` decides when a day begins.
    """

    chosen: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    zone: ZoneInfo = UTC

    @property
    def is_open(self) -> bool:
        """Whether every field is open, so that the whole inbox matches."""
        return not self.chosen

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The (name, value) pairs for a query string or a form."""
        return [(name, str(value)) for name, values in self.chosen.items() for value in values]

    @property
    def query(self) -> str:
        return urlencode(self.pairs)

    def value_of(self, name: str) -> str:
        """The value that a single form control can show; "" if there are none or several."""
        values = self.chosen.get(name, ())
        return str(values[0]) if len(values) == 1 else ""

    def clauses(self) -> list[ColumnElement[bool]]:
        # Written as in the partial indexes: SQLite uses an index only if the terms are the same.
        shown: list[ColumnElement[bool]] = [text(SHOWN)]  # type: ignore[list-item]
        chosen = [one for one in FIELDS if one.name in self.chosen]
        return shown + [one.clause(self.chosen[one.name], self.zone) for one in chosen]


def parse_filter(given: Mapping[str, Iterable[Any]], zone: ZoneInfo) -> Filter:
    """The filter for these values of each field. Raises Invalid naming every wrong field."""
    chosen, wrong = {}, {}
    for one in FIELDS:
        try:
            values = [one.parse(value) for value in given.get(one.name, ())]
        except msgspec.ValidationError:
            wrong[one.name] = _(one.wrong)
        else:
            chosen[one.name] = tuple(value for value in values if value != "")
    if wrong:
        raise Invalid(wrong)
    return Filter({name: values for name, values in chosen.items() if values}, zone)


def read_filter(fields: Mapping[str, str], zone: ZoneInfo) -> Filter:
    """The filter in a query string or a form, where each field has one value. Raises Invalid."""
    return parse_filter({one.name: [fields.get(one.name, "").strip()] for one in FIELDS}, zone)


def _of_type(types: Sequence[str], _zone: ZoneInfo) -> ColumnElement[bool]:
    return Notification.type.in_(types)


def _with_status(statuses: Sequence[str], _zone: ZoneInfo) -> ColumnElement[bool]:
    [status] = statuses
    is_unread = Notification.read_at.is_(None)
    return is_unread if status == "unread" else ~is_unread


def _since(ranges: Sequence[str], zone: ZoneInfo) -> ColumnElement[bool]:
    """From midnight in the user's zone.

    Events are numbered in the order of time, so a date becomes a range of positions, which is
    also a range of the index that orders the feed.
    """
    [days] = [DAYS_BACK[one] for one in ranges]
    today = clock.now().astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    since = today - timedelta(days=days)
    first = select(Event.id).where(Event.created_at >= since).order_by(Event.created_at).limit(1)
    return Notification.event_id >= func.coalesce(first.scalar_subquery(), BEYOND_ALL_POSITIONS)


FIELDS: tuple[FilterField, ...] = (
    FilterField(
        "type",
        label=N_("Type"),
        open_label=N_("All types"),
        options={name: kind.label for name, kind in TYPES.items()},
        synonyms=SYNONYMS,
        may_repeat=True,
        clause=_of_type,
        wrong=N_("Unknown notification type."),
        description="Only notifications of this type.",
    ),
    FilterField(
        "status",
        label=N_("Status"),
        open_label=N_("All"),
        options={"unread": N_("Unread"), "read": N_("Read")},
        synonyms={"all": ""},
        clause=_with_status,
        wrong=N_("The status must be unread, read or all."),
        description="Only unread or only read notifications.",
    ),
    FilterField(
        "date_range",
        label=N_("Date"),
        open_label=N_("All time"),
        options={
            "today": N_("Today"),
            "week": N_("This week"),
            "month": N_("This month"),
            "3months": N_("Last 3 months"),
        },
        synonyms={"all": ""},
        clause=_since,
        wrong=N_("The date range must be today, week, month, 3months or all."),
        description="Only recent notifications. Days begin at midnight in your time zone.",
    ),
)
