"""Documents: what the notices of an event say, as words for the index.

An event has at most two documents, not one for each recipient: one for the affected user, who reads a
different sentence, and one for everybody else. A document lists its readers, so that a search reads
only what its user may see; with more than MOST_NAMED readers, it lists MANY instead.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.language import in_language, shipped_languages
from app.notifications.events.sentences import NAMES_OF_TEAMS, detail, sentence, team_phrase
from app.notifications.search.query import FROM, PROJECT, TEAM
from app.notifications.search.words import words_of
from app.values.names import to_plain

MOST_NAMED = 20
# Private-use characters, which occur in no word.
BREAK, READER, NOT_READER = "\ue000", "\ue001", "\ue002"
MANY = READER


@dataclass(frozen=True)
class Facts:
    """What documents are made from. `recipients`: the ids of the event's recipients, None for more
    than MOST_NAMED.
    """

    id: int
    type: str
    context: Mapping[str, Any]
    actor: str | None
    affected_id: int | None
    recipients: Sequence[int] | None


@dataclass(frozen=True)
class Document:
    """Lists of words. `text` has a BREAK between sentences, which no phrase spans. `actor`, `team` and
    `project` are names, whether or not the notice mentions them.
    """

    event_id: int
    to_affected: bool
    readers: list[str]
    text: list[str]
    actor: list[str]
    team: list[str]
    project: list[str]

    @property
    def names(self) -> dict[str, list[str]]:
        """The words of each name, by the operator that searches it."""
        return {FROM: self.actor, TEAM: self.team, PROJECT: self.project}


def documents_of(event: Facts) -> Iterator[Document]:
    yield _document(event, to_affected=False)
    named = event.recipients
    if event.affected_id is not None and (named is None or event.affected_id in named):
        yield _document(event, to_affected=True)


def reader(user_id: int) -> str:
    return f"{READER}{user_id}"


def not_reader(user_id: int) -> str:
    return f"{NOT_READER}{user_id}"


def _document(event: Facts, *, to_affected: bool) -> Document:
    context = event.context
    return Document(
        event_id=event.id,
        to_affected=to_affected,
        readers=_readers(event, to_affected=to_affected),
        text=_joined([*_sentences(event, to_affected=to_affected), detail(context)]),
        actor=words_of(event.actor or ""),
        team=_joined(str(context[name]) for name in sorted(NAMES_OF_TEAMS & context.keys())),
        project=words_of(str(context.get("project_name") or "")),
    )


def _readers(event: Facts, *, to_affected: bool) -> list[str]:
    if to_affected:
        return [reader(event.affected_id)] if event.affected_id is not None else []
    if event.recipients is not None:
        return [reader(one) for one in event.recipients if one != event.affected_id]
    return [MANY] if event.affected_id is None else [MANY, not_reader(event.affected_id)]


def _sentences(event: Facts, *, to_affected: bool) -> list[str]:
    """The sentence of the notice in each language, without repetitions."""
    found: dict[str, None] = {}
    for language in shipped_languages():
        with in_language(language):
            said = (
                sentence(event.type, event.context, to_affected=to_affected),
                to_plain(team_phrase(event.type, event.context, to_affected=to_affected)),
            )
        found |= dict.fromkeys(said)
    return list(found)


def _joined(texts: Iterable[str]) -> list[str]:
    joined: list[str] = []
    for words in map(words_of, texts):
        joined += [BREAK, *words] if joined and words else words
    return joined
