"""Settings from the environment or `.env`, checked once at start.

No setting is required. README.md lists names and defaults. An invalid value stops the start with
one sentence that names the setting, before anything is written.
"""

import ipaddress
import os
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields, replace
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from dotenv import dotenv_values

from app.settings import values
from app.settings.values import Rule
from app.web.hosts import (
    ANY,
    DEFAULT_PORTS,
    Authority,
    HostPattern,
    read_authority,
    read_origin,
    read_pattern,
)

ROOT = Path(__file__).resolve().parents[2]
WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "127.0.0.1"}  # noqa: S104
MOST_MB = 10_000_000  # 10 TB
YEAR = 366 * 86_400  # in seconds
# Of DB_POOL_SIZE. The two queues share theirs; the relay keeps one that listens or watches.
QUEUE_CONNECTIONS, RELAY_CONNECTIONS = 3, 1
FEWEST_CONNECTIONS = QUEUE_CONNECTIONS + RELAY_CONNECTIONS + 2

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
# The settings above a setting, from which its default may be derived.
Known = SimpleNamespace


class SettingError(Exception):
    """A setting is invalid. The message names it and says what would be valid."""


def setting(
    rule: Rule,
    default: str | Callable[[Known], str] = "",
    *,
    name: str = "",
    is_secret: bool = False,
) -> Any:
    """A field of `Settings`. Its setting is called `name`, by default like the field in capitals.

    The default is text, to which the rule is applied as well. Errors do not quote a secret.
    """
    return field(metadata={"rule": rule, "default": default, "name": name, "is_secret": is_secret})


def _own_url(known: Known) -> str:
    return f"http://{_reachable(known.host)}:{known.port}"


def _own_names(known: Known) -> str:
    public = authority_of(known.base_url)
    names = {"127.0.0.1", "localhost", "[::1]", _reachable(known.host), _bracketed(public.host)}
    return ", ".join(sorted(names | {str(public)}))


def _folder_in_data_dir(known: Known) -> str:
    return str(known.data_dir / "media")


def _file_in_data_dir(known: Known) -> str:
    return f"sqlite+aiosqlite:///{known.data_dir / 'clippyfront.db'}"


def _if_private(known: Known) -> str:
    is_private = not _lets_others_in(known.host, known.base_url)
    return "1" if is_private and known.database_url.startswith("sqlite") else "0"


def _lets_others_in(host: str, base_url: str) -> bool:
    """Whether HOST and BASE_URL let users of other machines reach the server."""
    return not (is_loopback(host) and is_loopback(authority_of(base_url).host))


@dataclass(frozen=True)
class Connections:
    """The most connections to PostgreSQL that each part of one process may have open."""

    database: int
    queue: int
    relay: int


