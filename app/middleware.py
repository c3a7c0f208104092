"""What every request passes through: authentication, CSRF protection, security and cache headers.

Plain ASGI, so that no timeout or cancel scope surrounds a stream.
"""

from collections.abc import Mapping, Sequence

from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.routes import HTTPRoute
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from app.accounts.authentication import authenticate
from app.csrf import FIELD, HEADER, csrf_cookie, holder_of, read_token
from app.errors import Forbidden, OlderSession, OtherUser, SignedOut
from app.http import AnyRequest, PageRequest, from_another_site, is_api, is_safe, is_same_origin
from app.language import _
from app.security_log import record
from app.settings import Settings

Headers = list[tuple[bytes, bytes]]
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
# Over plain HTTP, browsers ignore these two headers and log a warning about the second one.
HEADERS_OVER_HTTPS = [
    *HEADERS,
    (b"strict-transport-security", b"max-age=31536000"),
    (b"cross-origin-opener-policy", b"same-origin"),
]
USER_HEADER, USER_FIELD = "X-User", "_user"
PERSONAL = b"private, no-store"
SIGN_IN_PATHS = ("/login", "/register")


async def secure_response(message: Message, scope: Scope) -> None:
    """Add missing security headers to every response, even one that no handler produced."""
    if message["type"] != "http.response.start":
        return
    settings: Settings = scope["litestar_app"].state.settings
    given = list(message["headers"])
    present = dict(given)
    added = HEADERS_OVER_HTTPS if settings.is_https else HEADERS
    given += [pair for pair in added if pair[0] not in present]
    if not present.get(b"cache-control", b"").startswith(b"public"):
        given = _personal(scope, given, present)
    message["headers"] = [_secure(pair) for pair in given] if settings.is_https else given


def _personal(scope: Scope, given: Headers, present: Mapping[bytes, bytes]) -> Headers:
    """The headers of a response that is for this browser alone (RFC 9111, 5.2.2.7)."""
    cached = present.get(b"cache-control", PERSONAL)
    if b"private" not in cached:
        cached = b"private, " + cached
    varies = present.get(b"vary", b"")
    needed = (b"Cookie", b"Authorization") if is_api(scope) else (b"Cookie",)
    missing = [name for name in needed if name.lower() not in varies.lower()]
    own = [(b"cache-control", cached), (b"vary", b", ".join([*filter(None, [varies]), *missing]))]
    cookie = csrf_cookie(scope)
    sets = [cookie.to_encoded_header()] if cookie else []
    return [pair for pair in given if pair[0] not in (b"cache-control", b"vary")] + own + sets


def _secure(header: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    """A cookie that browsers never send over plain HTTP; other headers as they are."""
    name, value = header
    is_open = name == b"set-cookie" and b"; secure" not in value.lower()
    return name, value + b"; Secure" if is_open else value


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


class ForgeryMiddleware(ASGIMiddleware):
    """Refuses unsafe requests that the user did not mean to send.

    A page of another site cannot forge an API request with an access token, or gain anything from
    one without a user. All other API requests must have the CSRF token in the header, so that no
    body is parsed for it.
    """

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        if not is_safe(scope) and _can_be_forged(scope):
            request = PageRequest(scope, receive)
            if scope["route_handler"].opt.get("exclude_from_csrf"):
                _judge_user(request, request.headers.get(USER_HEADER))
            else:
                await _judge(request)
        await next_app(scope, receive, send)


def _can_be_forged(scope: Scope) -> bool:
    return not is_api(scope) or (scope["user"] is not None and "token_id" not in scope["state"])


async def _judge(request: AnyRequest) -> None:
    """Whether the page that sends the request was made for this user, in this session, by us.

    Raises OtherUser, OlderSession, Forbidden, and SignedOut for a page of a user who has left.
    """
    named, token = request.headers.get(USER_HEADER), request.headers.get(HEADER)
    typed: list[tuple[str, str]] = []
    if token is None and not is_api(request.scope):
        typed = await _typed(request)
        named, token = named or dict(typed).get(USER_FIELD), dict(typed).get(FIELD)
    _judge_user(request, named, typed)
    _judge_token(request, token, is_named=bool(named), typed=typed)
    if is_same_origin(request) is False and request.headers.get("Origin") != "null":
        raise from_another_site(request)


def _judge_user(
    request: AnyRequest, named: str | None, typed: Sequence[tuple[str, str]] = ()
) -> None:
    user = request.scope["user"]
    if named and user is None:
        raise SignedOut
    if named and named != str(user.id):
        raise OtherUser(_without_proof(typed))


def _judge_token(
    request: AnyRequest, token: str | None, *, is_named: bool, typed: Sequence[tuple[str, str]]
) -> None:
    made_for = read_token(request.app.state.settings, token or "")
    present = holder_of(request.scope)
    if made_for == present:
        return
    if made_for and is_named and made_for.user_id == present.user_id:
        raise OlderSession(_without_proof(typed))
    # Someone signs in on a page that was opened before they did so in another tab.
    is_signing_in = request.url.path in SIGN_IN_PATHS and request.scope["user"] is not None
    if not (made_for and is_signing_in):
        record("csrf_refused", user=getattr(request.scope["user"], "username", None))
        raise Forbidden(_expired() if token or not is_api(request.scope) else _missing_token())


async def _typed(request: AnyRequest) -> list[tuple[str, str]]:
    """The text fields of the request's form, as pairs of name and value."""
    form = await request.form()
    return [(name, value) for name, value in form.multi_items() if isinstance(value, str)]


def _without_proof(typed: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in typed if name not in (USER_FIELD, FIELD)]


def _expired() -> str:
    return _("This form has expired. Go back, reload the page and try again.")


def _missing_token() -> str:
    return _(
        "Send the value of the csrftoken cookie in the X-CSRF-Token header, or use an access token."
    )
