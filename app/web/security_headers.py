"""The headers that every response carries, also one that no handler produced."""

from litestar.types.asgi_types import RawHeadersList

from app.settings import Settings

CSP = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "media-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)
HEADERS = [
    (b"content-security-policy", CSP.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
]
# Browsers apply the page's policies to its scripts and styles and ignore theirs. Leaving them out
# makes a cold page load 6 KB smaller.
PARTS = "text/javascript", "text/css"
HEADERS_OF_PARTS = [(b"x-content-type-options", b"nosniff")]
# Over plain HTTP, browsers ignore these two headers and log a warning about the second one.
HEADERS_OVER_HTTPS = [
    *HEADERS,
    (b"strict-transport-security", b"max-age=31536000"),
    (b"cross-origin-opener-policy", b"same-origin"),
]


def security_headers(settings: Settings, *, is_part: bool = False) -> RawHeadersList:
    """`is_part`: the response is neither a document nor, like a service worker, has its own
    policies.
    """
    if is_part:
        return HEADERS_OF_PARTS
    return HEADERS_OVER_HTTPS if settings.is_https else HEADERS
