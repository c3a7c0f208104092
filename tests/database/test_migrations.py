"""The migrations and the models define the same schema, and a failed migration changes nothing."""

import re
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from advanced_alchemy.base import orm_registry
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, create_engine, select, text

from app import clock
from app.database import Database
from app.database.migrations import alter, config, migrate, revisions
from app.models import Delivery, Team, User
from app.models.notification import SNOOZED
from app.notifications.search.index import TABLE
from app.settings import Settings

pytestmark = pytest.mark.sqlite


def differences(connection: Connection) -> list[object]:
    """Except the search index, which has no model."""
    context = MigrationContext.configure(
        connection,
        opts={"compare_type": True, "include_name": lambda name, *_: not is_index(name)},
    )
    return list(compare_metadata(context, orm_registry.metadata))


def is_index(name: str | None) -> bool:
    return (name or "").startswith(TABLE)


async def test_the_migrated_database_matches_the_models(db: Database) -> None:
    async with db.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_each_table_and_index_matches_the_models(settings: Settings, tmp_path: Path) -> None:
    made = create_engine(f"sqlite:///{tmp_path / 'made.db'}")
    orm_registry.metadata.create_all(made)
    made.dispose()
    with (
        closing(sqlite3.connect(tmp_path / "made.db")) as models,
        closing(sqlite3.connect(settings.sqlite_path)) as migrated,
    ):
        described = describe(migrated)
        described.pop("alembic_version")
        assert described == describe(models)


async def test_an_older_database_is_migrated_with_all_its_rows(
    db: Database, settings: Settings, alice: User
) -> None:
    await downgrade(db)

    assert await migrate(db, settings) is False

    current, newest = await revisions(db)
    assert current == newest
    async with db.read() as session:
        assert await session.get(User, alice.id)
    async with db.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_accounts_that_share_an_address_survive_the_way_back_and_forth(
    db: Database, settings: Settings, alice: User
) -> None:
    """An older schema has each address once: it is left to the account that has confirmed it."""
    async with db.write() as session:
        for name in ("mallory", "aIice"):
            other = User(username=name, username_key=name.casefold(), email=alice.email)
            other.email_key, other.password_hash = alice.email_key, alice.password_hash
            session.add(other)
    await downgrade(db)

    await migrate(db, settings)

    async with db.read() as session:
        users = (await session.scalars(select(User).order_by(User.id))).all()
    assert [user.username for user in users] == ["alice", "mallory", "aIice"]
    assert users[0].email_key == "alice@example.com"
    assert [user.username_skeleton for user in users] == ["allce", "mallory", "allce"]


async def test_what_was_snoozed_before_its_time_began_anew_does_not_expire(
    db: Database, settings: Settings
) -> None:
    back = clock.now() + timedelta(days=7)
    async with db.write() as session:
        for reason in (SNOOZED, "resting"):
            row = {"channel": "push", "address": "Firefox #1", "due_at": back, "reason": reason}
            session.add(Delivery(**row))
    await downgrade(db, "0032")

    await migrate(db, settings)

    async with db.read() as session:
        times = await session.scalars(select(Delivery.queued_at).order_by(Delivery.id))
        assert list(times) == [back, None]


async def test_a_complete_copy_of_the_earlier_database_is_kept(
    db: Database, settings: Settings, alice: User
) -> None:
    await downgrade(db)

    await migrate(db, settings)

    kept = settings.sqlite_path.with_suffix(".before-0001.db")
    with closing(sqlite3.connect(kept)) as copy:
        assert copy.execute("SELECT username FROM account").fetchall() == [(alice.username,)]
        assert copy.execute("SELECT version_num FROM alembic_version").fetchall() == [("0001",)]


async def test_a_migration_that_fails_leaves_foreign_keys_on(db: Database, alice: User) -> None:
    def fail(connection: Connection) -> None:
        connection.execute(text('DELETE FROM "user"'))
        raise LookupError

    async with db.engine.connect() as connection:
        with pytest.raises(LookupError):
            await alter(connection, fail)

        assert (await connection.execute(text("PRAGMA foreign_keys"))).scalar_one() == 1
    async with db.read() as session:
        assert await session.get(User, alice.id)


async def test_a_migration_that_would_leave_a_dangling_reference_fails(
    db: Database, alice: User, video_squad: Team
) -> None:
    def delete_users(connection: Connection) -> None:
        connection.execute(text('DELETE FROM "user"'))

    async with db.engine.connect() as connection:
        with pytest.raises(RuntimeError, match="1 dangling"):
            await alter(connection, delete_users)

        assert (await connection.execute(text("PRAGMA foreign_keys"))).scalar_one() == 1
    async with db.read() as session:
        assert await session.get(User, alice.id)


def describe(database: sqlite3.Connection) -> dict[str, Any]:
    """Each table and index. Left out are the order of columns, their defaults, which the models set
    in Python, and the names of foreign keys, which have the former name of a renamed table.
    """
    rows = database.execute(
        "SELECT name, sql FROM sqlite_master"
        " WHERE sql IS NOT NULL AND type != 'trigger' AND name != 'sqlite_sequence'"
    ).fetchall()
    schema = [(name, " ".join(sql.split())) for name, sql in rows if not is_index(name)]
    return {name: _describe(database, name, sql) for name, sql in schema}


def _describe(database: sqlite3.Connection, name: str, sql: str) -> Any:
    if not sql.startswith("CREATE TABLE"):
        return sql.replace('"', "")
    columns = database.execute(
        'SELECT name, type, "notnull", pk, hidden FROM pragma_table_xinfo(?)', [name]
    )
    keys = database.execute(
        'SELECT "from", "table", "to", on_update, on_delete FROM pragma_foreign_key_list(?)', [name]
    )
    unique = database.execute(
        "SELECT group_concat(columns.name) FROM pragma_index_list(?) AS indexes,"
        " pragma_index_info(indexes.name) AS columns"
        " WHERE indexes.origin = 'u' GROUP BY indexes.name",
        [name],
    )
    words = ("AUTOINCREMENT", "WITHOUT ROWID", "CHECK", "COLLATE", "GENERATED")
    return {
        "columns": set(columns),
        "keys": set(keys),
        "unique": set(unique),
        "words": {word: sql.count(word) for word in words},
        "names": set(re.findall(r"CONSTRAINT (\w+) (?:UNIQUE|CHECK)", sql)),
    }


async def downgrade(db: Database, revision: str = "0001") -> None:
    """Back to `revision`, with the newest changes still in the write-ahead log alone."""
    async with db.engine.connect() as connection:
        await connection.execute(text("PRAGMA wal_autocheckpoint=0"))
        await connection.commit()
        await alter(connection, lambda sync: command.downgrade(config(sync), revision))
