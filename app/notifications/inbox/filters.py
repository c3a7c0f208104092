"""The inbox filter. To add a filter, add an entry to FIELDS.

The controls and the chips of the page, the query string, the JSON API with its document, the messages
about wrong values and the SQL all read these entries.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Annotated, Any, Literal
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import ColumnElement, and_, exists, func, or_, select, true

from app import clock
from app.database.id_lists import these
from app.errors import Invalid
from app.http import values_of
from app.language import N_, _
from app.models import Event, Notification
from app.notifications.events.catalogue import SYNONYMS, TYPES
from app.notifications.events.event_type import HIGH, LOW, NORMAL
from app.notifications.events.grouping import in_groups
from app.notifications.inbox.views import INBOX_VIEW, TABS, VIEWS, View
from app.notifications.search.index import events_found
from app.notifications.search.query import (
    AFTER,
    BEFORE,
    IS,
    TYPE,
    Query,
    Term,
    parse_query,
    split_query,
)
from app.values.numbers import GREATEST_ID

UTC = ZoneInfo("UTC")
DAYS_BACK = {"today": 0, "week": 7, "month": 30, "3months": 91}
BEYOND_ALL_POSITIONS = 2**62
GROUP_KEY = "group_key"
MOST_KEY = 200
SEARCH = "q"
LONGEST_SEARCH = 300
# In one field. Each value costs a variable in every count of every saved view.
MOST_VALUES = 50
UNREAD_ONLY = {"status": ("unread",)}
# Where a page has the control of a field: on the line above the list, among "More filters", or nowhere.
ON_LINE, AMONG_MORE, NOWHERE = "line", "more", ""


@dataclass(frozen=True)
class FilterField:
    """One field of the filter.

    `clause` makes the condition on `Notification` from the chosen values and the user's time zone.
    `options` maps each value to its label; without options `kind` is the type of a value (msgspec), and
    the page asks for the value by name (app/notifications/inbox/filter_names.py) or in a text field.
    `open_label` is the option that leaves the field open.
    `synonyms` maps further accepted values to an option, or to "" if they leave the field open.
    `chip` says what a `{value}` narrows the list to. `section` is where the page has the control.
    Without a `clause` the filter treats the field itself.
    """

    name: str
    label: str
    clause: Callable[[Sequence[Any], ZoneInfo], ColumnElement[bool]] | None
    wrong: str
    description: str
    open_label: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    synonyms: Mapping[str, str] = field(default_factory=dict)
    kind: Any = None
    may_repeat: bool = False
    chip: str = "{value}"
    section: str = ON_LINE

    @property
    def value_type(self) -> Any:
        """The type of one value, synonyms included, for msgspec and the API document."""
        return self.kind or Literal[(*self.options, *self.synonyms)]

    def parse(self, given: Any) -> Any:
        """The value that `given` stands for, "" for none. Raises msgspec.ValidationError."""
        value = self.synonyms.get(given, given)
        return "" if value == "" else msgspec.convert(value, self.value_type, strict=False)


FilterKey = tuple[tuple[str, tuple[Any, ...]], ...]


@dataclass(frozen=True)
class Filter:
    """Which notifications are wanted.

    `chosen` maps the name of a field to its values, in the order of FIELDS; a field that is not
    in it is open. `zone` decides when a day begins, and a search finds what `user_id` reads.
    Nothing after `up_to_position` is wanted, so that what arrives meanwhile moves nothing from one
    page to the next. `found` are the ids of the notifications that match, in their order, where a
    search has been carried out (app/notifications/inbox/searching.py).
    """

    chosen: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    zone: ZoneInfo = UTC
    up_to_position: int | None = None
    user_id: int = 0
    found: tuple[int, ...] | None = None

    @property
    def is_open(self) -> bool:
        """Whether everything is wanted, so that the whole inbox matches."""
        return not self.chosen and self.up_to_position is None

    @property
    def is_indexed(self) -> bool:
        """Whether an index has what matches, in its order."""
        is_view = self.chosen.keys() == {"view"} and self.view.name in TABS
        return not self.chosen or self.chosen == UNREAD_ONLY or is_view

    @property
    def key(self) -> FilterKey:
        """What was chosen, to remember something by: the same however often and in whatever order the
        values were given.
        """
        return tuple((name, tuple(sorted(set(values)))) for name, values in self.chosen.items())

    @property
    def view(self) -> View:
        """The chosen one, else the one that the search asks for."""
        [name] = self.chosen.get("view", (self.search.view or INBOX_VIEW,))
        return VIEWS[name]

    @property
    def search(self) -> Query:
        return parse_query(self.value_of(SEARCH))

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The (name, value) pairs of its fields for a query string or a form."""
        return [(name, str(value)) for name, values in self.chosen.items() for value in values]

    @property
    def query(self) -> str:
        return urlencode(self.pairs)

    def value_of(self, name: str) -> str:
        """The value of a form control, several of them with commas between; "" if there are none."""
        return ",".join(map(str, self.chosen.get(name, ())))

    def without(self, name: str, value: Any) -> "Filter":
        """The same, but for one value of a field."""
        return self.with_values(name, tuple(one for one in self.chosen[name] if one != value))

    def with_values(self, name: str, values: tuple[Any, ...]) -> "Filter":
        """The same, but for the values of a field; none leave it open."""
        chosen = {**self.chosen, name: values}
        return replace(self, chosen={key: values for key, values in chosen.items() if values})

    def without_words(self) -> "Filter":
        """The same, but for the words of its search, which the index answers."""
        terms = split_query(self.value_of(SEARCH)).items()
        facts = " ".join(text for term, text in terms if not term.phrase.words)
        return self.with_values(SEARCH, (facts,) if facts else ())

    def clauses(self) -> list[ColumnElement[bool]]:
        if self.found is not None:
            return [Notification.id.in_(these(self.found))]
        wanted: list[ColumnElement[bool]] = [self.view.clause]  # type: ignore[list-item]
        if self.up_to_position is not None:
            wanted.append(Notification.position <= self.up_to_position)
        for one in FIELDS:
            if one.clause and one.name in self.chosen:
                wanted.append(one.clause(self.chosen[one.name], self.zone))
        wanted += [_fact(term, self.zone) for term in self.search.facts]
        if self.search.texts:
            found = events_found(self.search, self.user_id)
            wanted.append(Notification.event_id.in_(found))
        return wanted


