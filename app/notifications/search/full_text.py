"""Chooses the full-text search of the database in use, sqlite.py or postgresql.py; no other module does."""

from typing import Any, Protocol

from sqlalchemy import TextClause
from sqlalchemy.ext.asyncio import AsyncSession

from app.notifications.search import postgresql, sqlite
from app.notifications.search.documents import Document
from app.notifications.search.query import Completions, Query


class FullText(Protocol):
    """What both modules offer. expressions.py turns the methods that return SQL into expressions."""

    SYNTAX: str  # names the query syntax, and the bind parameter of a query in it
    INSERT: TextClause  # one document, with the parameters of `values_of`
    DELETE: TextClause  # all documents of the event :event_id

    def values_of(self, document: Document, /) -> dict[str, Any]:
        """The parameters of INSERT for this document."""

    def query_text(self, query: Query, user_id: int, completions: Completions, /) -> str:
        """The words of the query in this syntax, limited to documents that the user may read."""

    async def completions_of(self, session: AsyncSession, query: Query, /) -> Completions:
        """The words that start with each prefix in the query, as far as `query_text` needs them."""

    def event_id(self) -> str:
        """SQL: the id of a document's event."""

    def sort_key(self) -> str:
        """SQL: sorts documents by event, in storage order."""

    def matches(self, query: str, /) -> str:
        """SQL: whether a document matches the query."""

    def is_found(self, event_id: str, query: str, /) -> str:
        """SQL: whether this event has a document that matches the query."""

    def is_indexed(self, event_id: str, /) -> str:
        """SQL: whether this event has a document."""


ALL: tuple[FullText, ...] = (sqlite, postgresql)


def full_text_of(dialect: str) -> FullText:
    return sqlite if dialect == "sqlite" else postgresql
