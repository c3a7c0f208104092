"""Who sent a request that a proxy has forwarded, and to which host name.

TRUSTED_PROXIES says which proxies are believed, ALLOWED_HOSTS which names are ours. From here on
`scope["client"]` is the client's address and `scope["scheme"]` the client's scheme, for sessions,
rate limits and logs alike.
"""

import logging
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from litestar import Litestar
from litestar.enums import ScopeType

from app.settings import Settings
from app.web.hosts import read_authority
from app.web.reachability import has_been_forwarded, note_request
from app.web.security_headers import security_headers

FOR, PROTO = b"x-forwarded-for", b"x-forwarded-proto"
SCHEMES = ("http", "https")
MOST_NOTED = 8

_log = logging.getLogger(__name__)


class ForwardedLitestar(Litestar):
    """A Litestar that sees each request as its client sent it, whatever proxies are in between."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == ScopeType.HTTP:
            self._see(scope, self.state.settings)
        await super().__call__(scope, receive, send)

    def _see(self, scope: Any, settings: Settings) -> None:
        has_passed_proxy = has_been_forwarded(scope["headers"])
        note_request(settings, is_forwarded=has_passed_proxy)
        if not has_passed_proxy:
            return
        peer = scope["client"][0] if scope.get("client") else ""
        if settings.trusts(peer):
            scope["client"] = (client_address(settings, peer, _values(scope, FOR)), 0)
            scope["scheme"] = _scheme(_values(scope, PROTO)) or scope["scheme"]
        self.state.proxies_seen.note(peer)


class AddressedLitestar(Litestar):
    """A Litestar that answers only to its own names (RFC 9110, 7.4), so that another site whose
    name resolves to this server cannot read it (DNS rebinding).
    """

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == ScopeType.HTTP and not _is_for_us(scope, self.state.settings):
            await _refuse(send, self.state.settings)
        else:
            await super().__call__(scope, receive, send)


def _is_for_us(scope: Any, settings: Settings) -> bool:
    """More than one Host is malformed (RFC 9112, 3.2). From here on it is in ASCII; some proxies
    send a name in UTF-8.
    """
    headers = scope["headers"]
    found = [index for index, (name, _value) in enumerate(headers) if name == b"host"]
    if len(found) != 1:
        return False
    host = headers[found[0]][1].decode(errors="replace")
    if not host.isascii() and (authority := read_authority(host)):
        headers[found[0]] = (b"host", str(authority).encode())  # in place: the server has the list
    return settings.answers_to(host)


async def _refuse(send: Any, settings: Settings) -> None:
    body = b"This server does not answer to the host name of this address."
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", b"%d" % len(body)),
        *security_headers(settings),
    ]
    await send({"type": "http.response.start", "status": 400, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def client_address(settings: Settings, peer: str, forwarded_for: list[str]) -> str:
    """The last address in X-Forwarded-For that no trusted proxy has, else the first one.

    Each proxy appends the address that it saw, so whatever stands before an untrusted one may be
    forged. `peer` is the address of the connection.
    """
    address = peer
    for given in reversed(forwarded_for):
        found = _address(given)
        if not found:
            break
        address = found
        if not settings.trusts(address):
            break
    return address


def _address(given: str) -> str:
    """The address in `192.0.2.1`, `192.0.2.1:443`, `2001:db8::1` or `[2001:db8::1]:443`, else ""."""
    host = given.removeprefix("[").partition("]")[0] if "[" in given else given
    if host.count(":") == 1:
        host = host.partition(":")[0]
    with suppress(ValueError):
        return str(ip_address(host))
    return ""


def _scheme(values: list[str]) -> str:
    return values[-1] if values and values[-1] in SCHEMES else ""


def _values(scope: Any, name: bytes) -> list[str]:
    """The comma-separated values of all headers with this name, in order."""
    lines = [value.decode("latin-1") for key, value in scope["headers"] if key == name]
    return [part.strip() for part in ",".join(lines).split(",") if part.strip()]


@dataclass
class ProxiesSeen:
    """The addresses of untrusted proxies, for the log and for doctor.

    Anyone can send proxy headers to a server that others can reach, so only a few are recorded.
    """

    settings: Settings
    noted: set[str] = field(default_factory=set)

    @property
    def file(self) -> Path:
        return self.settings.data_dir / "proxies_seen"

    def note(self, address: str) -> None:
        if address in self.noted or len(self.noted) >= MOST_NOTED:
            return
        self.noted.add(address)
        if problem := problem_with_proxy(self.settings, address):
            _log.warning(problem)
        with suppress(OSError):
            self.file.write_text("\n".join(sorted(self.noted)))

    def problems(self) -> list[str]:
        """Warnings about the proxies that a web process has seen."""
        try:
            seen = self.file.read_text().split()
        except OSError:
            return []
        return [problem for one in seen if (problem := problem_with_proxy(self.settings, one))]


def problem_with_proxy(settings: Settings, address: str) -> str:
    """A warning about the proxy, or "" if the settings name it."""
    if not settings.trusts(address):
        return (
            f"{address} forwards requests, but TRUSTED_PROXIES does not name it, so all its "
            "clients count as one. Name it there if it is your proxy."
        )
    if not settings.is_reachable:
        return f"A proxy at {address} forwards requests. Set BASE_URL to the public URL."
    return ""
