"""Any number of ids as a single parameter.

`IN (?, ?, …)` is a different statement for each number of ids, generated and planned again each
time, and databases limit the number of parameters.
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    BindParameter,
    Dialect,
    Select,
    String,
    TypeDecorator,
    bindparam,
    select,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine


def ids_in(parameter: str) -> Select[int]:
    """The ids in this parameter of the statement, a collection: `column.in_(ids_in("users"))`."""
    return _listed(bindparam(parameter, type_=_IdList()))


def these(ids: Collection[int]) -> Select[int]:
    """The same for ids that are known when the statement is built."""
    return _listed(bindparam(None, ids, type_=_IdList()))


def _listed(parameter: BindParameter[Collection[int]]) -> Select[int]:
    listed = _elements(parameter).table_valued("value", name="value")
    return select(listed.c.value)


class _IdList(TypeDecorator[Collection[int]]):
    """JSON on SQLite, an array on PostgreSQL."""

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(String() if dialect.name == "sqlite" else ARRAY(BigInteger))

    def process_bind_param(self, value: Collection[int] | None, dialect: Dialect) -> Any:
        ids = value or ()
        return f"[{','.join(map(str, ids))}]" if dialect.name == "sqlite" else list(ids)


class _elements(FunctionElement[int]):
    name = "elements"
    inherit_cache = True


@compiles(_elements)
def _elements_elsewhere(element: _elements, compiler: SQLCompiler, **options: Any) -> str:
    return f"unnest({compiler.process(element.clauses, **options)})"


@compiles(_elements, "sqlite")
def _elements_on_sqlite(element: _elements, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **options)})"
