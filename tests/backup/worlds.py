"""An installation with at least one row in every table, and what of it must survive."""

import asyncio
from pathlib import Path
from typing import Any

from advanced_alchemy.base import orm_registry
from advanced_alchemy.types import DateTimeUTC
from alembic import command
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    DateTime,
    Float,
    Integer,
    MetaData,
    Table,
    select,
    update,
)

from app import clock
from app.accounts.avatars import avatar_path
from app.backup.snapshot import LEFT_OUT, is_kept, open_engine, reading
from app.database import Database
from app.database.keys import SECRET_KEY, kept_key, random_key, write_keys
from app.database.migrations import config, migrate
from app.models import Clip, Compilation, User
from app.projects.media_storage import clip_path, thumbnail_path, video_path
from app.settings import Settings, load
from tests.factories import make_account, make_team

AVATAR = "5eed" * 8
ODD = "Zoë 🎬 \u202e \\N \\. \t“quoted”\n 100 %"


def new_settings(folder: Path, url: str = "", **more: str) -> Settings:
    folder.mkdir(exist_ok=True)
    return load({"DATA_DIR": str(folder), "DATABASE_URL": url, "DEMO": "0", **more})


def make_world(settings: Settings) -> None:
    """Alice and Bob with a team, and a row of odd values in each table that is still empty."""
    asyncio.run(_make_people(settings))
    write_keys(settings, {"vapid_private_key": "GCc0W3zik0xx9s5AhxKOzShTJog2bOeX2qzj8f4KyEI"})
    with connected(settings) as connection:
        for table in orm_registry.metadata.sorted_tables:
            if not connection.execute(select(table).limit(1)).first():
                connection.execute(table.insert().values(_row(connection, table)))
    make_media(settings)


def make_older_world(settings: Settings, revision: str) -> None:
    """A row of odd values in each table of an older schema."""
    older = MetaData()
    with connected(settings) as connection:
        command.upgrade(config(connection), revision)
        older.reflect(connection, only=lambda name, _found: is_kept(name))
        for table in older.sorted_tables:
            connection.execute(table.delete())
            connection.execute(table.insert().values(_row(connection, table)))


async def _make_people(settings: Settings) -> None:
    db = Database(settings.database_url)
    await migrate(db, settings)
    kept_key(settings, SECRET_KEY, random_key)
    alice, bob = await make_account(db, "alice"), await make_account(db, "bob")
    await make_team(db, alice, ODD, editors=[bob])
    async with db.write() as session:
        await session.execute(update(User).values(avatar=AVATAR))
    await db.close()


def _row(connection: Connection, table: Table) -> dict[str, Any]:
    values = {column.name: _value(connection, column) for column in table.columns}
    if "id" in values and table.columns["id"].autoincrement is not False:
        del values["id"]
    return values | SENSIBLE.get(table.name, {})


SENSIBLE: dict[str, dict[str, Any]] = {
    "clip": {"stored_as": "0123456789abcdef"},
    "compilation": {"status": "completed", "video_removed_at": None},
    "delivery": {"state": "sent", "claimed_by": None},
}


def _value(connection: Connection, column: "Column[Any]") -> Any:
    for key in column.foreign_keys:
        return connection.execute(select(key.column).order_by(key.column).limit(1)).scalar_one()
    if isinstance(column.type, JSON):
        return {"names": [ODD, "\x00"], "number": 1.5, "nothing": None}
    if isinstance(column.type, Boolean):
        return True
    if isinstance(column.type, DateTimeUTC | DateTime):
        return clock.now().replace(microsecond=0)
    if isinstance(column.type, Float):
        return 0.1 + 0.2
    if isinstance(column.type, Integer):
        return 7
    return ODD[: getattr(column.type, "length", None)]


def make_media(settings: Settings) -> None:
    with connected(settings) as connection:
        clips = connection.execute(select(Clip.stored_as)).scalars().all()
        videos = connection.execute(select(Compilation.id)).scalars().all()
        users = connection.execute(select(User.id)).scalars().all()
    paths = [clip_path(settings, one) for one in clips]
    paths += [avatar_path(settings, one, AVATAR) for one in users]
    for one in videos:
        paths += [video_path(settings, one), thumbnail_path(settings, one)]
    for path in paths:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(path.name.encode() * 1000)


class connected:
    """`with connected(settings) as connection`: a transaction of our own."""

    def __init__(self, settings: Settings) -> None:
        self._engine = open_engine(settings.database_url)

    def __enter__(self) -> Connection:
        self._begun = self._engine.begin()
        return self._begun.__enter__()

    def __exit__(self, *error: Any) -> None:
        self._begun.__exit__(*error)
        self._engine.dispose()


def rows_of(settings: Settings) -> dict[str, list[str]]:
    """Every kept row, by table, in an order of their own."""
    with reading(settings.database_url) as snapshot:
        return {
            table.name: sorted(repr(row) for row in snapshot.rows(table))
            for table in snapshot.tables()
        }


def values_of(settings: Settings) -> dict[str, list[dict[str, Any]]]:
    """Every kept row, by table, its values by column."""
    with reading(settings.database_url) as snapshot:
        return {
            table.name: [
                dict(zip((column.name for column in table.columns), row, strict=True))
                for row in snapshot.rows(table)
            ]
            for table in snapshot.tables()
        }


def last_ids(settings: Settings) -> dict[str, int | None]:
    with reading(settings.database_url) as snapshot:
        return {table.name: table.sequence for table in snapshot.tables()}


def every_table() -> set[str]:
    return set(orm_registry.metadata.tables) - LEFT_OUT


def media_of(settings: Settings) -> dict[str, bytes]:
    files = [path for path in settings.media_dir.rglob("*") if path.is_file()]
    return {str(path.relative_to(settings.media_dir)): path.read_bytes() for path in files}
