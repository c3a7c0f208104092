"""The search syntax.

    words "of a phrase" -without from:alice team:"Video Squad" project:reel type:member_added
    is:unread before:2026-11-01 after:2026-10-01

Every text is a valid query. An unknown operator or value, such as `re:` or `is:blue`, is searched as
words; what has no letters, digits or symbols is ignored.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from app.notifications.events.catalogue import SYNONYMS, TYPES
from app.notifications.search.words import NO_WORDS, Phrase, phrase_of

WORDS, TYPE, IS, BEFORE, AFTER = "words", "type", "is", "before", "after"
# The operators that search a name.
FROM, TEAM, PROJECT = NAMES = ("from", "team", "project")
STATES = ("unread", "read", "done", "saved", "snoozed", "urgent")
# The states that select another view than the inbox.
VIEW_STATES = ("done", "saved", "snoozed")
_REMEMBERED = 256

# Keyboards of phones turn quotation marks into curly ones.
QUOTES = '"“”„‟'
_TERM = re.compile(
    rf"(?P<minus>-?)(?:(?P<operator>[a-z]+):)?"
    rf"(?:[{QUOTES}](?P<quoted>[^{QUOTES}]*)(?P<closed>[{QUOTES}]?)|(?P<bare>\S+))",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Term:
    """One condition. WORDS and the NAMES have a `phrase`; the other operators have a `value`: a type,
    a state, or a day like 2026-11-01.
    """

    operator: str
    phrase: Phrase = NO_WORDS
    value: str = ""
    is_excluded: bool = False


@dataclass(frozen=True)
class Query:
    terms: tuple[Term, ...] = ()

    @property
    def texts(self) -> list[Term]:
        """The terms that the index answers."""
        return [term for term in self.terms if term.phrase.words]

    @property
    def facts(self) -> list[Term]:
        """The terms that the rows of notifications answer."""
        return [term for term in self.terms if not term.phrase.words]

    @property
    def view(self) -> str:
        """The view that the query selects, "" for none."""
        asked = (term.value for term in self.terms if term.operator == IS and not term.is_excluded)
        return next((state for state in asked if state in VIEW_STATES), "")


# For each prefix in a query, indexed words that start with it.
Completions = Mapping[str, Sequence[str]]


@lru_cache(_REMEMBERED)
def parse_query(text: str) -> Query:
    return Query(tuple(split_query(text)))


def split_query(text: str) -> dict[Term, str]:
    """The distinct terms, each with the text it was first written as."""
    terms: dict[Term, str] = {}
    for found in _TERM.finditer(text):
        if term := _term(found):
            terms.setdefault(term, found[0])
    return terms


def _term(found: re.Match[str]) -> Term | None:
    operator, bare = (found["operator"] or "").lower(), found["bare"]
    given = found["quoted"] if bare is None else bare
    is_whole, is_excluded = bool(found["closed"]), bool(found["minus"])
    if operator in NAMES and (name := phrase_of(given, is_whole=is_whole)).words:
        return Term(operator, name, is_excluded=is_excluded)
    if operator in _VALUES and (value := _VALUES[operator](given)):
        return Term(operator, value=value, is_excluded=is_excluded)
    words = phrase_of(f"{operator} {given}", is_whole=is_whole)
    return Term(WORDS, words, is_excluded=is_excluded) if words.words else None


def _type(given: str) -> str:
    name = SYNONYMS.get(given.lower(), given.lower())
    return name if name in TYPES else ""


def _state(given: str) -> str:
    return given.lower() if given.lower() in STATES else ""


def _day(given: str) -> str:
    is_written_out = re.fullmatch(r"\d{4}-\d\d-\d\d", given, re.ASCII)
    try:
        return date.fromisoformat(given).isoformat() if is_written_out else ""
    except ValueError:
        return ""


_VALUES: dict[str, Callable[[str], str]] = {TYPE: _type, IS: _state, BEFORE: _day, AFTER: _day}
