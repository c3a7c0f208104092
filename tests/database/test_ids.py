"""No table hands out an id twice, whichever of its rows are deleted, before the migration or after."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from advanced_alchemy.base import orm_registry

from app.database import Database
from app.database.migrations import migrate
from app.settings import Settings, load
from tests.factories import SECRET_KEY

pytestmark = pytest.mark.sqlite

OLD = (Path(__file__).parent / "released" / "0003.sql").read_text()
FORMER_NAMES = {"user": "account"}
TABLES = [
    table.name
    for table in orm_registry.metadata.sorted_tables
    if "id" in table.c and table.c.id.autoincrement
    if f"CREATE TABLE {FORMER_NAMES.get(table.name, table.name)} (" in OLD
]
# Their ids are positions of the streams, or were never used twice: they go on where they are.
CONTINUED = ("change", "notification")


@pytest.fixture
def old(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A database that an earlier version wrote, before its migration."""
    with closing(sqlite3.connect(tmp_path / "clippyfront.db", isolation_level=None)) as database:
        database.executescript(OLD)
        database.execute("PRAGMA foreign_keys=ON")
        yield database


async def opened(old: sqlite3.Connection) -> sqlite3.Connection:
    """The same database once this version has migrated it."""
    folder = Path(old.execute("PRAGMA database_list").fetchone()[2]).parent
    settings = load({"DATA_DIR": str(folder), "SECRET_KEY": SECRET_KEY})
    db = Database(settings.database_url)
    await migrate(db, settings)
    await db.close()
    return old


@pytest.mark.parametrize("table", TABLES)
async def test_an_id_deleted_after_the_migration_does_not_come_again(
    old: sqlite3.Connection, table: str
) -> None:
    database = await opened(old)
    given = ids(database, table)
    for _again in range(2):
        new = replace_newest(database, table)
        assert new > max(given), table
        given.append(new)


@pytest.mark.parametrize("table", TABLES)
async def test_an_id_deleted_before_the_migration_does_not_come_again(
    old: sqlite3.Connection, table: str
) -> None:
    former = FORMER_NAMES.get(table, table)
    given = ids(old, former)
    old.execute(f"DELETE FROM {former} WHERE id > (SELECT min(id) FROM {former})")

    assert replace_newest(await opened(old), table) > max(given)


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("UPDATE delivery SET context = :json WHERE id = 3", 4_000_000),
        ("UPDATE event SET context = :json WHERE id = (SELECT max(id) FROM event)", 4_000_000),
        ("UPDATE delivery SET bundle_id = 4000000 WHERE id = 1", 4_000_000),
        ("UPDATE delivery SET address = 'Firefox #4000000' WHERE id = 1", 4_000_000),
    ],
)
async def test_an_id_that_some_row_still_names_does_not_come_again(
    old: sqlite3.Connection, statement: str, named: int
) -> None:
    facts = {"invitation_id": named, "thumbnail": f"/projects/1/compilations/{named}/thumbnail"}
    old.execute(statement, {"json": json.dumps(facts)} if ":json" in statement else {})

    database = await opened(old)

    for table in set(TABLES).difference(CONTINUED):
        assert replace_newest(database, table) > named, table


async def test_a_new_installation_counts_from_one(db: Database, settings: Settings) -> None:
    with closing(sqlite3.connect(settings.sqlite_path)) as database:
        assert database.execute("SELECT * FROM sqlite_sequence WHERE seq > 0").fetchall() == []


def ids(database: sqlite3.Connection, table: str) -> list[int]:
    return [id for (id,) in database.execute(f'SELECT id FROM "{table}"')]


def replace_newest(database: sqlite3.Connection, table: str) -> int:
    """Delete the row with the greatest id and store it again as a new one. Returns its new id."""
    cursor = database.execute(f'SELECT * FROM "{table}" ORDER BY id DESC LIMIT 1')
    names, row = [name for name, *_rest in cursor.description], cursor.fetchone()
    values: dict[str, Any] = dict(zip(names, row, strict=True))
    database.execute(f'DELETE FROM "{table}" WHERE id = ?', [values.pop("id")])
    columns, places = ", ".join(values), ", ".join("?" * len(values))
    inserted = database.execute(
        f'INSERT INTO "{table}" ({columns}) VALUES ({places})', list(values.values())
    )
    assert inserted.lastrowid
    return inserted.lastrowid
