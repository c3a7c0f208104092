"""The push services that a subscription may use, and the addresses we connect to for them.

The subscriber chooses the endpoint, which could point into our own network. Its host must be a
well-known push service or listed in PUSH_ALLOWED_HOSTS. We connect only to public addresses,
checked when the name is resolved. A private address must be listed there as well as the name, so
that the owner of a listed name cannot direct us to other machines in our network.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from app.language import _
from app.outgoing import is_public
from app.settings import SettingError, is_loopback
from app.web.hosts import Authority, Origin, normal_host, read_authority, read_origin

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
# As browsers write it: in ASCII, without a final dot.
_endpoint = re.compile(
    r"(https?://(?:[a-z0-9_.-]*[a-z0-9_]|\[[0-9a-f:.]+\])(?::\d+)?)(/[!-~]*)?",
    re.IGNORECASE | re.ASCII,
)


class NotAllowed(Exception):
    """The endpoint is not allowed; `code` is the reason, `sentence` explains it to the subscriber."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


def canonical(endpoint: str) -> str:
    """The normalized endpoint: scheme and host in lower case, without the default port."""
    parts = _endpoint.fullmatch(endpoint)
    service = read_origin(parts[1]) if parts else None
    return f"{service}{parts[2] or '/'}" if parts and service else endpoint


class PushServices:
    """The allowed push services: well-known ones, and `host` or `host:port` in the settings."""

    def __init__(self, named: Iterable[str] = ()) -> None:
        """Raises SettingError for an invalid name."""
        self._named = [_read_name(name) for name in named]
        self._allowed = lru_cache(1024)(self._service)  # does not cache refusals, which raise

    def find(self, endpoint: str) -> tuple[Origin, str]:
        """The service of an endpoint, and the path there. Raises NotAllowed."""
        parts = _endpoint.fullmatch(endpoint)
        if parts is None or len(endpoint) > ENDPOINT_LENGTH or "#" in endpoint:
            raise NotAllowed(INVALID_ENDPOINT, _("This is not the address of a push service."))
        return self._allowed(parts[1]), parts[2] or "/"

    def _service(self, origin: str) -> Origin:
        service = read_origin(origin)
        if service is None or not (self._is_named(service) or _is_well_known(service)):
            sentence = _("This push service is not allowed.")
            raise NotAllowed(NOT_ALLOWED, sentence)
        return service

    def may_reach(self, host: str, address: str) -> bool:
        """Whether we may connect to `address` for `host`. A loopback host reaches only loopback;
        other hosts reach public addresses, or a private one if the settings list both.
        """
        if is_loopback(host):
            return is_loopback(address)
        named = {one.host for one in self._named}
        return is_public(address) or {normal_host(host), normal_host(address)} <= named

    def _is_named(self, service: Origin) -> bool:
        is_scheme_allowed = service.scheme == "https" or is_loopback(service.authority.host)
        origins = (read_origin(f"{service.scheme}://{one}") for one in self._named)
        return is_scheme_allowed and service in origins


def _is_well_known(service: Origin) -> bool:
    host, is_default_port = service.authority.host, service.authority.port is None
    is_known_host = any(host == known or host.endswith(f".{known}") for known in WELL_KNOWN)
    return is_known_host and service.scheme == "https" and is_default_port


def _read_name(name: str) -> Authority:
    if (authority := read_authority(name)) is None:
        sentence = _("PUSH_ALLOWED_HOSTS takes host or host:port, comma-separated, not {name!r}.")
        raise SettingError(sentence.format(name=name))
    return authority