@dataclass(frozen=True)
class Settings:
    """Every setting: its name, type, rule and default."""

    data_dir: Path = setting(values.folder, "var")  # noqa: RUF009
    media_dir: Path = setting(values.folder, _folder_in_data_dir)  # noqa: RUF009
    database_url: str = setting(values.database, _file_in_data_dir, is_secret=True)
    redis_url: str = setting(values.redis, is_secret=True)
    db_pool_size: int = setting(values.whole(FEWEST_CONNECTIONS, 100), "10")
    secret_key: str = setting(values.optional(values.secret), is_secret=True)
    host: str = setting(values.host, "127.0.0.1")
    port: int = setting(values.whole(1, 65_535), "8000")
    base_url: str = setting(values.origin, _own_url)
    trusted_proxies: tuple[str, ...] = setting(values.networks, "127.0.0.1, ::1")
    allowed_hosts: tuple[str, ...] = setting(values.host_patterns, _own_names)
    web_concurrency: int = setting(values.whole(1, 64), "1")
    demo: bool = setting(values.switch, _if_private)
    rate_limits: bool | None = setting(values.optional(values.switch, None))
    registration: str = setting(values.choice("open", "invited", "closed"), "open")
    max_upload_mb: int = setting(values.whole(1, MOST_MB), "500")
    upload_quota_mb: int = setting(values.whole(1, MOST_MB), "10000")
    retention_days: int = setting(values.whole(1), "30", name="NOTIFICATION_RETENTION_DAYS")
    smtp_host: str = setting(values.optional(values.host))
    smtp_port: int = setting(values.whole(1, 65_535), "587")
    smtp_username: str = setting(values.text)
    smtp_password: str = setting(values.text, is_secret=True)
    smtp_from_email: str = setting(values.email_address, "clippyfront@localhost")
    smtp_tls: str = setting(values.choice("starttls", "implicit", "none"), "starttls")
    email_delay_seconds: int = setting(values.whole(0, YEAR), "120")
    push_delay_seconds: int = setting(values.whole(0, YEAR), "10")
    push_allowed_hosts: tuple[str, ...] = setting(values.list_of)
    vapid_public_key: str = setting(values.text)
    vapid_private_key: str = setting(values.text, is_secret=True)
    vapid_email: str = setting(values.text)
    log_level: str = setting(values.choice("debug", "info", "warning", "error"), "warning")
    log_format: str = setting(values.choice("text", "json"), "text")
    metrics_token: str = setting(values.bearer, is_secret=True)
    time_zone: str = setting(values.time_zone, name="TZ")

    @cached_property
    def is_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")

    @cached_property
    def sqlite_path(self) -> Path:
        """The SQLite file; only meaningful if `is_sqlite`."""
        return Path(self.database_url.partition(":///")[2].partition("?")[0])

    @cached_property
    def connections(self) -> Connections:
        """How each process divides DB_POOL_SIZE. With REDIS_URL, the queue needs none."""
        queue = 0 if self.redis_url else QUEUE_CONNECTIONS
        rest = self.db_pool_size - queue - RELAY_CONNECTIONS
        return Connections(rest, queue, RELAY_CONNECTIONS)

    @cached_property
    def is_https(self) -> bool:
        return self.base_url.startswith("https://")

    @cached_property
    def is_loopback(self) -> bool:
        return is_loopback(self.host)

    @cached_property
    def is_reachable(self) -> bool:
        """As HOST and BASE_URL say; app/web/reachability.py also looks at the request."""
        return _lets_others_in(self.host, self.base_url)

    def answers_to(self, host: str) -> bool:
        """Whether ALLOWED_HOSTS contains this `Host` header, in any form that it may have.

        A host without a port there may have the ports that browsers and proxies see.
        """
        if ANY in self.allowed_hosts:
            return True
        given = read_authority(host)
        return given is not None and any(
            pattern.matches(given, self._ports) for pattern in self._allowed_patterns
        )

    @cached_property
    def _allowed_patterns(self) -> list[HostPattern]:
        return [one for name in self.allowed_hosts if (one := read_pattern(name))]

    @cached_property
    def _ports(self) -> set[int | None]:
        scheme = self.base_url.partition(":")[0]
        return {None, self.port, authority_of(self.base_url).port, DEFAULT_PORTS[scheme]}

    def is_own_origin(self, text: str, host: str) -> bool:
        """Whether an `Origin` header names us: BASE_URL, or the `Host` of the same request."""
        origin = read_origin(text)
        if origin is None:
            return False
        here = read_origin(f"{origin.scheme}://{host}")
        return origin in (here, read_origin(self.base_url))

    @cached_property
    def trusted_networks(self) -> tuple[Network, ...]:
        return tuple(ipaddress.ip_network(one) for one in self.trusted_proxies)

    def trusts(self, address: str) -> bool:
        """Whether `address` is one of TRUSTED_PROXIES."""
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        parsed = getattr(parsed, "ipv4_mapped", None) or parsed
        return any(parsed in network for network in self.trusted_networks)

    @cached_property
    def sends_mail(self) -> bool:
        """Whether mail leaves the machine. If not, addresses count as confirmed."""
        return bool(self.smtp_host)

    @cached_property
    def clips_dir(self) -> Path:
        return self.media_dir / "clips"

    @cached_property
    def compilations_dir(self) -> Path:
        return self.media_dir / "compilations"

    def thumbnail_of(self, compilation_id: int) -> Path:
        """The picture of a finished video, beside it."""
        return self.compilations_dir / f"{compilation_id}.jpg"

    @cached_property
    def thumbnails_dir(self) -> Path:
        """Thumbnails of clips. Missing ones are generated again, so backups leave them out."""
        return self.media_dir / "thumbnails"

    @cached_property
    def avatars_dir(self) -> Path:
        return self.media_dir / "avatars"

    @cached_property
    def mail_dir(self) -> Path:
        return self.data_dir / "mail"


