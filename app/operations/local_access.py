"""Which requests come from the machine that the server runs on."""

from urllib.parse import urlsplit

from app.errors import NotFound
from app.http import AnyRequest
from app.settings import Settings, is_loopback

FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP")


def is_local(request: AnyRequest, settings: Settings) -> bool:
    """The server listens on a loopback address, and no proxy forwarded the request."""
    return settings.is_loopback and not any(name in request.headers for name in FORWARDED)


def require_local_installation(request: AnyRequest, settings: Settings) -> None:
    """Raises NotFound unless the request is local and the installation serves this machine alone:
    BASE_URL is a loopback address, and mail does not leave the machine.
    """
    host = urlsplit(settings.base_url).hostname or ""
    is_private = is_loopback(host) and not settings.sends_mail
    if not is_private or not is_local(request, settings):
        raise NotFound