def parse_filter(given: Mapping[str, Iterable[Any]], zone: ZoneInfo, user_id: int = 0) -> Filter:
    """The filter for these values of each field. Raises Invalid naming every wrong field."""
    chosen: dict[str, tuple[Any, ...]] = {}
    wrong: dict[str, str] = {}
    for one in FIELDS:
        try:
            chosen[one.name] = _values(one, given.get(one.name, ()))
        except Invalid as invalid:
            wrong |= invalid.fields
    if wrong:
        raise Invalid(wrong)
    some = {name: values for name, values in chosen.items() if values}
    return _without_default(Filter(some, zone, user_id=user_id))


def _values(one: FilterField, given: Iterable[Any]) -> tuple[Any, ...]:
    """Each value once, in the order given. Raises Invalid."""
    try:
        values = [value for each in given if (value := one.parse(each)) != ""]
    except msgspec.ValidationError:
        raise Invalid({one.name: _(one.wrong)}) from None
    if len(values) > 1 and not one.may_repeat:
        raise Invalid({one.name: _(one.wrong)})
    different = tuple(dict.fromkeys(values))
    if len(different) > MOST_VALUES:
        raise Invalid({one.name: _("Choose at most {n} values.").format(n=MOST_VALUES)})
    return different


def _without_default(wanted: Filter) -> Filter:
    """Without the inbox as its view, which is where everything begins, unless the search asks for
    another one: a view that was chosen stays, and `is:done` finds nothing in the inbox.
    """
    if wanted.chosen.get("view") != (INBOX_VIEW,) or wanted.search.view:
        return wanted
    return replace(wanted, chosen={k: v for k, v in wanted.chosen.items() if k != "view"})


