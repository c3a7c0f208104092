"""The base of every table with an integer id."""

from typing import Any

from advanced_alchemy.base import IdentityBase as _IdentityBase
from sqlalchemy import Table


class IdentityBase(_IdentityBase):
    """A table whose ids are never reused. By default, SQLite may reuse the id of a deleted row
    (https://www.sqlite.org/autoinc.html); PostgreSQL's sequences never do.
    """

    __abstract__ = True

    @classmethod
    def __table_cls__(cls, *columns: Any, **options: Any) -> Table:
        return Table(*columns, **options, sqlite_autoincrement=True)
