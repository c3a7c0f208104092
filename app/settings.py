"""Settings from the environment or `.env`, checked once at start.

No setting is required. README.md lists names and defaults. An invalid value stops the start with
a sentence that names the setting.
"""

import ipaddress
import os
import re
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

from dotenv import dotenv_values

from app.email_addresses import is_email_address
from app.numbers import whole_number

ROOT = Path(__file__).resolve().parent.parent


Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class SettingError(Exception):
    """A setting is invalid. The message names it and says what would be valid."""


@dataclass(frozen=True)
class Settings:
    data_dir: Path
    database_url: str
    redis_url: str
    secret_key: str
    host: str
    port: int
    base_url: str
    trusted_proxies: tuple[str, ...]
    allowed_hosts: tuple[str, ...]
    web_concurrency: int
    demo: bool
    rate_limits: bool | None
    registration: str
    max_upload_mb: int
    upload_quota_mb: int
    retention_days: int
    smtp_host: str
    smtp_port: int
    smtp_username: str
    smtp_password: str
    smtp_from_email: str
    smtp_tls: str
    email_delay_seconds: int
    push_delay_seconds: int
    push_allowed_hosts: tuple[str, ...]
    vapid_public_key: str
    vapid_private_key: str
    vapid_email: str
    log_level: str
    log_format: str
    metrics_token: str

    @cached_property
    def is_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")

    @cached_property
    def sqlite_path(self) -> Path:
        """The SQLite file; only meaningful if `is_sqlite`."""
        return Path(self.database_url.partition(":///")[2].partition("?")[0])

    @cached_property
    def is_https(self) -> bool:
        return self.base_url.startswith("https://")

    @cached_property
    def is_loopback(self) -> bool:
        return is_loopback(self.host)

    @cached_property
    def is_reachable(self) -> bool:
        """Whether HOST and BASE_URL let users of other machines reach the server.

        `app/reachability.py` also looks at the request.
        """
        return not (self.is_loopback and is_loopback(urlsplit(self.base_url).hostname or ""))

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
        return self.data_dir / "clips"

    @cached_property
    def compilations_dir(self) -> Path:
        return self.data_dir / "compilations"

    @cached_property
    def mail_dir(self) -> Path:
        return self.data_dir / "mail"


def load(
    environ: Mapping[str, str] | None = None,
    *,
    check: Callable[["Settings"], None] = lambda _settings: None,
) -> Settings:
    """Reads the settings; the environment overrides `.env`.

    Creates `DATA_DIR` and the secret key if they are missing, once all settings are valid and
    `check` has raised no SettingError.
    """
    if environ is None:
        environ = {k: v for k, v in dotenv_values(ROOT / ".env").items() if v} | dict(os.environ)
    settings = _read(_Reader(environ))
    check(settings)
    _make_writable(settings.data_dir)
    if settings.secret_key:
        return settings
    key = kept_secret(settings.data_dir / "secret_key", _random_key)
    return replace(settings, secret_key=key)


def _read(read: "_Reader") -> Settings:
    host, port = read.host("HOST", "127.0.0.1"), read.whole("PORT", 8000, least=1, most=65535)
    data_dir = Path(read.text("DATA_DIR", "var")).expanduser().resolve()
    base_url = read.base_url(f"http://{_reachable(host)}:{port}")
    is_private = is_loopback(host) and is_loopback(urlsplit(base_url).hostname or "")
    database_url = read.database_url(data_dir)
    return Settings(
        data_dir=data_dir,
        database_url=database_url,
        redis_url=read.text("REDIS_URL"),
        secret_key=read.text("SECRET_KEY"),
        host=host,
        port=port,
        base_url=base_url,
        trusted_proxies=read.networks("TRUSTED_PROXIES", "127.0.0.1, ::1"),
        allowed_hosts=read.hosts("ALLOWED_HOSTS") or _own_names(base_url, host),
        web_concurrency=read.whole("WEB_CONCURRENCY", 1, least=1, most=64),
        demo=read.switch("DEMO", is_private and database_url.startswith("sqlite")),
        rate_limits=read.switch("RATE_LIMITS", True) if read.text("RATE_LIMITS") else None,
        registration=read.choice("REGISTRATION", "open", {"open", "invited", "closed"}),
        max_upload_mb=read.whole("MAX_UPLOAD_MB", 500, least=1),
        upload_quota_mb=read.whole("UPLOAD_QUOTA_MB", 10_000, least=1),
        retention_days=read.whole("NOTIFICATION_RETENTION_DAYS", 30, least=1),
        smtp_host=read.text("SMTP_HOST"),
        smtp_port=read.whole("SMTP_PORT", 587, least=1, most=65535),
        smtp_username=read.text("SMTP_USERNAME"),
        smtp_password=read.text("SMTP_PASSWORD"),
        smtp_from_email=read.address("SMTP_FROM_EMAIL", "clippyfront@localhost"),
        smtp_tls=read.choice("SMTP_TLS", "starttls", {"starttls", "implicit", "none"}),
        email_delay_seconds=read.whole("EMAIL_DELAY_SECONDS", 120, least=0),
        push_delay_seconds=read.whole("PUSH_DELAY_SECONDS", 10, least=0),
        push_allowed_hosts=read.names("PUSH_ALLOWED_HOSTS"),
        vapid_public_key=read.text("VAPID_PUBLIC_KEY"),
        vapid_private_key=read.text("VAPID_PRIVATE_KEY"),
        vapid_email=read.text("VAPID_EMAIL"),
        log_level=read.choice("LOG_LEVEL", "warning", {"debug", "info", "warning", "error"}),
        log_format=read.choice("LOG_FORMAT", "text", {"text", "json"}),
        metrics_token=read.text("METRICS_TOKEN"),
    )


