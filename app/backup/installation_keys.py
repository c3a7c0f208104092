"""The keys on which links in mails and push subscriptions depend, from settings, files or rows."""

from collections.abc import Mapping

from app.backup.target import Target
from app.database.keys import NAMES, SECRET_KEY, VAPID_PRIVATE_KEY, read_keys, write_keys
from app.errors import Conflict
from app.language import _
from app.models import GeneratedKey
from app.settings import Settings

GIVEN = {SECRET_KEY: "SECRET_KEY", VAPID_PRIVATE_KEY: "VAPID_PRIVATE_KEY"}


def effective_keys(settings: Settings) -> dict[str, str]:
    """The keys in use: from the settings, else those that were generated."""
    kept = read_keys(settings)
    return {name: kept[name] for name in NAMES if name in kept} | _given(settings)


def _given(settings: Settings) -> dict[str, str]:
    given = {SECRET_KEY: settings.secret_key, VAPID_PRIVATE_KEY: settings.vapid_private_key}
    return {name: key for name, key in given.items() if key}


def other_settings(settings: Settings, keys: Mapping[str, str]) -> list[str]:
    """The settings whose keys are not the ones in `keys`."""
    given = _given(settings)
    return [GIVEN[name] for name, key in given.items() if keys.get(name, key) != key]


def require_no_other_keys(settings: Settings, keys: Mapping[str, str]) -> None:
    """Raises Conflict if DATA_DIR keeps other keys, which another installation may need."""
    if settings.is_sqlite:
        for name, key in read_keys(settings).items():
            if keys.get(name, key) != key:
                sentence = _("{file} is the key of another installation. Move it away first.")
                raise Conflict(sentence.format(file=settings.data_dir / name))


def keep(settings: Settings, target: Target, keys: Mapping[str, str]) -> None:
    """In the new database with PostgreSQL, in DATA_DIR with SQLite."""
    if target.is_sqlite:
        write_keys(settings, keys)
    elif keys:
        rows = [{"name": name, "value": value} for name, value in keys.items()]
        target.connection.execute(GeneratedKey.__table__.insert(), rows)  # type: ignore[attr-defined]
