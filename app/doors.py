"""Who comes in, and what goes out with every answer.

Finds the person behind the session cookie or, under /api, behind a token (one statement), speaks
their language, and puts the security headers on; then asks whoever came by cookie for the CSRF
token. Plain ASGI: no timeouts or cancel scopes around streams.
"""

from litestar.datastructures import Headers
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.middleware.csrf import CSRFMiddleware
from litestar.routes import HTTPRoute
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from app.accounts.sessions import COOKIES, find_session
from app.accounts.tokens import WRITE, find_token
from app.errors import Forbidden, SignedOut
from app.language import _, speak
from app.models import Account

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
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


class Doors(ASGIMiddleware):
    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        settings = scope["litestar_app"].state.settings
        headers = HEADERS_OVER_HTTPS if settings.is_https else HEADERS
        if _is_api(scope):
            headers = [*headers, NO_STORE]
        await _find_person(scope)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name for name, _value in message["headers"]}
                own = [pair for pair in headers if pair[0] not in present]
                message["headers"] = [*message["headers"], *own]
            await send(message)

        if scope.get("method") == "OPTIONS":
            await _tell_methods(scope, send_with_headers)
        else:
            await next_app(scope, receive, send_with_headers)


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
        if not _is_api(scope) or _is_safe(scope):
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


def _is_safe(scope: Scope) -> bool:
    return scope.get("method") in SAFE_METHODS


def _is_api(scope: Scope) -> bool:
    return scope["path"].startswith("/api/")


async def _find_person(scope: Scope) -> None:
    scope["user"] = None
    if scope["path"].startswith("/static/"):
        return
    headers = Headers.from_scope(scope)
    key = _bearer(headers.get("authorization", "")) if _is_api(scope) else None
    speak(headers.get("accept-language", "")[:2])
    if key is not None:
        _come_in(scope, await _by_token(scope, key))
    elif token := _session_token(headers.get("cookie", "")):
        found = await find_session(scope["litestar_app"].state.db, token)
        if found:
            scope["state"]["session_id"] = found[1]
            _come_in(scope, found[0])


def _come_in(scope: Scope, person: Account) -> None:
    scope["user"] = person
    speak(person.language)


async def _by_token(scope: Scope, key: str) -> Account:
    """Raises SignedOut for a token that is not valid, whatever cookie came along."""
    found = await find_token(scope["litestar_app"].state.db, key)
    if found is None:
        raise SignedOut(_("This access token is not valid. It may have been revoked."))
    person, token = found
    if token.scope != WRITE and not _is_safe(scope):
        raise Forbidden(_("This access token may read, but not change anything."))
    scope["state"]["token_id"] = token.id
    return person


def _bearer(authorization: str) -> str | None:
    """The key in `Bearer key` (RFC 6750, 2.1); None for any other scheme."""
    scheme, _space, key = authorization.partition(" ")
    return key.strip() if scheme.lower() == "bearer" else None


def _session_token(cookies: str) -> str:
    for part in cookies.split(";"):
        name, _equals, value = part.strip().partition("=")
        if name in COOKIES:
            return value
    return ""
