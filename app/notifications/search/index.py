"""The index: a full-text table of SQLite (FTS5) or of PostgreSQL (tsvector), which holds our words.

Neither parses a text: a document comes as words, and a query as words that are put together here.
The table is made of the events alone, so backups leave it out, and `fill` makes what is missing. A
new language, or another way to find words, needs a migration that empties the table.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
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
from app.notifications.search.query import Query
from app.notifications.search.sqlite import SHADOW_TABLES, VOCABULARY

TABLE = "search_document"
TABLES = (TABLE, VOCABULARY, *SHADOW_TABLES)
# A batch holds up other writers for some ten milliseconds.
BATCH = 200

# The query of any statement, by parameters: see `parameters_of`.
_query_text = QueryText(*(bindparam(one.SYNTAX, type_=String) for one in ALL))
Completions = Mapping[str, Sequence[str]]


async def add_documents(session: AsyncSession, event_ids: Sequence[int]) -> None:
    """Index these events. Their notifications must be there by now."""
    found = await session.execute(_facts(), {"ids": event_ids})
    documents = [document for row in found for document in documents_of(_as_facts(row))]
    if documents:
        full_text = _full_text(session)
        await session.execute(full_text.INSERT, [full_text.values_of(one) for one in documents])


async def renew_documents(session: AsyncSession, event_ids: Sequence[int]) -> None:
    """Index these events as they are now, because a name that they had is forgotten."""
    await session.flush()
    for start in range(0, len(event_ids), BATCH):
        some = sorted(event_ids[start : start + BATCH])
        await session.execute(_full_text(session).DELETE, [{"event_id": one} for one in some])
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
    texts = parameters_of(query, user_id).values()
    return _found(Matches(QueryText(*(bindparam(None, one, String) for one in texts))))


def newest_events_found(most: ColumnElement[int]) -> Select[int]:
    """The `event_id` of the newest of them, for any query: see `parameters_of`. SQLite reads no more
    than these.
    """
    return _found(Matches(_query_text)).order_by(SortKey().desc()).limit(most)


def is_found(event_id: SQLColumnExpression[int]) -> ColumnElement[bool]:
    """Whether an event is among them, for any query: for a walk along rows, to which no index shall
    lead instead.
    """
    return IsFound(event_id, _query_text)


async def completions_of(session: AsyncSession, query: Query) -> Completions:
    """The completions of the prefixes in the query, by prefix, if they are few. None on PostgreSQL."""
    return await _full_text(session).completions_of(session, query)


def parameters_of(
    query: Query, user_id: int, completions: Completions | None = None
) -> dict[str, str]:
    """The values of the parameters that stand for the query and its user."""
    return {one.SYNTAX: one.query_text(query, user_id, completions or {}) for one in ALL}


def _found(matches: ColumnElement[Any]) -> Select[int]:
    return select(EventId().label("event_id")).select_from(text(TABLE)).where(matches)


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
    return select(Event.id).where(has_known_type(), ~IsIndexed(Event.id))


def _full_text(session: AsyncSession) -> FullText:
    return full_text_of(dialect_of(session))
