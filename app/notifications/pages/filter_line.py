"""The line of filters above the list: its controls, and a chip for each value that narrows the list."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from app.http import with_query
from app.language import _
from app.notifications.inbox.filter_names import NAMED, Names
from app.notifications.inbox.filters import (
    AMONG_MORE,
    FIELDS,
    ON_LINE,
    SEARCH,
    Filter,
    FilterField,
)
from app.notifications.pages.search_chips import search_chips
from app.values.names import isolate

LIST = "/notifications"
# In the address of a page that shows the controls behind "More filters".
OPEN = "more", "1"


@dataclass(frozen=True)
class Control:
    """A select; a text field if it has no `choices`, the (value, label) pairs."""

    name: str
    label: str
    value: str
    choices: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Chip:
    """`label` has its names isolated; `url` is the list without this value."""

    label: str
    url: str


@dataclass(frozen=True)
class FilterLine:
    """`more` are the controls behind "More filters", none while that is closed; `carried` are the pairs
    of the filter that have no control on the page.
    """

    controls: Sequence[Control]
    more: Sequence[Control]
    chips: Sequence[Chip]
    carried: Sequence[tuple[str, str]]


def filter_line(wanted: Filter, names: Names, language: str, *, is_open: bool) -> FilterLine:
    """`is_open`: with the controls behind "More filters"."""
    controls = _controls(ON_LINE, wanted, names)
    more = _controls(AMONG_MORE, wanted, names) if is_open else []
    shown = {SEARCH, *(one.name for one in (*controls, *more))}
    carried = [(name, value) for name, value in wanted.pairs if name not in shown]
    chips = [
        Chip(label, with_query(LIST, [*narrowed.pairs, *([OPEN] if is_open else [])]))
        for label, narrowed in _chips(wanted, names, language)
    ]
    return FilterLine(controls, more, chips, carried)


def _controls(section: str, wanted: Filter, names: Names) -> list[Control]:
    return [
        Control(one.name, _(one.label), wanted.value_of(one.name), _choices(one, wanted, names))
        for one in FIELDS
        if one.section == section
    ]


def _choices(one: FilterField, wanted: Filter, names: Names) -> list[tuple[str, str]]:
    """If several values are chosen, together they are one more choice, so that they stay chosen."""
    if not one.options and one.name not in NAMED:
        return []
    choices = [(str(value), _label(one, value, names)) for value in _values(one, wanted, names)]
    chosen = wanted.chosen.get(one.name, ())
    if len(chosen) > 1:
        several = wanted.value_of(one.name), _("{n} chosen").format(n=len(chosen))
        choices.insert(0, several)
    return [("", _(one.open_label)), *choices]


def _values(one: FilterField, wanted: Filter, names: Names) -> Iterable[Any]:
    """The options; for ids, the chosen ones, then all that have a name, sorted by it."""
    if one.options:
        return one.options
    by_name = sorted(names[one.name], key=lambda id_: names[one.name][id_].casefold())
    return dict.fromkeys((*wanted.chosen.get(one.name, ()), *by_name))


def _label(one: FilterField, value: Any, names: Names) -> str:
    """An id is shown as `#id` if it does not exist or the user may not see its name."""
    if one.name in NAMED:
        return names[one.name].get(value, f"#{value}")
    return _(one.options[value]) if one.options else str(value)


def _chips(wanted: Filter, names: Names, language: str) -> list[tuple[str, Filter]]:
    """The label of each chip with the filter without its value: first the fields in their order,
    then one chip for each term of the search.
    """
    chips = [
        (
            _(one.chip).format(value=isolate(_label(one, value, names))),
            wanted.without(one.name, value),
        )
        for one in FIELDS
        if one.name not in ("view", SEARCH)
        for value in wanted.chosen.get(one.name, ())
    ]
    terms = search_chips(wanted.value_of(SEARCH), language)
    return chips + [
        (said, wanted.with_values(SEARCH, (rest,) if rest else ())) for said, rest in terms
    ]
