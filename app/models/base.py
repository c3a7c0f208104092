"""The base of every table with an integer id, and indexes of some of the rows."""

from typing import Any

from advanced_alchemy.base import IdentityBase as _IdentityBase
from sqlalchemy import Index, Table, text


class IdentityBase(_IdentityBase):
    """A table whose ids are never reused. By default, SQLite may reuse the id of a deleted row
    (https://www.sqlite.org/autoinc.html); PostgreSQL's sequences never do.
    """

    __abstract__ = True

    @classmethod
    def __table_cls__(cls, *columns: Any, **options: Any) -> Table:
        return Table(*columns, **options, sqlite_autoincrement=True)


def partial_index(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """An index of the rows that meet the condition `where`, in SQL."""
    condition = text(where)
    return Index(name, *columns, unique=unique, sqlite_where=condition, postgresql_where=condition)
