"""Searching in names."""

from typing import Any

from sqlalchemy import ColumnElement, false
from sqlalchemy.orm import InstrumentedAttribute

LONGEST_TEXT = 400


def contains(column: InstrumentedAttribute[Any], text: str) -> ColumnElement[bool]:
    """Whether `text` occurs in the column. No name is as long as a text of over 400 characters,
    which databases may refuse: SQLite's patterns end at 50,000 bytes.
    """
    return false() if len(text) > LONGEST_TEXT else column.contains(text, autoescape=True)
