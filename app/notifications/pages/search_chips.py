"""A chip for each term of a search: its label, and the search without the term."""

from collections.abc import Iterator
from datetime import date

from babel.dates import format_date

from app.language import N_, _
from app.notifications.events.catalogue import TYPES
from app.notifications.search.query import (
    AFTER,
    BEFORE,
    FROM,
    IS,
    PROJECT,
    QUOTES,
    TEAM,
    TYPE,
    WORDS,
    Term,
    split_query,
)
from app.rendering import locale_of
from app.values.names import isolate

_CHIPS = {
    WORDS: N_("Search: {value}"),
    FROM: N_("From {value}"),
    TEAM: N_("Team {value}"),
    PROJECT: N_("Project {value}"),
    TYPE: N_("Type: {value}"),
    IS: "{value}",
    BEFORE: N_("Before {value}"),
    AFTER: N_("After {value}"),
}
_STATES = {
    "unread": N_("Unread"),
    "read": N_("Read"),
    "done": N_("Done"),
    "saved": N_("Saved"),
    "snoozed": N_("Snoozed"),
    "urgent": N_("Urgent"),
}


def search_chips(text: str, language: str) -> Iterator[tuple[str, str]]:
    """(label, search without the term) for each term. In the label, the value is isolated."""
    terms = split_query(text)
    for term, typed in terms.items():
        said = _(_CHIPS[term.operator]).format(value=isolate(_value(term, typed, language)))
        if term.is_excluded:
            said = _("Without: {filter}").format(filter=said)
        yield said, " ".join(rest for one, rest in terms.items() if one != term)


def _value(term: Term, typed: str, language: str) -> str:
    if term.operator == TYPE:
        return _(TYPES[term.value].label)
    if term.operator == IS:
        return _(_STATES[term.value])
    if term.operator in (BEFORE, AFTER):
        day = date.fromisoformat(term.value)
        return str(format_date(day, "medium", locale=locale_of(language)))
    if term.operator == WORDS:
        return typed.removeprefix("-")
    return typed.partition(":")[2].strip(QUOTES)
