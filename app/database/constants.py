"""Values written into a statement instead of being passed as parameters.

With parameters, SQLAlchemy would generate `IN (?, ?, …)` again each time the statement runs.
"""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, literal_column


def constants(names: Iterable[str]) -> list[ColumnElement[str]]:
    """For `column.in_(constants(…))`; `names` are our own, such as types and states."""
    return [_constant(name) for name in names]


def _constant(name: str) -> ColumnElement[str]:
    if not name.isidentifier():
        raise ValueError(f"{name!r} is no name of ours.")
    return literal_column(f"'{name}'")
