"""The mark that an installation has moved to another database.

It prevents starting on the old database by accident, which would send the same mails again. With
SQLite it is a file beside the unchanged database, with PostgreSQL a row.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import msgspec
from sqlalchemy import Connection, delete, insert, inspect, select

from app.backup.snapshot import open_engine
from app.language import _
from app.models import GeneratedKey
from app.settings import SettingError, Settings

# Rows beside the keys. ARRIVING is in a new database until the old one is marked.
MOVED, ARRIVING = "moved_to", "arriving"


class Mark(msgspec.Struct, frozen=True):
    """`id` is that of the move; `to` names the other database, without a password."""

    id: str
    to: str
    at: datetime


def require_here(settings: Settings) -> None:
    """Raises SettingError if the installation has moved away, or has not arrived yet."""
    if mark := read_mark(settings):
        sentence = _(
            "DATABASE_URL must be set to {database}: this installation was moved there on {date}. "
            "`python -m app move --undo` makes the database that was left behind usable again."
        )
        raise SettingError(sentence.format(database=mark.to, date=f"{mark.at:%Y-%m-%d}"))
    if is_arriving(settings):
        sentence = _(
            "DATABASE_URL names a database to which a move was interrupted. Run the same `python "
            "-m app move` again, with the old DATABASE_URL."
        )
        raise SettingError(sentence)


def read_mark(settings: Settings) -> Mark | None:
    if settings.is_sqlite:
        path = _mark_file(settings)
        written = path.read_bytes() if path.exists() else b""
    else:
        with _rows(settings) as connection:
            written = _read_row(connection, MOVED).encode()
    return msgspec.json.decode(written, type=Mark) if written else None


def write_mark(settings: Settings, mark: Mark) -> None:
    if settings.is_sqlite:
        path = _mark_file(settings)
        draft = path.with_name(f".{path.name}.draft")
        draft.write_bytes(msgspec.json.encode(mark))
        draft.replace(path)
        return
    with _rows(settings) as connection:
        write_row(connection, MOVED, msgspec.json.encode(mark).decode())


def remove_mark(settings: Settings) -> None:
    if settings.is_sqlite:
        _mark_file(settings).unlink(missing_ok=True)
        return
    with _rows(settings) as connection:
        _remove_row(connection, MOVED)


def is_arriving(settings: Settings, move: str = "") -> bool:
    """Whether a move to this PostgreSQL database, the one with this id if given, is not complete."""
    if settings.is_sqlite:
        return False
    with _rows(settings) as connection:
        found = _read_row(connection, ARRIVING)
    return found == move if move else bool(found)


def arrive(settings: Settings) -> None:
    with _rows(settings) as connection:
        _remove_row(connection, ARRIVING)


def write_row(connection: Connection, name: str, value: str) -> None:
    connection.execute(insert(GeneratedKey).values(name=name, value=value))


def _mark_file(settings: Settings) -> Path:
    return settings.sqlite_path.with_name(f"{settings.sqlite_path.name}-moved")


@contextmanager
def _rows(settings: Settings) -> Iterator[Connection]:
    engine = open_engine(settings.database_url)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def _read_row(connection: Connection, name: str) -> str:
    """ "" if there is none, or no schema yet."""
    if not inspect(connection).has_table(str(GeneratedKey.__table__)):
        return ""
    chosen = select(GeneratedKey.value).where(GeneratedKey.name == name)
    return connection.execute(chosen).scalar_one_or_none() or ""


def _remove_row(connection: Connection, name: str) -> None:
    connection.execute(delete(GeneratedKey).where(GeneratedKey.name == name))
