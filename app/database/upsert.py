"""INSERT … ON CONFLICT: SQLAlchemy has it for each dialect, but not in its common `insert`."""

from advanced_alchemy.base import CommonTableAttributes
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession


def insert_into(
    session: AsyncSession, model: type[CommonTableAttributes]
) -> sqlite.Insert | postgresql.Insert:
    """An INSERT for the session's database, to which `on_conflict_do_…` can be added."""
    return insert_on(dialect_of(session), model)


def insert_on(
    dialect: str, model: type[CommonTableAttributes]
) -> sqlite.Insert | postgresql.Insert:
    """The same for a statement that is kept."""
    return sqlite.insert(model) if dialect == "sqlite" else postgresql.insert(model)


def dialect_of(session: AsyncSession) -> str:
    return session.get_bind().dialect.name
