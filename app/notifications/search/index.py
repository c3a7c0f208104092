"""The index: a full-text table of SQLite (FTS5) or of PostgreSQL (tsvector), which holds our words.

Neither parses a text: a document comes as words, and a query as words that are put together here.
The table is made of the events alone, so backups leave it out, and `fill` makes what is missing. A
new language, or another way to find words, needs a migration that empties the table.
"""

import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Row,
    Select,
    SQLColumnExpression,
    String,
    bindparam,
    cast,
    column,
    func,
    select,
    text,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import NullType

from app.database import Database
from app.database.id_lists import ids_in
from app.models import Event, Notification, User
from app.notifications.events.notices import has_known_type
from app.notifications.search.documents import (
    BREAK,
    MANY,
    MOST_NAMED,
    Document,
    Facts,
    documents_of,
    not_reader,
    reader,
)
from app.notifications.search.query import FROM, PROJECT, TEAM, Query, Term

TABLE = "search_document"
# SQLite keeps a full-text table in these, which come and go with it.
PARTS = tuple(f"{TABLE}_{part}" for part in ("config", "content", "data", "docsize", "idx"))
# On SQLite, a view of the words of that table (FTS5 calls it fts5vocab).
VOCABULARY = f"{TABLE}_word"
TABLES = (TABLE, VOCABULARY, *PARTS)
# Before FTS5 returns the first document with a prefix, it merges those of all its completions (the words
# that start with it), unless the prefix is as short as those that have an index. The documents of a whole
# word it reads one by one. So the query names the completions of a prefix, if they are few.
LONGEST_INDEXED_PREFIX, MOST_COMPLETIONS, MOST_PREFIXES = 3, 8, 5
# A batch holds up other writers for some ten milliseconds.
BATCH = 200

# Where the names are that have an operator: columns on SQLite, weights on PostgreSQL.
COLUMNS = {FROM: "actor", TEAM: "team", PROJECT: "project"}
WEIGHTS = {FROM: "A", TEAM: "B", PROJECT: "C"}
# PostgreSQL numbers no word higher.
LAST_POSITION = 16_383

# The parameters that have the query of SQLite and that of PostgreSQL.
FTS5, TSQUERY = "fts5", "tsquery"
_queries = tuple(bindparam(name, type_=String) for name in (FTS5, TSQUERY))

# On SQLite the id of a row is that of its event, doubled, and one more for the affected user.
INSERT_INTO_SQLITE = text(
    "INSERT INTO search_document (rowid, words, actor, team, project, readers)"
    " VALUES (2 * :event_id + :to_affected, :words, :actor, :team, :project, :readers)"
)
DELETE_FROM_SQLITE = text(
    "DELETE FROM search_document WHERE rowid IN (2 * :event_id, 2 * :event_id + 1)"
)
INSERT_INTO_POSTGRESQL = text(
    "INSERT INTO search_document (event_id, to_affected, words)"
    " VALUES (:event_id, :to_affected, CAST(:words AS tsvector))"
)
DELETE_FROM_POSTGRESQL = text("DELETE FROM search_document WHERE event_id = :event_id")

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


async def add_documents(session: AsyncSession, event_ids: Sequence[int]) -> None:
    """Index these events. Their notifications must be there by now."""
    found = await session.execute(_facts(), {"ids": event_ids})
    documents = [document for row in found for document in documents_of(_as_facts(row))]
    if not documents:
        return
    if _is_sqlite(session):
        await session.execute(INSERT_INTO_SQLITE, [_for_sqlite(one) for one in documents])
    else:
        await session.execute(INSERT_INTO_POSTGRESQL, [_for_postgresql(one) for one in documents])


async def renew_documents(session: AsyncSession, event_ids: Sequence[int]) -> None:
    """Index these events as they are now, because a name that they had is forgotten."""
    await session.flush()
    removal = DELETE_FROM_SQLITE if _is_sqlite(session) else DELETE_FROM_POSTGRESQL
    for start in range(0, len(event_ids), BATCH):
        some = sorted(event_ids[start : start + BATCH])
        await session.execute(removal, [{"event_id": one} for one in some])
        await add_documents(session, some)


async def is_complete(db: Database) -> bool:
    """Whether the newest event is indexed. A quick look; only `fill` finds a gap before it."""
    newest = select(func.max(Event.id)).where(has_known_type()).scalar_subquery()
    async with db.read() as session:
        return await session.scalar(_missing().where(Event.id == newest)) is None


async def fill(db: Database, since: datetime | None = None) -> AsyncIterator[int]:
    """Index the events, of all time or since a moment, that are not: those from before there was an
    index, and what an older process adds. Yields the number of events after each batch.

    Oldest first, so that `is_complete` knows of a run that was interrupted.
    """
    last = 0
    while True:
        rows = _missing().where(Event.id > last).order_by(Event.id).limit(BATCH)
        if since is not None:
            rows = rows.where(Event.created_at >= since)
        async with db.read() as session:
            is_done = await session.scalar(rows.limit(1)) is None
        if is_done:
            return
        async with db.exclusive() as session:
            missing = (await session.scalars(rows)).all()
            await add_documents(session, missing)
        last = max(missing, default=last)
        yield len(missing)


