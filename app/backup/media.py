"""The files in MEDIA_DIR that the database names."""

from collections.abc import Iterator

from sqlalchemy import Connection, inspect

from app.backup.archive import MEDIA_NAME
from app.errors import Conflict
from app.language import _


def media_names(connection: Connection) -> Iterator[str]:
    """Relative to MEDIA_DIR. Raises Conflict for a name that leads elsewhere."""
    for (stored_as,) in connection.exec_driver_sql("SELECT stored_as FROM clip"):
        yield _sound(f"clips/{stored_as}")
    completed = "SELECT id, video_removed_at FROM compilation WHERE status = 'completed'"
    for id_, removed_at in connection.exec_driver_sql(completed):
        yield f"compilations/{id_}.jpg"
        if not removed_at:
            yield f"compilations/{id_}.mp4"
    yield from _pictures(connection)


def _pictures(connection: Connection) -> Iterator[str]:
    """None in a schema from before pictures existed: backups are also made before an upgrade."""
    if all(column["name"] != "avatar" for column in inspect(connection).get_columns("user")):
        return
    pictures = 'SELECT id, avatar FROM "user" WHERE avatar IS NOT NULL'
    for id_, avatar in connection.exec_driver_sql(pictures):
        yield _sound(f"avatars/{id_}.{avatar}.webp")


def _sound(name: str) -> str:
    if not MEDIA_NAME.fullmatch(name):
        raise Conflict(_("The database names a file outside MEDIA_DIR, {name}.").format(name=name))
    return name
