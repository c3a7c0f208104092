"""The rules for the values of settings. Each turns text into a value, or raises ValueError with the
rest of a sentence that begins with the setting's name.
"""

import ipaddress
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unicodedata import category
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from app.values.email_addresses import ascii_address, is_email_address
from app.values.numbers import whole_number
from app.web.hosts import ANY, normal_host, read_origin, read_pattern

Rule = Callable[[str], Any]

CONTROLS = ("Cc", "Zl", "Zp")  # Unicode's categories of control characters and line breaks
# Options of SQLite that select another file than the path, or a database in memory.
OTHER_FILES = {"cache", "mode", "uri", "vfs"}
DATABASES = ("sqlite+aiosqlite:///", "postgresql+psycopg://")
REDIS = ("redis://", "rediss://", "unix://")
# A zone as POSIX writes it: "CET-1CEST,M3.5.0,M10.5.0/3" (IEEE 1003.1, 8.3).
_POSIX_ZONE = re.compile(r"(?:[A-Za-z]{3,}|<[A-Za-z0-9+-]+>)[+-]?\d{1,2}(?::\d\d){0,2}\S*")


def optional(rule: Rule, unset: Any = "") -> Rule:
    """The rule for a setting that may be unset."""
    return lambda given: rule(given) if given else unset


def text(given: str) -> str:
    """Anything but control characters, which are allowed neither in a header nor in a line of a
    log.
    """
    if any(category(letter) in CONTROLS for letter in given):
        raise ValueError("must not contain line breaks or other control characters")
    return given


def secret(given: str) -> str:
    if len(given) < 16:
        raise ValueError("must have at least 16 characters")
    return text(given)


def bearer(given: str) -> str:
    """What can follow "Bearer" in a header."""
    if not re.fullmatch(r"[\x21-\x7e]*", given):
        raise ValueError("must consist of printable ASCII characters without blanks")
    return given


def folder(given: str) -> Path:
    return Path(given).expanduser().resolve()


def database(given: str) -> str:
    if not given.startswith(DATABASES):
        raise ValueError(f"must start with one of {', '.join(DATABASES)}")
    if given.startswith("sqlite"):
        _require_file(given)
    else:
        _require_database(given)
    return text(given)


def redis(given: str) -> str:
    if given and not given.startswith(REDIS):
        raise ValueError(f"must start with one of {', '.join(REDIS)}")
    with _complete():
        urlsplit(given).port  # noqa: B018
    return text(given)


def _require_file(url: str) -> None:
    path, _separator, query = url.partition(":///")[2].partition("?")
    if not Path(path).name or ":memory:" in path or path.startswith("file:"):
        raise ValueError("must name a file, like sqlite+aiosqlite:////srv/clippyfront.db")
    options = {name for name, _value in parse_qsl(query, keep_blank_values=True)}
    if refused := sorted(options & OTHER_FILES):
        raise ValueError(f"cannot take the option {refused[0]}")


def _require_database(url: str) -> None:
    with _complete():
        name = make_url(url).database
    if not name:
        raise ValueError("must name a database, like postgresql+psycopg://user@host/clippyfront")


@contextmanager
def _complete() -> Iterator[None]:
    """Replaces the libraries' errors about a malformed URL, which may quote its password."""
    try:
        yield
    except (ValueError, ArgumentError):
        raise ValueError("must be a complete URL: user, host and port cannot be read") from None


def host(given: str) -> str:
    if not (name := normal_host(given)):
        raise ValueError("must be an address or host name like 127.0.0.1")
    return name


def origin(given: str) -> str:
    """In ASCII, as a link contains it (RFC 3986, 3.2.2)."""
    found = read_origin(given.rstrip("/"))
    if found is None:
        raise ValueError("must look like https://clips.example.com")
    return str(found)


def host_patterns(given: str) -> tuple[str, ...]:
    names = list_of(given)
    patterns = [name if name == ANY else read_pattern(name) for name in names]
    if None in patterns:
        raise ValueError("must be host names like clips.example.com, *.example.com or *")
    return tuple(str(pattern) for pattern in patterns)


def networks(given: str) -> tuple[str, ...]:
    try:
        return tuple(str(ipaddress.ip_network(one)) for one in list_of(given))
    except ValueError:
        raise ValueError("must be addresses or networks like 10.0.0.2, 10.1.0.0/16") from None


def list_of(given: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text(given).split(",") if part.strip())


def whole(least: int, most: int | None = None) -> Rule:
    bounds = f"of at least {least}" if most is None else f"from {least} to {most}"

    def rule(given: str) -> int:
        if (number := whole_number(given, least=least, most=most)) is None:
            raise ValueError(f"must be a whole number {bounds}")
        return number

    return rule


def choice(*allowed: str) -> Rule:
    def rule(given: str) -> str:
        if given.lower() not in allowed:
            raise ValueError(f"must be {', '.join(allowed[:-1])} or {allowed[-1]}")
        return given.lower()

    return rule


def switch(given: str) -> bool:
    return bool(choice("0", "1")(given) == "1")


def email_address(given: str) -> str:
    if not is_email_address(given):
        raise ValueError("must be an address like clips@example.com")
    return ascii_address(given)


def time_zone(given: str) -> str:
    """An IANA name, the path of a zone file, or what POSIX takes for TZ; "" for the system's zone."""
    name = given.removeprefix(":")
    if not name or name.upper() == "UTC" or Path(name).is_absolute() or _POSIX_ZONE.fullmatch(name):
        return name
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("must be a time zone like Europe/Berlin") from None
    return name