def events_found(query: Query, user_id: int) -> Select[int]:
    """The ids of the events whose notices, as this user reads them, match the texts of the query."""
    queries = parameters_of(query, user_id).values()
    found = _Matches(*(bindparam(None, one, String) for one in queries))
    return _found(found)


def newest_events_found(most: ColumnElement[int]) -> Select[int]:
    """The `event_id` of the newest of them, for any query: see `parameters_of`. SQLite reads no more
    than these.
    """
    return _found(_Matches(*_queries)).order_by(_DocumentId().desc()).limit(most)


def is_found(event_id: SQLColumnExpression[int]) -> ColumnElement[bool]:
    """Whether an event is among them, for any query: for a walk along rows, to which no index shall
    lead instead.
    """
    return _IsFound(event_id, *_queries)


Completions = Mapping[str, Sequence[str]]


async def completions_of(session: AsyncSession, query: Query) -> Completions:
    """The completions of the prefixes in the query, by prefix, if they are few. None on PostgreSQL."""
    last = (term.phrase.words[-1] for term in query.texts if term.phrase.is_open)
    prefixes = [one for one in dict.fromkeys(last) if len(one) > LONGEST_INDEXED_PREFIX]
    if not prefixes or not _is_sqlite(session):
        return {}
    values = {"prefixes": json.dumps(prefixes[:MOST_PREFIXES]), "most": MOST_COMPLETIONS}
    found: dict[str, list[str]] = {}
    for prefix, word in await session.execute(_completions(), values):
        found.setdefault(prefix, []).append(word)
    return {prefix: words for prefix, words in found.items() if len(words) <= MOST_COMPLETIONS}


def parameters_of(
    query: Query, user_id: int, completions: Completions | None = None
) -> dict[str, str]:
    """The values of the parameters that stand for the query and its user."""
    return {
        FTS5: _for_fts5(query, user_id, completions or {}),
        TSQUERY: _for_tsquery(query, user_id),
    }


def _found(matches: ColumnElement[Any]) -> Select[int]:
    return select(_EventId().label("event_id")).select_from(text(TABLE)).where(matches)


@cache
def _completions() -> Select[*tuple[Any, ...]]:
    """Up to one more than `most` for each prefix. Each step seeks the next word in the index; `>` the
    last one would read every place where that word is.
    """
    rows = text(COMPLETIONS).bindparams(bindparam("prefixes"), bindparam("most"))
    return select(column("prefix"), column("word")).select_from(rows)


@cache
def _facts() -> Select[Any]:
    """In the order of their ids: SQLite writes them fastest so."""
    some = (
        select(Notification.user_id)
        .where(Notification.event_id == Event.id)
        .limit(MOST_NAMED + 1)
        .correlate(Event)
        .subquery()
    )
    recipients = select(func.aggregate_strings(cast(some.c.user_id, String), ","))
    return (
        select(
            Event.id,
            Event.type,
            Event.context,
            Event.affected_id,
            User.username.label("actor"),
            recipients.scalar_subquery().label("recipients"),
        )
        .outerjoin(User, User.id == Event.actor_id)
        .where(Event.id.in_(ids_in("ids")), has_known_type())
        .order_by(Event.id)
    )


def _as_facts(row: Row[Any]) -> Facts:
    recipients = [int(one) for one in (row.recipients or "").split(",") if one]
    return Facts(
        id=row.id,
        type=row.type,
        context=row.context,
        actor=row.actor,
        affected_id=row.affected_id,
        recipients=recipients if len(recipients) <= MOST_NAMED else None,
    )


def _missing() -> Select[int]:
    return select(Event.id).where(has_known_type(), ~_IsIndexed(Event.id))


def _is_sqlite(session: AsyncSession) -> bool:
    return session.get_bind().dialect.name == "sqlite"


def _for_sqlite(one: Document) -> dict[str, Any]:
    parts = {"words": one.text, **_names_in(one), "readers": one.readers}
    joined = {name: " ".join(words) for name, words in parts.items()}
    return {"event_id": one.event_id, "to_affected": int(one.to_affected), **joined}


def _names_in(one: Document) -> dict[str, list[str]]:
    return {"actor": one.actor, "team": one.team, "project": one.project}


def _for_postgresql(one: Document) -> dict[str, Any]:
    words = " ".join([*_lexemes(one), *(f"'{word}'" for word in one.readers)])
    return {"event_id": one.event_id, "to_affected": one.to_affected, "words": words}


