"""The search index on SQLite: an FTS5 table (https://www.sqlite.org/fts5.html).

A row is a document. Its rowid is twice the event's id, plus one for the document of the affected user.
"""

import json
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, column, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.notifications.search.documents import MANY, Document, not_reader, reader
from app.notifications.search.query import FROM, PROJECT, TEAM, Completions, Query, Term

# The shadow tables in which FTS5 stores `search_document`; created and dropped with it.
SHADOW_TABLES = tuple(
    f"search_document_{part}" for part in ("config", "content", "data", "docsize", "idx")
)
# An fts5vocab table: a view of the words in the index.
VOCABULARY = "search_document_word"
# FTS5 reads the documents of a whole word one by one. For a prefix, it first merges the documents of all
# its completions (the words that start with it), unless the prefix is short enough for a prefix index. So
# the query lists the completions of a prefix where they are few.
LONGEST_INDEXED_PREFIX, MOST_COMPLETIONS, MOST_PREFIXES = 3, 8, 5
# The column of each name that has a search operator.
COLUMNS = {FROM: "actor", TEAM: "team", PROJECT: "project"}

SYNTAX = "fts5"
INSERT = text(
    "INSERT INTO search_document (rowid, words, actor, team, project, readers)"
    " VALUES (2 * :event_id + :to_affected, :words, :actor, :team, :project, :readers)"
)
DELETE = text("DELETE FROM search_document WHERE rowid IN (2 * :event_id, 2 * :event_id + 1)")

# Each step seeks the next word in the index. `term > word` would read every occurrence of `word`.
COMPLETIONS = """
(WITH RECURSIVE found (prefix, word, number) AS (
  SELECT given.value, (
    SELECT term FROM search_document_word
    WHERE term >= given.value AND term < given.value || char(1114111) ORDER BY term LIMIT 1
  ), 1 FROM json_each(:prefixes) AS given
  UNION ALL
  SELECT prefix, (
    SELECT term FROM search_document_word
    WHERE term >= word || char(1) AND term < prefix || char(1114111) ORDER BY term LIMIT 1
  ), number + 1 FROM found WHERE word IS NOT NULL AND number <= :most
) SELECT prefix, word FROM found WHERE word IS NOT NULL)
"""


def values_of(document: Document) -> dict[str, Any]:
    names = {COLUMNS[operator]: words for operator, words in document.names.items()}
    parts = {"words": document.text, **names, "readers": document.readers}
    joined = {name: " ".join(words) for name, words in parts.items()}
    return {"event_id": document.event_id, "to_affected": int(document.to_affected), **joined}


def query_text(query: Query, user_id: int, completions: Completions) -> str:
    """A full-text query expression (https://www.sqlite.org/fts5.html#full_text_query_syntax)."""
    wanted = [f'(readers : ("{reader(user_id)}" OR "{MANY}"))']
    wanted += [_fts5(term, completions) for term in query.texts if not term.is_excluded]
    excluded = [f'(readers : "{not_reader(user_id)}")']
    excluded += [_fts5(term, completions) for term in query.texts if term.is_excluded]
    return " NOT ".join([f"({' AND '.join(wanted)})", *excluded])


def _fts5(term: Term, completions: Completions) -> str:
    *before, last = term.phrase.words
    known = completions.get(last) if term.phrase.is_open else None
    phrases = [f'"{" ".join([*before, one])}"' for one in known or [last]]
    found = " OR ".join(phrases) + ("*" if term.phrase.is_open and not known else "")
    return f"({COLUMNS[term.operator]} : ({found}))" if term.operator in COLUMNS else f"({found})"


async def completions_of(session: AsyncSession, query: Query) -> Completions:
    """The completions of each prefix in the query, unless they are more than MOST_COMPLETIONS."""
    last = (term.phrase.words[-1] for term in query.texts if term.phrase.is_open)
    prefixes = [one for one in dict.fromkeys(last) if len(one) > LONGEST_INDEXED_PREFIX]
    if not prefixes:
        return {}
    values = {"prefixes": json.dumps(prefixes[:MOST_PREFIXES]), "most": MOST_COMPLETIONS}
    found: dict[str, list[str]] = {}
    for prefix, word in await session.execute(_completions(), values):
        found.setdefault(prefix, []).append(word)
    return {prefix: words for prefix, words in found.items() if len(words) <= MOST_COMPLETIONS}


@cache
def _completions() -> Select[*tuple[Any, ...]]:
    """Up to `most` + 1 for each prefix: the last one shows that there are too many."""
    rows = text(COMPLETIONS).bindparams(bindparam("prefixes"), bindparam("most"))
    return select(column("prefix"), column("word")).select_from(rows)


def event_id() -> str:
    return "search_document.rowid >> 1"


def sort_key() -> str:
    return "search_document.rowid"


def matches(query: str) -> str:
    return f"search_document MATCH {query}"


def is_found(event_id: str, query: str) -> str:
    """The unary + keeps SQLite from using an index of this column."""
    found = f"SELECT rowid >> 1 FROM search_document WHERE {matches(query)}"  # noqa: S608
    return f"(+{event_id} IN ({found}))"


def is_indexed(event_id: str) -> str:
    return f"(EXISTS (SELECT 1 FROM search_document WHERE rowid = 2 * {event_id}))"  # noqa: S608
