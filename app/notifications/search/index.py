"""The search index: the words that each event's notices contain, in the table `search_document`.

A document is one event as its readers see it (documents.py). SQLite stores it in an FTS5 table
(sqlite.py), PostgreSQL as a tsvector (postgresql.py). Neither database parses text: documents and
queries reach it as words that words.py has found.

Everything in the table comes from the events, so backups leave it out and `fill` adds what is
missing. A new language, or a change to how words are found, needs a migration that empties the table.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    SQLColumnExpression,
    String,
    bindparam,
    cast,
    func,
    select,
    text,
)
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database
from app.database.id_lists import ids_in
from app.database.upsert import dialect_of
from app.models import Event, Notification, User
from app.notifications.events.notices import has_known_type
from app.notifications.search.documents import (
    MOST_NAMED,
    Facts,
    documents_of,
)
from app.notifications.search.expressions import (
    EventId,
    IsFound,
    IsIndexed,
    Matches,
    QueryText,
    SortKey,
)
from app.notifications.search.full_text import ALL, FullText, full_text_of
from app.notifications.search.query import Completions, Query
from app.notifications.search.sqlite import SHADOW_TABLES, VOCABULARY

TABLE = "search_document"
TABLES = (TABLE, VOCABULARY, *SHADOW_TABLES)
# Events indexed per transaction, which blocks other writers for about ten milliseconds.
BATCH = 200

# A query whose text is a parameter, so that a statement is built once for all: `parameters_of` has
# the values.
_query_text = QueryText(*(bindparam(one.SYNTAX, type_=String) for one in ALL))


async def add_documents(session: AsyncSession, event_ids: Sequence[int]) -> None:
    """Index these events. Their notifications must have been inserted: a document names its readers."""
    found = await session.execute(_facts(), {"ids": event_ids})
    documents = [document for row in found for document in documents_of(_as_facts(row))]
    if documents:
        full_text = _full_text(session)
        await session.execute(full_text.INSERT, [full_text.values_of(one) for one in documents])


async def renew_documents(session: AsyncSession, event_ids: Sequence[int]) -> None:
    """Index these events again, because a name in them has been erased."""
    await session.flush()
    for start in range(0, len(event_ids), BATCH):
        some = sorted(event_ids[start : start + BATCH])
        await session.execute(_full_text(session).DELETE, [{"event_id": one} for one in some])
        await add_documents(session, some)


async def is_complete(db: Database) -> bool:
    """Whether the newest event is indexed. A quick check: only `fill` notices older gaps."""
    newest = select(func.max(Event.id)).where(has_known_type()).scalar_subquery()
    async with db.read() as session:
        return await session.scalar(_missing().where(Event.id == newest)) is None


async def fill(db: Database, since: datetime | None = None) -> AsyncIterator[int]:
    """Index the events that are not indexed yet, all or those since a moment: events older than the
    index, and those that a process of an older version has added. Yields the size of each batch.

    Oldest first, so that `is_complete` is false after an interrupted run.
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
    """The ids of the events whose notices, as this user reads them, match the words of the query."""
    texts = parameters_of(query, user_id).values()
    return _event_ids(Matches(QueryText(*(bindparam(None, one, String) for one in texts))))


def newest_events_found(most: ColumnElement[int]) -> Select[int]:
    """The newest `most` of the matching events, as `event_id`; `parameters_of` supplies the query.
    SQLite reads no further than these.
    """
    return _event_ids(Matches(_query_text)).order_by(SortKey().desc()).limit(most)


def is_found(event_id: SQLColumnExpression[int]) -> ColumnElement[bool]:
    """Whether an event matches; `parameters_of` supplies the query.

    For scans in feed order: keeps the planner from starting at the text index.
    """
    return IsFound(event_id, _query_text)


async def completions_of(session: AsyncSession, query: Query) -> Completions:
    """For each prefix in the query, the indexed words that start with it, if they are few. Empty on
    PostgreSQL, which does not need them.
    """
    return await _full_text(session).completions_of(session, query)


def parameters_of(
    query: Query, user_id: int, completions: Completions | None = None
) -> dict[str, str]:
    """The values of the bind parameters: the query of this user, in the syntax of each database."""
    return {one.SYNTAX: one.query_text(query, user_id, completions or {}) for one in ALL}


def _event_ids(matches: ColumnElement[Any]) -> Select[int]:
    return select(EventId().label("event_id")).select_from(text(TABLE)).where(matches)


@cache
def _facts() -> Select[Any]:
    """Ordered by id, the order in which SQLite inserts fastest."""
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
    return select(Event.id).where(has_known_type(), ~IsIndexed(Event.id))


def _full_text(session: AsyncSession) -> FullText:
    return full_text_of(dialect_of(session))
