"""Searching in names."""

from typing import Any

from sqlalchemy import ColumnElement, false
from sqlalchemy.orm import InstrumentedAttribute

LONGEST_TEXT = 400


def contains(column: InstrumentedAttribute[Any], text: str) -> ColumnElement[bool]:
    """Whether the column contains `text`. A text of over 400 characters matches nothing: no name is
    that long, and databases may refuse the pattern (SQLite beyond 50,000 bytes).
    """
    return false() if len(text) > LONGEST_TEXT else column.contains(text, autoescape=True)
