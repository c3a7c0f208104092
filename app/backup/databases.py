"""The databases that backups are made of and restored to: whether one is in use or vacant, and how
a new one is put in place, complete or not at all.
"""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from advanced_alchemy.base import orm_registry
from sqlalchemy import Connection, inspect, text
from sqlalchemy.engine import make_url

from app import models
from app.backup.snapshot import QUEUE, open_engine
from app.backup.target import Target
from app.database.hold import RELEASE_ALONE, TAKE_ALONE, file_alone, in_use
from app.errors import Conflict
from app.language import _
from app.notifications.search import index
from app.notifications.search.sqlite import SHADOW_TABLES
from app.settings import Settings

assert models  # its import fills the metadata

OURS = set(orm_registry.metadata.tables) | {"alembic_version", *index.TABLES}

FUNCTIONS = """
SELECT DISTINCT tgfoid::regprocedure::text FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
WHERE relnamespace = current_schema()::regnamespace AND relname = ANY (:tables) AND NOT tgisinternal
"""


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """Reserves the database for this block. Raises Conflict if any process is using it."""
    if settings.is_sqlite:
        with file_alone(settings.sqlite_path):
            yield
        return
    engine = open_engine(settings.database_url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            if not connection.execute(text(TAKE_ALONE)).scalar_one():
                raise in_use()
            try:
                yield
            finally:  # at once: the server ends a session some time after its connection
                connection.execute(text(RELEASE_ALONE))
    finally:
        engine.dispose()


def shown(settings: Settings) -> str:
    """The database as a sentence can name it, without a password."""
    if settings.is_sqlite:
        return str(settings.sqlite_path)
    url = make_url(settings.database_url)
    return url.set(password=None, query={}).render_as_string()


def draft_of(database: Path) -> Path:
    """Where a SQLite database is filled."""
    return database.with_name(f".{database.name}.draft")


def require_vacant(settings: Settings) -> None:
    """Raises Conflict unless the database is vacant: it may have our tables, but no users and no
    tables of others.
    """
    if settings.is_sqlite:
        _require_vacant_file(settings.sqlite_path)
        return
    engine = open_engine(settings.database_url)
    try:
        with engine.connect() as connection:
            _require_no_users(connection, shown(settings))
    finally:
        engine.dispose()


def is_there(settings: Settings) -> bool:
    """Whether the database has a schema."""
    if settings.is_sqlite and not settings.sqlite_path.exists():
        return False
    engine = open_engine(settings.database_url)
    try:
        with engine.connect() as connection:
            return inspect(connection).has_table("alembic_version")
    finally:
        engine.dispose()


def _require_vacant_file(path: Path) -> None:
    if not path.exists():
        for left in (path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
            if left.exists():
                sentence = _(
                    "{left} belongs to a database that was moved away. Move it there as well."
                )
                raise Conflict(sentence.format(left=left))
        return
    engine = open_engine(f"sqlite:///{path}")
    try:
        with engine.connect() as connection:
            _require_no_users(connection, str(path))
    except sqlite3.DatabaseError:
        raise _occupied(str(path)) from None
    finally:
        engine.dispose()


def _require_no_users(connection: Connection, database: str) -> None:
    tables = inspect(connection).get_table_names()
    if any(name not in OURS and not name.startswith(QUEUE) for name in tables):
        sentence = _("{database} holds tables that are not ClippyFront's. Name an empty database.")
        raise Conflict(sentence.format(database=database))
    if "user" in tables and connection.exec_driver_sql('SELECT 1 FROM "user" LIMIT 1').first():
        raise _occupied(database)


def _occupied(database: str) -> Conflict:
    sentence = _(
        "{database} is not empty. Name another database, or move this one out of the way first."
    )
    return Conflict(sentence.format(database=database))


@contextmanager
def building(settings: Settings) -> Iterator[Target]:
    """A new database in place of a vacant one. With PostgreSQL it is there when the block has ended,
    with SQLite after `publish`. If the block raises, or is killed, nothing has changed.
    """
    url = settings.database_url
    if settings.is_sqlite:
        draft = draft_of(settings.sqlite_path)
        draft.unlink(missing_ok=True)
        url = f"sqlite:///{draft}"
    try:
        engine = open_engine(url)
        try:
            with engine.begin() as connection:
                _drop_tables(connection)
                yield Target(connection)
                _require_sound_references(connection)
            with engine.begin() as connection:
                # Without statistics, the first queries of large tables would be slow.
                connection.exec_driver_sql("ANALYZE")
        finally:
            engine.dispose()
        if settings.is_sqlite:
            sync(draft)
    except BaseException:
        if settings.is_sqlite:
            draft.unlink(missing_ok=True)
        raise


def _drop_tables(connection: Connection) -> None:
    """Those of a vacant database, and the functions of their triggers."""
    is_sqlite = connection.dialect.name == "sqlite"
    tables = (OURS - {*SHADOW_TABLES}) & set(inspect(connection).get_table_names())
    functions: Sequence[str] = []
    if not is_sqlite:
        functions = connection.execute(text(FUNCTIONS), {"tables": list(tables)}).scalars().all()
    for name in tables:
        connection.exec_driver_sql(f'DROP TABLE "{name}"' + ("" if is_sqlite else " CASCADE"))
    for function in functions:
        connection.exec_driver_sql(f"DROP FUNCTION {function}")


def _require_sound_references(connection: Connection) -> None:
    """SQLite checks them only when it is asked to."""
    if connection.dialect.name != "sqlite":
        return
    if dangling := connection.exec_driver_sql("PRAGMA foreign_key_check").all():
        raise RuntimeError(f"There are {len(dangling)} dangling references.")


def publish(settings: Settings) -> None:
    """Gives the draft of a SQLite database its name. A vacant database there is replaced."""
    if settings.is_sqlite:
        path = settings.sqlite_path
        _empty_log(path)
        draft_of(path).replace(path)
        sync(path.parent)


def _empty_log(path: Path) -> None:
    """Otherwise SQLite would apply the vacant database's write-ahead log to the new one."""
    if path.exists():
        with closing(sqlite3.connect(path)) as vacant:
            vacant.execute("PRAGMA journal_mode=DELETE")


def sync(path: Path) -> None:
    """Waits until the file, or the folder's list of names, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
