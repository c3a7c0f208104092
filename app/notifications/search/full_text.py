"""Which full-text search the database has: sqlite.py or postgresql.py. No other module chooses."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from sqlalchemy import TextClause
from sqlalchemy.ext.asyncio import AsyncSession

from app.notifications.search import postgresql, sqlite
from app.notifications.search.documents import Document
from app.notifications.search.query import Query


class FullText(Protocol):
    """What the index needs of a database. Texts of SQL go into statements of SQLAlchemy, by
    expressions.py.
    """

    SYNTAX: str
    INSERT: TextClause
    DELETE: TextClause

    def values_of(self, document: Document, /) -> dict[str, Any]:
        """The parameters of INSERT."""

    def query_text(
        self, query: Query, user_id: int, completions: Mapping[str, Sequence[str]], /
    ) -> str:
        """What the user looks for, in this database's syntax."""

    async def completions_of(
        self, session: AsyncSession, query: Query, /
    ) -> Mapping[str, Sequence[str]]:
        """The completions of the prefixes in the query, by prefix, as far as `query_text` needs them."""

    def event_id(self) -> str:
        """SQL: the event of a document."""

    def sort_key(self) -> str:
        """SQL: what puts the documents in the order of their events."""

    def matches(self, query: str, /) -> str:
        """SQL: whether a document matches the query."""

    def is_found(self, event_id: str, query: str, /) -> str:
        """SQL: whether this event has a document that matches the query."""

    def is_indexed(self, event_id: str, /) -> str:
        """SQL: whether this event has a document."""


ALL: tuple[FullText, ...] = (sqlite, postgresql)


def full_text_of(dialect: str) -> FullText:
    return sqlite if dialect == "sqlite" else postgresql
