"""Searching in names, and their order."""

from typing import Any

from sqlalchemy import ColumnElement, String, false
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

LONGEST_TEXT = 400


def contains(column: InstrumentedAttribute[Any], text: str) -> ColumnElement[bool]:
    """Whether the column contains `text`. A text of over 400 characters matches nothing: no name is
    that long, and databases may refuse the pattern (SQLite beyond 50,000 bytes).
    """
    return false() if len(text) > LONGEST_TEXT else column.contains(text, autoescape=True)


class by_code_point(FunctionElement[str]):
    """A text that is compared and sorted by its code points.

    SQLite does so anyway; PostgreSQL uses the collation that its administrator chose, which may
    ignore punctuation.
    """

    type = String()
    inherit_cache = True


@compiles(by_code_point)
def _as_it_is(element: by_code_point, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.clauses, **options)


@compiles(by_code_point, "postgresql")
def _in_collation_c(element: by_code_point, compiler: SQLCompiler, **options: Any) -> str:
    return f'({compiler.process(element.clauses, **options)}) COLLATE "C"'