def read_filter(fields: Mapping[str, str], zone: ZoneInfo, user_id: int = 0) -> Filter:
    """The filter in a query string or a form. Raises Invalid."""
    return parse_filter({one.name: _given(fields, one) for one in FIELDS}, zone, user_id)


def _given(fields: Mapping[str, str], one: FilterField) -> list[str]:
    """Several values only for a field that may repeat, so that a hand-made address is no error. A
    select, which sends one, sends several with commas between.
    """
    if not one.may_repeat:
        return [fields.get(one.name, "").strip()]
    values = ",".join(values_of(fields, one.name)).split(",")
    return list(dict.fromkeys(value.strip() for value in values))


def _of_type(types: Sequence[str], _zone: ZoneInfo) -> ColumnElement[bool]:
    return Notification.type.in_(types)


def _with_status(statuses: Sequence[str], _zone: ZoneInfo) -> ColumnElement[bool]:
    [status] = statuses
    is_unread = Notification.read_at.is_(None)
    return is_unread if status == "unread" else ~is_unread


def _since(ranges: Sequence[str], zone: ZoneInfo) -> ColumnElement[bool]:
    """From midnight in the user's zone."""
    [days] = [DAYS_BACK[one] for one in ranges]
    return _from_day(clock.now().astimezone(zone).date() - timedelta(days=days), zone)


def _from_day(day: date, zone: ZoneInfo) -> ColumnElement[bool]:
    """From the midnight with which the day begins.

    Events are numbered in the order of time, so a date becomes a range of positions, which is
    also a range of the index that orders the feed.
    """
    first = (
        select(Event.id)
        .where(Event.created_at >= _midnight(day, zone))
        .order_by(Event.created_at, Event.id)
        .limit(1)
    )
    return Notification.event_id >= func.coalesce(first.scalar_subquery(), BEYOND_ALL_POSITIONS)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """In UTC; the first or last moment that there is where the zone's midnight lies beyond."""
    try:
        return datetime.combine(day, time(), zone).astimezone(UTC)
    except OverflowError:
        return datetime.combine(day, time(), UTC)


def _by(actors: Sequence[int], _zone: ZoneInfo) -> ColumnElement[bool]:
    return _of_events(Event.actor_id.in_(actors))


def _in_team(teams: Sequence[int], _zone: ZoneInfo) -> ColumnElement[bool]:
    return _of_events(Event.team_id.in_(teams))


def _about_project(projects: Sequence[int], _zone: ZoneInfo) -> ColumnElement[bool]:
    return _of_events(Event.project_id.in_(projects))


def _of_events(which: ColumnElement[bool]) -> ColumnElement[bool]:
    return Notification.event_id.in_(select(Event.id).where(which))


def _with_priority(priorities: Sequence[str], _zone: ZoneInfo) -> ColumnElement[bool]:
    """A notification of a custom type has the priority that its sender chose."""
    chosen = func.coalesce(Event.context["priority"].as_string(), NORMAL)
    has_chosen = select(Event.id).where(Event.id == Notification.event_id, chosen.in_(priorities))
    customs = [one.name for one in TYPES.values() if one.is_custom]
    of_custom = Notification.type.in_(customs), exists(has_chosen.correlate_except(Event))
    types = [one.name for one in TYPES.values() if not one.is_custom and one.priority in priorities]
    return or_(Notification.type.in_(types), and_(*of_custom))


def is_urgent() -> ColumnElement[bool]:
    return _with_priority([HIGH], UTC)


def _in_group(keys: Sequence[str], _zone: ZoneInfo) -> ColumnElement[bool]:
    return in_groups(keys)


def _fact(term: Term, zone: ZoneInfo) -> ColumnElement[bool]:
    """What an operator of a search asks of the notification itself."""
    clause = _FACTS[term.operator](term.value, zone)
    return ~clause if term.is_excluded else clause


def _in_state(state: str, zone: ZoneInfo) -> ColumnElement[bool]:
    match state:
        case "done" | "snoozed":
            return Notification.folder == state
        case "saved":
            return Notification.is_saved == true()
        case "urgent":
            return is_urgent()
    return _with_status([state], zone)


