"""INSERT … ON CONFLICT, which SQLAlchemy offers for each dialect but not in its generic `insert`."""

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
    """The same by the name of the dialect, for a statement that is built once."""
    return sqlite.insert(model) if dialect == "sqlite" else postgresql.insert(model)


def dialect_of(session: AsyncSession) -> str:
    return session.get_bind().dialect.name
