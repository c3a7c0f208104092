"""What every request passes through: authentication, CSRF protection, security headers.

Plain ASGI, so that no timeout or cancel scope surrounds a stream.
"""

from litestar.datastructures import Headers
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.middleware.csrf import CSRFMiddleware
from litestar.routes import HTTPRoute
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from app.accounts.authentication import authenticate
from app.errors import Forbidden
from app.http import is_api, is_safe
from app.language import _

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
# Over plain HTTP browsers ignore both, and log a complaint about the second on every page.
HEADERS_OVER_HTTPS = [
    *HEADERS,
    (b"strict-transport-security", b"max-age=31536000"),
    (b"cross-origin-opener-policy", b"same-origin"),
]
# JSON responses are personal, so no cache may keep them.
NO_STORE = (b"cache-control", b"no-store")


async def add_security_headers(message: Message, scope: Scope) -> None:
    """Add the headers that a response lacks; also to responses that no handler produced."""
    if message["type"] != "http.response.start":
        return
    is_https = scope["litestar_app"].state.settings.is_https
    headers = HEADERS_OVER_HTTPS if is_https else HEADERS
    if is_api(scope):
        headers = [*headers, NO_STORE]
    present = {name for name, _value in message["headers"]}
    missing = [pair for pair in headers if pair[0] not in present]
    message["headers"] = [*message["headers"], *missing]


class AuthenticationMiddleware(ASGIMiddleware):
    """Finds the user of each request, then answers OPTIONS itself."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        await authenticate(scope)
        if scope.get("method") == "OPTIONS":
            await _send_allowed_methods(scope, send)
        else:
            await next_app(scope, receive, send)


async def _send_allowed_methods(scope: Scope, send: Send) -> None:
    """List the methods of this path (RFC 9110, 9.3.7).

    Where several handlers share a path, Litestar's own answer lists the first handler's only.
    """
    app = scope["litestar_app"]
    routes = [route for route in app.routes if isinstance(route, HTTPRoute)]
    here = [route.methods for route in routes if route.path_format == scope["path_template"]]
    allow = (b"allow", ", ".join(sorted({"OPTIONS"}.union(*here))).encode())
    await send({"type": "http.response.start", "status": 204, "headers": [allow]})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


class CookieCSRFMiddleware(CSRFMiddleware):
    """Requires the CSRF token only of requests that a session cookie authenticates.

    A page of another site cannot forge an API request with an access token, or gain anything from
    one without a user. All other API requests must have the CSRF token in the header, so that no
    body is parsed for it.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not is_api(scope) or is_safe(scope):
            await super().__call__(scope, receive, send)
        elif not _can_be_forged(scope):
            await self.app(scope, receive, send)
        elif self.config.header_name in Headers.from_scope(scope):
            await super().__call__(scope, receive, send)
        else:
            raise Forbidden(_missing_token())


def _can_be_forged(scope: Scope) -> bool:
    is_exempt = scope["route_handler"].opt.get("exclude_from_csrf")
    return scope["user"] is not None and "token_id" not in scope["state"] and not is_exempt


def _missing_token() -> str:
    return _(
        "Send the value of the csrftoken cookie in the X-CSRF-Token header, or use an access token."
    )
