"""Every row of the database: taken out, kept, put back. Quicker than making a world once more."""

from typing import Any

from advanced_alchemy.base import orm_registry
from sqlalchemy import Select, Table, delete, insert, select

from app.database import Database

Rows = dict[Table, list[dict[str, Any]]]
TABLES = orm_registry.metadata.sorted_tables


async def empty(db: Database) -> None:
    async with db.write() as session:
        for table in reversed(TABLES):
            await session.execute(delete(table))


async def read_rows(db: Database) -> Rows:
    """In the order of their keys; PostgreSQL has a row that was changed come last."""
    async with db.read() as session:
        return {
            table: [dict(row) for row in (await session.execute(_by_key(table))).mappings()]
            for table in TABLES
        }


def _by_key(table: Table) -> Select[Any]:
    return select(table).order_by(*table.primary_key)


async def put_back(db: Database, rows: Rows) -> None:
    async with db.write() as session:
        for table in TABLES:
            if rows[table]:
                await session.execute(insert(table), rows[table])
