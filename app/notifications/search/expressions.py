"""SQLAlchemy expressions about the documents in the index, compiled to the SQL of each database."""

from typing import Any

from sqlalchemy import BigInteger, Boolean
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import NullType, TypeEngine

from app.notifications.search.full_text import ALL, full_text_of


class QueryText(FunctionElement[str]):
    """A query: one argument for each of ALL, of which the database gets the one in its syntax."""

    inherit_cache = True


class Expression(FunctionElement[Any]):
    """Compiled by the function `name` of sqlite.py or postgresql.py, from its compiled arguments."""

    name: str

    def __init_subclass__(cls, name: str, type: TypeEngine[Any]) -> None:
        super().__init_subclass__()
        cls.name, cls.type = name, type
        cls.inherit_cache = True  # SQLAlchemy ignores an inherited one


class Matches(Expression, name="matches", type=NullType()):
    """Whether a document matches a QueryText.

    Without a type, since SQLAlchemy would write `= 1` after a Boolean, which FTS5 rejects.
    """


class EventId(Expression, name="event_id", type=BigInteger()):
    """The id of a document's event."""


class SortKey(Expression, name="sort_key", type=BigInteger()):
    """Sorts documents by event, in SQLite's storage order."""


class IsFound(Expression, name="is_found", type=Boolean()):
    """Whether the event with this id has a document that matches a QueryText."""


class IsIndexed(Expression, name="is_indexed", type=Boolean()):
    """Whether the event with this id has the document that every indexed event has: that of the
    unaffected readers.
    """


@compiles(QueryText)
def _choose(element: QueryText, compiler: SQLCompiler, **options: Any) -> str:
    texts = dict(zip(ALL, element.clauses, strict=True))
    return compiler.process(texts[full_text_of(compiler.dialect.name)], **options)


@compiles(Expression)
def _write(element: Expression, compiler: SQLCompiler, **options: Any) -> str:
    write = getattr(full_text_of(compiler.dialect.name), element.name)
    sql: str = write(*(compiler.process(one, **options) for one in element.clauses))
    return sql
