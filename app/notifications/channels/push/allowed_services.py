"""The push services that a subscription may use, and the addresses we connect to for them.

The subscriber chooses the endpoint, which could point into our own network. Its host must be a
well-known push service or listed in PUSH_ALLOWED_HOSTS. We connect only to public addresses,
checked when the name is resolved; a private address must itself be listed in that setting.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from app.language import _
from app.outgoing import is_public
from app.settings import SettingError, is_loopback

# Each host and all of its subdomains, over HTTPS on port 443 only.
WELL_KNOWN = (
    "fcm.googleapis.com",
    "jmt17.google.com",
    "push.services.mozilla.com",
    "push.apple.com",
    "notify.windows.com",
)
ENDPOINT_LENGTH = 2048
INVALID_ENDPOINT, NOT_ALLOWED = "invalid_endpoint", "not_allowed"
PORTS = {"https": 443, "http": 80}

_label = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_endpoint = re.compile(
    rf"(https?)://({_label}(?:\.{_label})*)(?::(\d{{1,5}}))?(/[!-~]*)?", re.IGNORECASE
)
_named = re.compile(r"([a-z0-9.-]*[a-z0-9])(?::(\d{1,5}))?", re.IGNORECASE)


class NotAllowed(Exception):
    """The endpoint is not allowed; `code` is the reason, `sentence` explains it to the subscriber."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True)
class Service:
    """A push service, identified by its origin."""

    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> str:
        """`host[:port]`, as in the Host header."""
        return self.host if self.port == PORTS[self.scheme] else f"{self.host}:{self.port}"

    @property
    def origin(self) -> str:
        """The audience (`aud`) of a VAPID token."""
        return f"{self.scheme}://{self.authority}"


def canonical(endpoint: str) -> str:
    """The normalized endpoint: scheme and host in lower case, without the default port."""
    parts = _endpoint.fullmatch(endpoint)
    if parts is None:
        return endpoint
    scheme, host, port = parts[1].lower(), parts[2].lower(), parts[3]
    service = Service(scheme, host, int(port or PORTS[scheme]))
    return service.origin + (parts[4] or "/")


class PushServices:
    """The allowed push services: well-known ones, and `host` or `host:port` in the settings."""

    def __init__(self, named: Iterable[str] = ()) -> None:
        """Raises SettingError for an invalid name."""
        self._named = [_read_name(name) for name in named]
        self._allowed = lru_cache(1024)(self._service)  # does not cache refusals, which raise

    def find(self, endpoint: str) -> tuple[Service, str]:
        """The service of an endpoint, and the path there. Raises NotAllowed."""
        parts = _endpoint.fullmatch(endpoint)
        if parts is None or len(endpoint) > ENDPOINT_LENGTH or "#" in endpoint:
            raise NotAllowed(INVALID_ENDPOINT, _("This is not the address of a push service."))
        return self._allowed(parts[1].lower(), parts[2].lower(), parts[3]), parts[4] or "/"

    def _service(self, scheme: str, host: str, port: str | None) -> Service:
        service = Service(scheme, host, int(port or PORTS[scheme]))
        if not self._is_named(service) and not _is_well_known(service):
            sentence = _("This push service is not allowed.")
            raise NotAllowed(NOT_ALLOWED, sentence)
        return service

    def may_reach(self, host: str, address: str) -> bool:
        """Whether we may connect to this address for this host: it must be public, or loopback if
        the host itself is loopback.
        """
        return is_loopback(address) if is_loopback(host) else is_public(address)

    def _is_named(self, service: Service) -> bool:
        is_scheme_allowed = service.scheme == "https" or is_loopback(service.host)
        default = PORTS[service.scheme]
        named = [(host, port or default) for host, port in self._named]
        return is_scheme_allowed and (service.host, service.port) in named


def _is_well_known(service: Service) -> bool:
    is_known_host = any(
        service.host == host or service.host.endswith(f".{host}") for host in WELL_KNOWN
    )
    return is_known_host and service.scheme == "https" and service.port == 443


def _read_name(name: str) -> tuple[str, int | None]:
    parts = _named.fullmatch(name)
    if parts is None or (parts[2] and not 1 <= int(parts[2]) <= 65535):
        sentence = _("PUSH_ALLOWED_HOSTS takes host or host:port, comma-separated, not {name!r}.")
        raise SettingError(sentence.format(name=name))
    return parts[1].lower(), int(parts[2]) if parts[2] else None
