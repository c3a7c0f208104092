"""Who comes in, and what goes out with every answer.

Finds the person behind the request, and asks whoever came by cookie for the CSRF token; puts the
security headers on. Plain ASGI: no timeouts or cancel scopes around streams.
"""

from litestar.datastructures import Headers
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.middleware.csrf import CSRFMiddleware
from litestar.routes import HTTPRoute
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from app.accounts.authentication import find_visitor, is_api, is_safe
from app.errors import Forbidden
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
# Over plain HTTP browsers heed neither (but for loopback), and complain of the second on every page.
HEADERS_OVER_HTTPS = [
    *HEADERS,
    (b"strict-transport-security", b"max-age=31536000"),
    (b"cross-origin-opener-policy", b"same-origin"),
]
# What a program is answered is its person's: nobody on the way keeps it.
NO_STORE = (b"cache-control", b"no-store")


async def protect(message: Message, scope: Scope) -> None:
    """Before an answer is sent, also one that no handler has made: the headers it has not got."""
    if message["type"] != "http.response.start":
        return
    is_https = scope["litestar_app"].state.settings.is_https
    headers = HEADERS_OVER_HTTPS if is_https else HEADERS
    if is_api(scope):
        headers = [*headers, NO_STORE]
    present = {name for name, _value in message["headers"]}
    own = [pair for pair in headers if pair[0] not in present]
    message["headers"] = [*message["headers"], *own]


class Doors(ASGIMiddleware):
    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        await find_visitor(scope)
        if scope.get("method") == "OPTIONS":
            await _tell_methods(scope, send)
        else:
            await next_app(scope, receive, send)


async def _tell_methods(scope: Scope, send: Send) -> None:
    """What can be done here (RFC 9110, 9.3.7). Litestar knows only what it was told of first, where
    several handlers share an address.
    """
    app = scope["litestar_app"]
    routes = [route for route in app.routes if isinstance(route, HTTPRoute)]
    here = [route.methods for route in routes if route.path_format == scope["path_template"]]
    allow = (b"allow", ", ".join(sorted({"OPTIONS"}.union(*here))).encode())
    await send({"type": "http.response.start", "status": 204, "headers": [allow]})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


class ByCookie(CSRFMiddleware):
    """Asks for the CSRF token where the cookie is what lets somebody in.

    A request to /api by token, or by nobody, can be forged by no page of another site; the others
    bring it in the header, so that no body is read in search of it.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not is_api(scope) or is_safe(scope):
            await super().__call__(scope, receive, send)
        elif not _may_be_forged(scope):
            await self.app(scope, receive, send)
        elif self.config.header_name in Headers.from_scope(scope):
            await super().__call__(scope, receive, send)
        else:
            raise Forbidden(_csrf_sentence())


def _may_be_forged(scope: Scope) -> bool:
    is_exempt = scope["route_handler"].opt.get("exclude_from_csrf")
    return scope["user"] is not None and "token_id" not in scope["state"] and not is_exempt


def _csrf_sentence() -> str:
    return _("Send the value of the cookie csrftoken in the header X-CSRF-Token, or use a token.")
