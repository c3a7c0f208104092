"""INSERT … ON CONFLICT: SQLAlchemy has it for each dialect, but not in its common `insert`."""

from advanced_alchemy.base import CommonTableAttributes
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession


def insert_into(
    session: AsyncSession, model: type[CommonTableAttributes]
) -> sqlite.Insert | postgresql.Insert:
    """An INSERT for the session's database, to which `on_conflict_do_…` can be added."""
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    return sqlite.insert(model) if is_sqlite else postgresql.insert(model)
