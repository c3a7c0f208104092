"""The keys that an installation generates for itself unless a setting gives one.

With SQLite each is a file in DATA_DIR, readable by its owner alone. With PostgreSQL each is a row, so
that all hosts share it.
"""

import os
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import mkstemp

from app.language import _
from app.settings import SettingError, Settings

SECRET_KEY, VAPID_PRIVATE_KEY = "secret_key", "vapid_private_key"
NAMES = (SECRET_KEY, VAPID_PRIVATE_KEY)


def random_key() -> str:
    return secrets.token_urlsafe(48)


def kept_key(settings: Settings, name: str, make: Callable[[], str]) -> str:
    """The key with this name. `make` generates it on first use.

    Processes (on PostgreSQL, also hosts) that ask at the same time all get the same key.
    Raises SettingError for a PostgreSQL database that has not been migrated.
    """
    if not settings.is_sqlite:
        return _kept_row(settings, name, make)
    path = settings.data_dir / name
    if not path.exists():
        _write(path, make(), replace=False)
    return path.read_text().strip()


def read_keys(settings: Settings) -> dict[str, str]:
    """Every kept key by its name. Like `write_keys`, for moving to another database."""
    if not settings.is_sqlite:
        return _rows(settings)
    paths = [settings.data_dir / name for name in NAMES]
    return {path.name: path.read_text().strip() for path in paths if path.exists()}


def write_keys(settings: Settings, keys: Mapping[str, str]) -> None:
    """Keeps these keys in place of those with the same names."""
    if not settings.is_sqlite:
        _write_rows(settings, keys)
        return
    for name, key in keys.items():
        _write(settings.data_dir / name, key, replace=True)


def _write(path: Path, key: str, *, replace: bool) -> None:
    """The file is complete before it gets its name: web and worker may start at the same time."""
    handle, name = mkstemp(dir=path.parent, prefix=f".{path.name}.")
    draft = Path(name)
    try:
        with open(handle, "w") as file:
            file.write(key)
        if replace:
            draft.replace(path)
        else:
            with suppress(FileExistsError):
                os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)


INSERT = "INSERT INTO generated_key (name, value) VALUES (%s, %s) ON CONFLICT (name)"


def _kept_row(settings: Settings, name: str, make: Callable[[], str]) -> str:
    from app.database.server_check import connected, has_schema

    chosen = "SELECT value FROM generated_key WHERE name = %s"
    with connected(settings) as connection:
        if not has_schema(connection):
            raise SettingError(
                _("DATABASE_URL names a database without keys before the first start.")
            )
        row = connection.execute(chosen, [name]).fetchone()
        if row is None:
            connection.execute(f"{INSERT} DO NOTHING", [name, make()])
            row = connection.execute(chosen, [name]).fetchone()
    assert row
    return str(row[0])


def _rows(settings: Settings) -> dict[str, str]:
    from app.database.server_check import connected

    with connected(settings) as connection:
        return dict(connection.execute("SELECT name, value FROM generated_key").fetchall())


def _write_rows(settings: Settings, keys: Mapping[str, str]) -> None:
    from app.database.server_check import connected

    with connected(settings) as connection, connection.transaction():
        for row in keys.items():
            connection.execute(f"{INSERT} DO UPDATE SET value = excluded.value", row)
