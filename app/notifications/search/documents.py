"""What the notices of an event say, as the words that the index holds.

An event has one document for the user it happened to, who reads another sentence, and one for all
others: not one for each recipient. A document names its readers, so that a search reads only what
its user may have; beyond MOST_NAMED it belongs to MANY.
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
# Characters for private use, which no word has.
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
    """`text` has a BREAK between the sentences, over which no phrase reaches. `actor`, `team` and
    `project` are the words of their names, which the notice may or may not say.
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
    """What the notice says, in each language once."""
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
