"""The search index on PostgreSQL: a tsvector for each document, which holds words, their positions and
weights (https://www.postgresql.org/docs/current/datatype-textsearch.html).
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.notifications.search.documents import BREAK, MANY, Document, not_reader, reader
from app.notifications.search.query import FROM, PROJECT, TEAM, Completions, Query, Term

# The weight that marks each name that has a search operator.
WEIGHTS = {FROM: "A", TEAM: "B", PROJECT: "C"}
# The highest word position that a tsvector stores.
LAST_POSITION = 16_383

SYNTAX = "tsquery"
INSERT = text(
    "INSERT INTO search_document (event_id, to_affected, words)"
    " VALUES (:event_id, :to_affected, CAST(:words AS tsvector))"
)
DELETE = text("DELETE FROM search_document WHERE event_id = :event_id")


def values_of(document: Document) -> dict[str, Any]:
    words = " ".join([*_lexemes(document), *(f"'{word}'" for word in document.readers)])
    return {"event_id": document.event_id, "to_affected": document.to_affected, "words": words}


def _lexemes(document: Document) -> Iterator[str]:
    """Each word with its position and weight. A skipped position ends a sentence: no phrase spans it."""
    names = [(WEIGHTS[operator], words) for operator, words in document.names.items()]
    position = 0
    for weight, words in [("", document.text), *names]:
        for word in words:
            position = min(position + 1, LAST_POSITION)
            if word != BREAK:
                yield f"'{word}':{position}{weight}"
        position += 1


def query_text(query: Query, user_id: int, _completions: Completions) -> str:
    """A tsquery. It needs no completions: an index scan finds all words with a prefix."""
    wanted = [f"('{reader(user_id)}' | '{MANY}')", f"!'{not_reader(user_id)}'"]
    return " & ".join([*wanted, *map(_tsquery, query.texts)])


def _tsquery(term: Term) -> str:
    *before, last = term.phrase.words
    weight = WEIGHTS.get(term.operator, "")
    open_end = "*" if term.phrase.is_open else ""
    lexemes = [*(_lexeme(word, weight) for word in before), _lexeme(last, open_end + weight)]
    return ("!" if term.is_excluded else "") + f"({' <-> '.join(lexemes)})"


def _lexeme(word: str, flags: str) -> str:
    return f"'{word}':{flags}" if flags else f"'{word}'"


async def completions_of(_session: AsyncSession, _query: Query) -> Completions:
    return {}


def event_id() -> str:
    return "search_document.event_id"


def sort_key() -> str:
    return "search_document.event_id"


def matches(query: str) -> str:
    return f"search_document.words @@ CAST({query} AS tsquery)"


def is_found(event_id: str, query: str) -> str:
    """The OFFSET keeps the planner from joining the subquery, so the document is looked up by its event."""
    which = f"search_document.event_id = {event_id} AND {matches(query)}"
    return f"(EXISTS (SELECT FROM search_document WHERE {which} OFFSET 0))"


def is_indexed(event_id: str) -> str:
    which = f"search_document.event_id = {event_id} AND NOT to_affected"
    return f"(EXISTS (SELECT FROM search_document WHERE {which}))"
