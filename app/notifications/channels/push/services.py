"""Which push services a subscription may name, and which addresses are connected to for them.

A subscriber chooses the endpoint, so it could name a machine inside our own network. It must lie
on a known push service, or on one that PUSH_ALLOWED_HOSTS adds; and only public addresses are
connected to, whatever a name resolves to by then. A private address is reached only where that
setting names that very address.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from app.language import _
from app.outgoing import is_public
from app.settings import SettingError, is_loopback

# Each of them and every name below it; HTTPS at its usual port.
WELL_KNOWN = (
    "fcm.googleapis.com",
    "jmt17.google.com",
    "push.services.mozilla.com",
    "push.apple.com",
    "notify.windows.com",
)
ENDPOINT_LENGTH = 2048
PORTS = {"https": 443, "http": 80}

_label = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_endpoint = re.compile(
    rf"(https?)://({_label}(?:\.{_label})*)(?::(\d{{1,5}}))?(/[!-~]*)?", re.IGNORECASE
)
_named = re.compile(r"([a-z0-9.-]*[a-z0-9])(?::(\d{1,5}))?", re.IGNORECASE)


class NotAllowed(Exception):
    """Nothing may be sent there; the sentence is for the subscriber."""


@dataclass(frozen=True)
class Service:
    """A push service, as seen from outside."""

    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> str:
        """`host[:port]`, as an HTTP request names it."""
        return self.host if self.port == PORTS[self.scheme] else f"{self.host}:{self.port}"

    @property
    def origin(self) -> str:
        """What a VAPID token is made for."""
        return f"{self.scheme}://{self.authority}"


def canonical(endpoint: str) -> str:
    """One way to write it for all: host in small letters, no port where it is the usual one."""
    parts = _endpoint.fullmatch(endpoint)
    if parts is None:
        return endpoint
    scheme, host, port = parts[1].lower(), parts[2].lower(), parts[3]
    service = Service(scheme, host, int(port or PORTS[scheme]))
    return service.origin + (parts[4] or "/")


class PushServices:
    """The well-known ones and those named in the settings, as `host` or `host:port`."""

    def __init__(self, named: Iterable[str] = ()) -> None:
        """Raises SettingError for a name that is none."""
        self._named = [_read_name(name) for name in named]
        self._allowed = lru_cache(1024)(self._service)  # what is refused is not kept

    def find(self, endpoint: str) -> tuple[Service, str]:
        """The service of an endpoint, and what to ask it for. Raises NotAllowed."""
        parts = _endpoint.fullmatch(endpoint)
        if parts is None or len(endpoint) > ENDPOINT_LENGTH or "#" in endpoint:
            raise NotAllowed(_("This is not the address of a push service."))
        return self._allowed(parts[1].lower(), parts[2].lower(), parts[3]), parts[4] or "/"

    def _service(self, scheme: str, host: str, port: str | None) -> Service:
        service = Service(scheme, host, int(port or PORTS[scheme]))
        if not self._is_named(service) and not _is_well_known(service):
            raise NotAllowed(_("This push service is not one of those that are allowed."))
        return service

    def may_reach(self, host: str, address: str) -> bool:
        """Whether this address may be connected to for this host: a public one, whatever a name
        resolves to by then; a loopback one where the name itself is loopback.
        """
        return is_loopback(address) if is_loopback(host) else is_public(address)

    def _is_named(self, service: Service) -> bool:
        is_fitting = service.scheme == "https" or is_loopback(service.host)
        usual = PORTS[service.scheme]
        named = [(host, port or usual) for host, port in self._named]
        return is_fitting and (service.host, service.port) in named


def _is_well_known(service: Service) -> bool:
    is_below = any(service.host == one or service.host.endswith(f".{one}") for one in WELL_KNOWN)
    return is_below and service.scheme == "https" and service.port == 443


def _read_name(name: str) -> tuple[str, int | None]:
    parts = _named.fullmatch(name)
    if parts is None or (parts[2] and not 1 <= int(parts[2]) <= 65535):
        sentence = _("PUSH_ALLOWED_HOSTS takes host or host:port, comma-separated, not {name!r}.")
        raise SettingError(sentence.format(name=name))
    return parts[1].lower(), int(parts[2]) if parts[2] else None
