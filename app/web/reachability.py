"""Whether others can reach this server, or only the users of its machine.

HOST and BASE_URL decide at the start (`Settings.is_reachable`). Only this module decides for a
request: one that a proxy has forwarded comes from outside whatever they say, because anything can
stand in front of a loopback address.
"""

from collections.abc import Iterable
from contextvars import ContextVar

from app.settings import Settings

_from_outside: ContextVar[bool] = ContextVar("from_outside", default=False)

# Besides X-Forwarded-*; all in lower case.
_SET_BY_PROXIES = (b"forwarded", b"x-real-ip", b"via")


def others_can_reach() -> bool:
    """Whether the present request came to an address that others can reach."""
    return _from_outside.get()


def note_request(settings: Settings, *, is_forwarded: bool) -> None:
    """Sets what `others_can_reach` returns for the rest of this request."""
    _from_outside.set(settings.is_reachable or is_forwarded)


def has_been_forwarded(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether a proxy has forwarded the request with these headers (RFC 7239, RFC 9110, 7.6.3)."""
    return any(name.startswith(b"x-forwarded-") or name in _SET_BY_PROXIES for name, _ in headers)


def is_throttled(settings: Settings) -> bool:
    """Whether rate limits apply to the present request: as RATE_LIMITS says, if it is set."""
    return others_can_reach() if settings.rate_limits is None else settings.rate_limits


def explanation(settings: Settings) -> str:
    """Tells the operator who can reach this server, why, and what that changes."""
    if not settings.is_reachable:
        return (
            "Only this machine can reach this server: HOST and BASE_URL are loopback addresses. "
            "Requests that a proxy forwards are treated as coming from others."
        )
    cause = (
        f"BASE_URL is {settings.base_url}" if settings.is_loopback else f"HOST is {settings.host}"
    )
    throttles = "off, because RATE_LIMITS is 0" if settings.rate_limits is False else "on"
    return (
        f"Others can reach this server, because {cause}: nobody can log in with a demo password, "
        f"rate limits are {throttles}, /dev is closed, and /metrics requires METRICS_TOKEN."
    )
