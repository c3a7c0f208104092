"""Expressions about the documents of the index, for any statement: each database writes its own SQL."""

from typing import Any

from sqlalchemy import BigInteger, Boolean
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import NullType

from app.notifications.search.full_text import ALL, full_text_of


class QueryText(FunctionElement[str]):
    """Of the texts of a query, one for each of ALL, that in the syntax of the database."""

    inherit_cache = True


class Expression(FunctionElement[Any]):
    """SQL that the function `name` of sqlite.py or postgresql.py writes."""

    name: str


class Matches(Expression):
    """Whether a document matches a QueryText.

    Of no type: SQLAlchemy would compare a Boolean with 1, which FTS5 does not understand.
    """

    inherit_cache = True
    name, type = "matches", NullType()


class EventId(Expression):
    """The event of a document."""

    inherit_cache = True
    name, type = "event_id", BigInteger()


class SortKey(Expression):
    """What the documents of an event are ordered by, as SQLite keeps them."""

    inherit_cache = True
    name, type = "sort_key", BigInteger()


class IsFound(Expression):
    """Whether the event with this id has a document that matches a QueryText."""

    inherit_cache = True
    name, type = "is_found", Boolean()


class IsIndexed(Expression):
    """Whether the event with this id has a document. The one for those it did not happen to is
    always there.
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
