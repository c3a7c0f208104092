"""The values of rows in a form that does not depend on the database.

A value is a str, int, float, bool or None. JSON stays the text it is, and a moment is text in UTC
with microseconds, like 2026-11-28T21:00:00.000000Z.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import types

Value = str | int | float | bool | None
Row = list[Value]

BOOL, FLOAT, INT, JSON, TEXT, TIME = "bool", "float", "int", "json", "text", "time"
KINDS: tuple[tuple[type[types.TypeEngine[Any]], str], ...] = (
    (types.JSON, JSON),
    (types.Boolean, BOOL),
    (types.DateTime, TIME),
    (types.Integer, INT),
    (types.Float, FLOAT),
    (types.String, TEXT),
)
# PostgreSQL cannot store this character in text, and JSON writes it as an escape.
NUL, REPLACEMENT = "\x00", "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True)
class Column:
    name: str
    kind: str


@dataclass(frozen=True)
class Table:
    """`sequence` is the last id that was given out; None if the table's ids are not numbered."""

    name: str
    columns: tuple[Column, ...]
    sequence: int | None = None


def kind_of(column_type: types.TypeEngine[Any]) -> str:
    """Raises TypeError for a type that backups do not support yet."""
    for known, kind in KINDS:
        if isinstance(column_type, known):
            return kind
    raise TypeError(f"Backups do not know the type {column_type!r} yet.")


Converter = Callable[[Any], Value]


def from_sqlite(kind: str) -> Converter:
    converters: dict[str, Converter] = {BOOL: bool, TIME: _time_from_text, FLOAT: float}
    return converters.get(kind, _as_it_is)


def from_postgresql(kind: str) -> Converter:
    """JSON must have been selected as text."""
    return _time if kind == TIME else _as_it_is


def to_sqlite(kind: str) -> Converter:
    converters: dict[str, Converter] = {BOOL: int, TIME: _time_for_sqlite}
    return converters.get(kind, _as_it_is)


def to_postgresql(kind: str) -> Converter:
    return _without_nul if kind == TEXT else _as_it_is


def convert(row: Any, converters: list[Converter]) -> Row:
    return [
        None if value is None else converter(value)
        for value, converter in zip(row, converters, strict=True)
    ]


def _as_it_is(value: Any) -> Value:
    return value  # type: ignore[no-any-return]


def _time_from_text(value: str) -> str:
    return _time(datetime.fromisoformat(value))


def _time(value: datetime) -> str:
    """SQLite has no zones: what it stores is in UTC."""
    moment = value.astimezone(UTC) if value.tzinfo else value
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _time_for_sqlite(value: str) -> str:
    return value.removesuffix("Z").replace("T", " ")


def _without_nul(value: str) -> str:
    return value.replace(NUL, REPLACEMENT)