def _lexemes(one: Document) -> Iterator[str]:
    """Each word with its position, and the weight of the part that it is in."""
    names = _names_in(one)
    parts = [("", one.text), *((WEIGHTS[name], names[COLUMNS[name]]) for name in COLUMNS)]
    position = 0
    for weight, words in parts:
        for word in words:
            position = min(position + 1, LAST_POSITION)
            if word != BREAK:
                yield f"'{word}':{position}{weight}"
        position += 1


def _for_fts5(query: Query, user_id: int, completions: Completions) -> str:
    """See https://www.sqlite.org/fts5.html#full_text_query_syntax."""
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


def _for_tsquery(query: Query, user_id: int) -> str:
    """See https://www.postgresql.org/docs/current/datatype-textsearch.html#DATATYPE-TSQUERY."""
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


class _Matches(FunctionElement[bool]):
    """Whether a document matches: the query of SQLite, then that of PostgreSQL.

    Of no type: SQLAlchemy would compare a Boolean with 1, which FTS5 does not understand.
    """

    type = NullType()  # type: ignore[assignment]
    inherit_cache = True


@compiles(_Matches)
def _matches_on_postgresql(element: _Matches, compiler: SQLCompiler, **options: Any) -> str:
    _sqlite, query = element.clauses
    return f"{TABLE}.words @@ CAST({compiler.process(query, **options)} AS tsquery)"


@compiles(_Matches, "sqlite")
def _matches_on_sqlite(element: _Matches, compiler: SQLCompiler, **options: Any) -> str:
    query, _postgresql = element.clauses
    return f"{TABLE} MATCH {compiler.process(query, **options)}"


class _EventId(FunctionElement[int]):
    """The event of a document."""

    type = BigInteger()
    inherit_cache = True


@compiles(_EventId)
def _event_id_on_postgresql(_element: _EventId, _compiler: SQLCompiler, **_options: Any) -> str:
    return f"{TABLE}.event_id"


@compiles(_EventId, "sqlite")
def _event_id_on_sqlite(_element: _EventId, _compiler: SQLCompiler, **_options: Any) -> str:
    return f"{TABLE}.rowid >> 1"


class _DocumentId(FunctionElement[int]):
    """What the documents of an event are ordered by, as SQLite keeps them."""

    type = BigInteger()
    inherit_cache = True


@compiles(_DocumentId)
def _document_id_on_postgresql(
    _element: _DocumentId, _compiler: SQLCompiler, **_options: Any
) -> str:
    return f"{TABLE}.event_id"


@compiles(_DocumentId, "sqlite")
def _document_id_on_sqlite(_element: _DocumentId, _compiler: SQLCompiler, **_options: Any) -> str:
    return f"{TABLE}.rowid"


class _IsFound(FunctionElement[bool]):
    """Whether the event with this id has a document that matches, by the two queries of _Matches.

    SQLite uses no index for `+column`. PostgreSQL keeps a subquery with an OFFSET to itself, so that
    it looks up a document by its event.
    """

    type = Boolean()
    inherit_cache = True


@compiles(_IsFound)
def _is_found_on_postgresql(element: _IsFound, compiler: SQLCompiler, **options: Any) -> str:
    event_id, _sqlite, postgresql = (compiler.process(one, **options) for one in element.clauses)
    which = f"{TABLE}.event_id = {event_id} AND {TABLE}.words @@ CAST({postgresql} AS tsquery)"
    return f"(EXISTS (SELECT FROM {TABLE} WHERE {which} OFFSET 0))"


@compiles(_IsFound, "sqlite")
def _is_found_on_sqlite(element: _IsFound, compiler: SQLCompiler, **options: Any) -> str:
    event_id, sqlite, _postgresql = (compiler.process(one, **options) for one in element.clauses)
    found = f"SELECT rowid >> 1 FROM {TABLE} WHERE {TABLE} MATCH {sqlite}"  # noqa: S608
    return f"(+{event_id} IN ({found}))"


class _IsIndexed(FunctionElement[bool]):
    """Whether the event with this id has a document. The one for those it did not happen to is
    always there.
    """

    type = Boolean()
    inherit_cache = True


@compiles(_IsIndexed)
def _is_indexed_on_postgresql(element: _IsIndexed, compiler: SQLCompiler, **options: Any) -> str:
    event_id = compiler.process(element.clauses, **options)
    which = f"{TABLE}.event_id = {event_id} AND NOT to_affected"
    return f"(EXISTS (SELECT FROM {TABLE} WHERE {which}))"


@compiles(_IsIndexed, "sqlite")
def _is_indexed_on_sqlite(element: _IsIndexed, compiler: SQLCompiler, **options: Any) -> str:
    event_id = compiler.process(element.clauses, **options)
    return f"(EXISTS (SELECT 1 FROM {TABLE} WHERE rowid = 2 * {event_id}))"  # noqa: S608
