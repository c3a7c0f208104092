"""SQLAlchemy expressions about the documents in the index, compiled to the SQL of each database."""

from typing import Any

from sqlalchemy import BigInteger, Boolean
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import NullType

from app.notifications.search.full_text import ALL, full_text_of


class QueryText(FunctionElement[str]):
    """A query: one argument for each of ALL, of which the database gets the one in its syntax."""

    inherit_cache = True


class Expression(FunctionElement[Any]):
    """Compiled by the function `name` of sqlite.py or postgresql.py, from its compiled arguments.

    Each class sets `inherit_cache`, because SQLAlchemy ignores an inherited one.
    """

    name: str


class Matches(Expression):
    """Whether a document matches a QueryText.

    Without a type, since SQLAlchemy would write `= 1` after a Boolean, which FTS5 rejects.
    """

    inherit_cache = True
    name, type = "matches", NullType()


class EventId(Expression):
    """The id of a document's event."""

    inherit_cache = True
    name, type = "event_id", BigInteger()


class SortKey(Expression):
    """Sorts documents by event, in SQLite's storage order."""

    inherit_cache = True
    name, type = "sort_key", BigInteger()


class IsFound(Expression):
    """Whether the event with this id has a document that matches a QueryText."""

    inherit_cache = True
    name, type = "is_found", Boolean()


class IsIndexed(Expression):
    """Whether the event with this id has the document that every indexed event has: that of the
    unaffected readers.
    """

    inherit_cache = True
    name, type = "is_indexed", Boolean()


@compiles(QueryText)
def _choose(element: QueryText, compiler: SQLCompiler, **options: Any) -> str:
    texts = dict(zip(ALL, element.clauses, strict=True))
    return compiler.process(texts[full_text_of(compiler.dialect.name)], **options)


@compiles(Expression)
def _write(element: Expression, compiler: SQLCompiler, **options: Any) -> str:
    write = getattr(full_text_of(compiler.dialect.name), element.name)
    sql: str = write(*(compiler.process(one, **options) for one in element.clauses))
    return sql