def load(
    environ: Mapping[str, str] | None = None,
    *,
    check: Callable[["Settings"], None] = lambda _settings: None,
) -> Settings:
    """Reads the settings; the environment overrides `.env`.

    Creates DATA_DIR and MEDIA_DIR if they are missing, once all settings are valid and `check` has
    raised no SettingError.
    """
    settings = read(_environment() if environ is None else environ)
    check(settings)
    _make_writable(settings.data_dir, "DATA_DIR")
    _make_writable(settings.media_dir, "MEDIA_DIR")
    return settings


def with_database(settings: Settings, url: str) -> Settings:
    """The same settings with another DATABASE_URL. Raises SettingError if it is invalid."""
    try:
        others = replace(settings, database_url=values.database(url))
    except ValueError as error:
        raise SettingError(f"The new DATABASE_URL {error}.") from None
    if others.is_sqlite:
        _require_usable_file(others)
    return others


def _environment() -> dict[str, str]:
    return read_file(ROOT / ".env") | dict(os.environ)


def read_file(path: Path) -> dict[str, str]:
    """The settings in a `.env` file. Raises SettingError for a name that looks like a setting that is
    not there; other names may be for other programs.
    """
    given = {name: value for name, value in dotenv_values(path).items() if value}
    for name in given.keys() - set(NAMES):
        if similar := get_close_matches(name, set(NAMES) - given.keys(), n=1, cutoff=0.85):
            raise SettingError(f"{name} in .env is not a setting. Did you mean {similar[0]}?")
    return given


def read(environ: Mapping[str, str]) -> Settings:
    """Raises SettingError. Writes nothing."""
    known = Known()
    for one in fields(Settings):
        setattr(known, one.name, _value(one, environ, known))
    settings = Settings(**vars(known))
    _require_login_in_full(settings)
    _require_mounted(settings)
    if settings.is_sqlite:
        _require_usable_file(settings)
    return settings


def _value(one: "Field[Any]", environ: Mapping[str, str], known: Known) -> Any:
    default, name = one.metadata["default"], _name(one)
    given = environ.get(name, "").strip() or (default(known) if callable(default) else default)
    try:
        return one.metadata["rule"](given)
    except ValueError as error:
        shown = "" if one.metadata["is_secret"] else f", not {given!r}"
        raise SettingError(f"{name} {error}{shown}.") from None


def _name(one: "Field[Any]") -> str:
    return one.metadata["name"] or one.name.upper()


NAMES = [_name(one) for one in fields(Settings)]


def _require_login_in_full(settings: Settings) -> None:
    if bool(settings.smtp_username) != bool(settings.smtp_password):
        given, missing = "SMTP_USERNAME", "SMTP_PASSWORD"
        if settings.smtp_password:
            given, missing = missing, given
        raise SettingError(f"{given} is set, but {missing} is not.")


def _require_mounted(settings: Settings) -> None:
    """MEDIA_DIR is created only inside DATA_DIR: elsewhere, a missing folder is one that another
    host's administrator knows, or a disk that is not mounted.
    """
    folder = settings.media_dir
    if folder.exists():
        if not folder.is_dir():
            raise SettingError(f"MEDIA_DIR must name a folder, but {folder} is not one.")
        if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            raise SettingError(f"MEDIA_DIR {folder} is not writable.")
    elif settings.data_dir not in folder.parents:
        raise SettingError(f"MEDIA_DIR names a folder that does not exist, {folder}.")


def _require_usable_file(settings: Settings) -> None:
    """The database's folder is not created, except for DATA_DIR."""
    path = settings.sqlite_path
    if not path.exists():
        if path.parent != settings.data_dir and not path.parent.is_dir():
            raise SettingError(f"DATABASE_URL names a folder that does not exist, {path.parent}.")
    elif not path.is_file():
        raise SettingError(f"DATABASE_URL must name a file, but {path} is not one.")
    elif not os.access(path, os.R_OK | os.W_OK):
        raise SettingError(f"DATABASE_URL names a file that cannot be written, {path}.")


def _make_writable(folder: Path, name: str) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingError(f"{name} {folder} cannot be created ({error.strerror}).") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise SettingError(f"{name} {folder} is not writable.")


def authority_of(base_url: str) -> Authority:
    """The host, and the port if there is one, of a valid BASE_URL."""
    origin = read_origin(base_url)
    assert origin
    return origin.authority


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _reachable(host: str) -> str:
    return _bracketed(WILDCARDS.get(host, host))


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