_FACTS: dict[str, Callable[[str, ZoneInfo], ColumnElement[bool]]] = {
    TYPE: lambda name, zone: _of_type([name], zone),
    IS: _in_state,
    AFTER: lambda day, zone: _from_day(date.fromisoformat(day), zone),
    BEFORE: lambda day, zone: ~_from_day(date.fromisoformat(day), zone),
}

_ID = Annotated[int, msgspec.Meta(ge=1, le=GREATEST_ID)]


_id_field = partial(FilterField, kind=_ID, may_repeat=True, section=AMONG_MORE)

FIELDS: tuple[FilterField, ...] = (
    FilterField(
        "type",
        label=N_("Type"),
        open_label=N_("All types"),
        options={name: kind.label for name, kind in TYPES.items()},
        synonyms=SYNONYMS,
        may_repeat=True,
        chip=N_("Type: {value}"),
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
            "week": N_("Last 7 days"),
            "month": N_("Last 30 days"),
            "3months": N_("Last 3 months"),
        },
        synonyms={"all": ""},
        clause=_since,
        wrong=N_("The date range must be today, week, month, 3months or all."),
        description=(
            "Only recent notifications: today's, or those of the last 7 days (`week`), 30 days"
            " (`month`) or 91 days (`3months`). Days begin at midnight in your time zone."
        ),
    ),
    FilterField(
        "view",
        label=N_("View"),
        options={name: view.label for name, view in VIEWS.items()},
        section=NOWHERE,
        clause=None,
        wrong=N_("The view must be inbox, saved, done, snoozed or all."),
        description=(
            "Where to look: `all` is everything but what was deleted. Without it, the view that the"
            " search asks for by `is:done`, `is:saved` or `is:snoozed`, else the inbox."
        ),
    ),
    FilterField(
        SEARCH,
        label=N_("Search notifications"),
        kind=Annotated[str, msgspec.Meta(max_length=LONGEST_SEARCH, pattern=r"^[^\x00]*$")],
        section=NOWHERE,
        clause=None,
        wrong=N_("Search for at most 300 characters."),
        description=(
            'Words, `"phrases"` and `-words` to leave out; `from:`, `team:` and `project:` with a'
            " name; `type:`; `is:unread`, `read`, `done`, `saved`, `snoozed` or `urgent`;"
            " `before:` and `after:` with a date like 2026-11-01. `filtered_count` stops at 1,000."
        ),
    ),
    _id_field(
        "actor",
        clause=_by,
        label=N_("Person"),
        open_label=N_("Everyone"),
        chip=N_("From {value}"),
        wrong=N_("The person must be an id."),
        description="Only what this person did.",
    ),
    _id_field(
        "team",
        clause=_in_team,
        label=N_("Team"),
        open_label=N_("All teams"),
        chip=N_("Team {value}"),
        wrong=N_("The team must be an id."),
        description="Only what is about this team.",
    ),
    _id_field(
        "project",
        clause=_about_project,
        label=N_("Project"),
        open_label=N_("All projects"),
        chip=N_("Project {value}"),
        wrong=N_("The project must be an id."),
        description="Only what is about this project.",
    ),
    FilterField(
        "priority",
        label=N_("Priority"),
        open_label=N_("All"),
        options={HIGH: N_("Urgent"), NORMAL: N_("Normal"), LOW: N_("Low")},
        may_repeat=True,
        chip=N_("Priority: {value}"),
        section=AMONG_MORE,
        clause=_with_priority,
        wrong=N_("The priority must be high, normal or low."),
        description="Only notifications of this priority.",
    ),
    FilterField(
        GROUP_KEY,
        label="",
        kind=Annotated[str, msgspec.Meta(max_length=MOST_KEY, pattern=r"^[^\x00]*$")],
        chip=N_("One group"),
        section=NOWHERE,
        clause=_in_group,
        wrong=N_("There is no such group."),
        description="Only the notifications of this group.",
    ),
)