@dataclass(frozen=True)
class _Reader:
    environ: Mapping[str, str]

    def text(self, name: str, default: str = "") -> str:
        return self.environ.get(name, "").strip() or default

    def names(self, name: str, default: str = "") -> tuple[str, ...]:
        return tuple(part.strip() for part in self.text(name, default).split(",") if part.strip())

    def host(self, name: str, default: str) -> str:
        given = self.text(name, default)
        if not _is_host(given):
            raise SettingError(
                f"{name} must be an address or host name like 127.0.0.1, not {given!r}."
            )
        return given

    def hosts(self, name: str) -> tuple[str, ...]:
        given = self.names(name)
        for one in given:
            host = one.rpartition(":")[0] if has_port(one) else one
            if host != "*" and not _is_host(host.removeprefix("*.").strip("[]")):
                raise SettingError(
                    f"{name} must be host names like clips.example.com, not {one!r}."
                )
        return given

    def networks(self, name: str, default: str) -> tuple[str, ...]:
        given = self.names(name, default)
        try:
            return tuple(str(ipaddress.ip_network(one)) for one in given)
        except ValueError:
            raise SettingError(
                f"{name} must be addresses or networks like 10.0.0.2, 10.1.0.0/16, not "
                f"{', '.join(given)!r}."
            ) from None

    def base_url(self, default: str) -> str:
        given = self.text("BASE_URL", default).rstrip("/").lower()
        if not _is_origin(given):
            raise SettingError(f"BASE_URL must look like https://clips.example.com, not {given!r}.")
        return given

    def whole(self, name: str, default: int, *, least: int, most: int = 2**31) -> int:
        given = self.text(name, str(default))
        if (number := whole_number(given, least=least, most=most)) is None:
            limit = f"from {least} to {most}" if most < 2**31 else f"of at least {least}"
            raise SettingError(f"{name} must be a whole number {limit}, not {given!r}.")
        return number

    def switch(self, name: str, default: bool) -> bool:
        return self.choice(name, "1" if default else "0", {"0", "1"}) == "1"

    def choice(self, name: str, default: str, allowed: set[str]) -> str:
        given = self.text(name, default).lower()
        if given not in allowed:
            raise SettingError(
                f"{name} must be one of {', '.join(sorted(allowed))}, not {given!r}."
            )
        return given

    def address(self, name: str, default: str) -> str:
        given = self.text(name, default)
        if not is_email_address(given):
            raise SettingError(f"{name} must be an address like clips@example.com, not {given!r}.")
        return given

    def database_url(self, data_dir: Path) -> str:
        url = self.text("DATABASE_URL", f"sqlite+aiosqlite:///{data_dir / 'clippyfront.db'}")
        known = ("sqlite+aiosqlite:///", "postgresql+psycopg://", "postgresql+asyncpg://")
        if not url.startswith(known):
            raise SettingError(f"DATABASE_URL must start with one of {', '.join(known)}.")
        return url


def _make_writable(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingError(f"DATA_DIR {folder} cannot be created ({error.strerror}).") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise SettingError(f"DATA_DIR {folder} is not writable.")


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_host(text: str) -> bool:
    """An IP address, or a name of letters and digits in any script, `.`, `-` and `_`."""
    with suppress(ValueError):
        return bool(ipaddress.ip_address(text))
    return re.fullmatch(r"[\w.-]*\w\.?", text) is not None


def _is_origin(url: str) -> bool:
    """`http` or `https`, a host and optionally a port; nothing else."""
    try:
        parts = urlsplit(url)
        is_numeric = parts.port != 0
    except ValueError:
        return False
    has_more = parts.path or parts.query or parts.fragment or "@" in parts.netloc
    is_web = parts.scheme in ("http", "https") and is_numeric
    return is_web and _is_host(parts.hostname or "") and not has_more


def _reachable(host: str) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "127.0.0.1"}.get(host, host)  # noqa: S104
    return f"[{host}]" if ":" in host else host


def _own_names(base_url: str, host: str) -> tuple[str, ...]:
    parts = urlsplit(base_url)
    named = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    names = {"127.0.0.1", "localhost", "[::1]", _reachable(host), named}
    return tuple(sorted(names | {parts.netloc.lower()}))


def has_port(name: str) -> bool:
    return name.rpartition(":")[2].isdigit() and not name.endswith("]")


def _random_key() -> str:
    return secrets.token_urlsafe(48)


def kept_secret(path: Path, make: Callable[[], str]) -> str:
    """Returns the secret in the file. Creates it on first use, readable only by its owner.

    The file is complete before it gets its name, because web and worker may start at the same time.
    """
    if not path.exists():
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(make())
        with suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_text().strip()
