"""Host names and ports in one form, however a browser, a proxy or an operator writes them.

`Bücher.example.`, `BÜCHER.EXAMPLE` and `xn--bcher-kva.example` are the same host. Every comparison
of hosts, and every link that we make, uses the last of these forms.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address

import idna

from app.values.numbers import whole_number

DEFAULT_PORTS = {"http": 80, "https": 443}
ANY, SUBDOMAINS = "*", "*."
LONGEST_NAME = 253  # RFC 1035, 2.3.4, as text
LONGEST_AUTHORITY = 1_000

# With "_", which internet names lack, but names in local networks and containers have.
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_AUTHORITY = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*)(?::(\d*))?")


@dataclass(frozen=True)
class Authority:
    """`host[:port]` (RFC 3986, 3.2). `host` is as `normal_host` returns it."""

    host: str
    port: int | None = None

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"


@dataclass(frozen=True)
class Origin:
    """`scheme://host[:port]` (RFC 6454), without the port that the scheme implies."""

    scheme: str
    authority: Authority

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"


@dataclass(frozen=True)
class HostPattern:
    """An entry of ALLOWED_HOSTS: `host`, `host:port`, `*.domain` or `*.domain:port`."""

    authority: Authority
    has_subdomains: bool

    def __str__(self) -> str:
        return f"{SUBDOMAINS}{self.authority}" if self.has_subdomains else str(self.authority)

    def matches(self, given: Authority, ports: Collection[int | None]) -> bool:
        """`ports` are those that `given` may have if this entry names none."""
        own = self.authority
        is_port = given.port == own.port or (own.port is None and given.port in ports)
        if self.has_subdomains:
            return is_port and given.host.endswith(f".{own.host}")
        return is_port and given.host == own.host


def normal_host(text: str) -> str:
    """An IP address, or a name in lower case, in ASCII (UTS 46) and without a final dot.

    Returns "" for text that is neither. IPv6 addresses have no brackets.
    """
    try:
        return str(ip_address(text))
    except ValueError:
        name = _ascii(text).removesuffix(".")
    is_name = len(name) <= LONGEST_NAME and _NAME.fullmatch(name)
    # A name that ends in a number counts as an IPv4 address (WHATWG URL); here it is an invalid
    # one.
    return name if is_name and not name.rpartition(".")[2].isdigit() else ""


def _ascii(name: str) -> str:
    if name.isascii():
        return name.lower()
    try:
        return idna.encode(name, uts46=True).decode()
    except idna.IDNAError:
        return ""


def read_authority(text: str) -> Authority | None:
    """Parses `host`, `host:port`, `[address]` and `[address]:port`; None for anything else."""
    return _read_authority(text) if len(text) <= LONGEST_AUTHORITY else None


@lru_cache(256)
def _read_authority(text: str) -> Authority | None:
    parts = _AUTHORITY.fullmatch(text)
    if parts is None:
        return None
    name, digits = parts[1], parts[2]
    host = normal_host(name.strip("[]"))
    port = whole_number(digits, least=1, most=65_535) if digits else None
    is_valid = host and (":" in host) == name.startswith("[") and (port or not digits)
    return Authority(host, port) if is_valid else None


def read_origin(text: str) -> Origin | None:
    """Parses an origin of http or https; None for anything else, such as a URL with a path."""
    scheme, _separator, rest = text.partition("://")
    scheme, authority = scheme.lower(), read_authority(rest)
    if scheme not in DEFAULT_PORTS or authority is None:
        return None
    is_implied = authority.port == DEFAULT_PORTS[scheme]
    return Origin(scheme, Authority(authority.host) if is_implied else authority)


def read_pattern(text: str) -> HostPattern | None:
    authority = read_authority(text.removeprefix(SUBDOMAINS))
    return HostPattern(authority, text.startswith(SUBDOMAINS)) if authority else None
