"""The sentences of notices and of groups in the current language, and where an event happened."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.language import N_, _, ngettext
from app.notifications.events.catalogue import TYPES
from app.notifications.events.event_type import NOTICES, placeholders
from app.values.names import clean, isolate, to_plain

SOMEONE = N_("Someone")
IN_TEAM = N_("in team '{team_name}'")
NAMES_OF_USERS = ("username", "inviter")
NAMES_OF_TEAMS = {"team_name", "old_name", "new_name"}
NAMES = (*NAMES_OF_USERS, "team_name", "project_name", "old_name", "new_name", "name")


def sentence(name: str, context: Mapping[str, Any], *, to_affected: bool) -> str:
    """The sentence of a notice of this type, in the current language."""
    return to_plain(isolated_sentence(name, context, to_affected=to_affected))


def isolated_sentence(name: str, context: Mapping[str, Any], *, to_affected: bool) -> str:
    """The same with its names isolated, for app.values.names to show it as HTML or text."""
    return _(TYPES[name].template(to_affected=to_affected)).format_map(_IsolatedFacts(context))


def isolated_summary(
    name: str, context: Mapping[str, Any], counts: Sequence[int], *, to_affected: bool
) -> str:
    """The sentence of a group whose newest notice has this context, with its names isolated.

    `counts` are the numbers of notices, other notices, other actors and other affected users.
    """
    sentence = isolated_sentence(name, context, to_affected=to_affected)
    if counts[NOTICES] == 1:
        return sentence
    forms, n = _forms(name, counts)
    facts = _IsolatedFacts({**context, "sentence": sentence, "n": n})
    return ngettext(*forms, n).format_map(facts)


def team_phrase(name: str, context: Mapping[str, Any], *, to_affected: bool) -> str:
    """The team in which it happened, with its name isolated; "" if the sentence names it already."""
    named = placeholders(TYPES[name].template(to_affected=to_affected))
    if not context.get("team_name") or named & NAMES_OF_TEAMS:
        return ""
    return _(IN_TEAM).format_map(_IsolatedFacts(context))


def team_phrase_of_group(name: str, counts: Sequence[int], phrase: str) -> str:
    """`phrase`, or "" if the sentence of the group names the team already."""
    is_named = counts[NOTICES] > 1 and placeholders(_forms(name, counts)[0][1]) & NAMES_OF_TEAMS
    return "" if is_named else phrase


def _forms(name: str, counts: Sequence[int]) -> tuple[tuple[str, str], int]:
    """The forms of the sentence of a group, for one and for several, and the number that chooses."""
    summary = TYPES[name].summary
    forms, n = (summary.one, summary.many), counts[summary.counts]
    return (forms, n) if n else (summary.repeated, counts[NOTICES])


def names_user(name: str, context: Mapping[str, Any], username: str, *, to_affected: bool) -> bool:
    """Whether the sentence names this user."""
    named = placeholders(TYPES[name].template(to_affected=to_affected))
    return any(context.get(fact) == username for fact in NAMES_OF_USERS if fact in named)


def detail(context: Mapping[str, Any]) -> str:
    """The text below the sentence: what went wrong, or what the sender wrote."""
    return str(context.get("error") or context.get("body") or "")


class _IsolatedFacts(dict[str, Any]):
    """The context with its names isolated and its words translated: roles, and the stand-in for the
    name of a deleted account. A fact that an old event lacks is shown as a dash.
    """

    def __getitem__(self, name: str) -> Any:
        if name not in self:
            return "–"
        value = super().__getitem__(name)
        is_stand_in = name in NAMES_OF_USERS and value == SOMEONE
        shown = _(value) if is_stand_in or name in ("role", "old_role", "new_role") else value
        if name in NAMES:
            return isolate(str(shown))
        return clean(str(shown)) if name == "title" else shown
