"""The middleware of every request: authentication, CSRF protection, security and cache headers.

Plain ASGI, so that no timeout or cancel scope surrounds a stream.
"""

from collections.abc import Mapping, Sequence

from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.routes import HTTPRoute
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from litestar.types.asgi_types import RawHeadersList

from app.accounts.authentication import authenticate
from app.errors import Forbidden, OlderSession, OtherUser, SignedOut
from app.http import (
    AnyRequest,
    PageRequest,
    boundary_of,
    from_another_site,
    is_api,
    is_safe,
    is_same_origin,
    text_fields,
)
from app.language import _
from app.settings import Settings
from app.telemetry.security_log import record
from app.web.compression import STREAM
from app.web.csrf import (
    FIELD,
    HEADER,
    USER_FIELD,
    USER_HEADER,
    csrf_cookie,
    holder_of,
    read_token,
    without_proof,
)
from app.web.parsing import Fields, fields_before_files
from app.web.security_headers import PARTS, security_headers

PERSONAL = b"private, no-store"
SIGN_IN_PATHS = ("/login", "/register")


async def secure_response(message: Message, scope: Scope) -> None:
    """Add missing security headers to every response, even one that no handler produced."""
    if message["type"] != "http.response.start":
        return
    settings: Settings = scope["litestar_app"].state.settings
    given = list(message["headers"])
    present = dict(given)
    needed = security_headers(settings, is_part=_is_part_of_a_page(scope, message, present))
    given += [pair for pair in needed if pair[0] not in present]
    if not present.get(b"cache-control", b"").startswith(b"public"):
        given = _personal(scope, given, present)
    message["headers"] = [_secure(pair) for pair in given] if settings.is_https else given


def _is_part_of_a_page(scope: Scope, message: Message, present: Mapping[bytes, bytes]) -> bool:
    """Whether the response is a script or style that only pages load, a stream, or has no body."""
    kind = present.get(b"content-type", b"").decode()
    is_loaded = scope["path"].startswith("/static/") and kind.startswith(PARTS)
    return is_loaded or kind.startswith(STREAM) or message.get("status") == 204


def _personal(
    scope: Scope, given: RawHeadersList, present: Mapping[bytes, bytes]
) -> RawHeadersList:
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
    """Finds the user of each request, then answers OPTIONS itself. Raises SignedOut where an endpoint
    `is_private`.
    """

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        await authenticate(scope)
        if scope.get("method") == "OPTIONS":
            await _send_allowed_methods(scope, send)
            return
        if scope["user"] is None and scope["route_handler"].opt.get("is_private"):
            raise SignedOut
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
    """Refuses requests of pages that were made for another user, and unsafe requests that the user
    did not mean to send.

    A page of another site cannot forge an API request with an access token, or gain anything from
    one without a user. All other API requests must have the CSRF token in the header, so that no
    body is parsed for it.
    """

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        if _can_be_forged(scope):
            receive = await _judge(PageRequest(scope, receive))
        await next_app(scope, receive, send)


def _can_be_forged(scope: Scope) -> bool:
    return not is_api(scope) or (scope["user"] is not None and "token_id" not in scope["state"])


async def _judge(request: AnyRequest) -> Receive:
    """Checks that the page that sends the request was made for this user, in this session, by us.
    Returns the `receive` that gives the handler the whole body.

    Raises OtherUser, OlderSession, Forbidden, and SignedOut for a page of a user who has left.
    """
    scope, receive = request.scope, request.receive
    named, token = request.headers.get(USER_HEADER), request.headers.get(HEADER)
    if is_safe(scope) or request.route_handler.opt.get("exclude_from_csrf"):
        _judge_user(scope, named, [], token)
        return receive
    typed: Fields = []
    if (named is None or token is None) and not is_api(scope):
        typed, receive = await _typed(request)
        named, token = named or dict(typed).get(USER_FIELD), token or dict(typed).get(FIELD)
    _judge_user(scope, named, typed, token)
    _judge_token(request, token, is_named=bool(named), typed=typed)
    if is_same_origin(request) is False:
        raise from_another_site(request)
    return receive


async def _typed(request: AnyRequest) -> tuple[Fields, Receive]:
    """The text fields of the form; of an upload, only those before its files, so that it is refused
    before they are read.
    """
    if "file_field" in request.route_handler.opt:
        return await fields_before_files(request.receive, boundary_of(request))
    return text_fields(await request.form()), request.receive


def _judge_user(
    scope: Scope,
    named: str | None,
    typed: Sequence[tuple[str, str]],
    token: str | None,
) -> None:
    user = scope["user"]
    if named and user is None:
        raise SignedOut
    if named and named != str(user.id):
        made_for = read_token(scope["litestar_app"].state.settings, token or "")
        owner_id = made_for.user_id if made_for else None
        raise OtherUser(typed, owner_id=owner_id if named == str(owner_id) else None)


def _judge_token(
    request: AnyRequest, token: str | None, *, is_named: bool, typed: Sequence[tuple[str, str]]
) -> None:
    made_for = read_token(request.app.state.settings, token or "")
    present = holder_of(request.scope)
    if made_for == present:
        return
    if made_for and is_named and made_for.user_id == present.user_id:
        raise OlderSession(without_proof(typed))
    # Someone signs in on a page that was opened before they did so in another tab.
    is_signing_in = request.url.path in SIGN_IN_PATHS and request.scope["user"] is not None
    if not (made_for and is_signing_in):
        record("csrf_refused", user=getattr(request.scope["user"], "username", None))
        raise Forbidden(_expired() if token or not is_api(request.scope) else _missing_token())


def _expired() -> str:
    return _("This form has expired. Go back, reload the page and try again.")


def _missing_token() -> str:
    return _(
        "Send the value of the csrftoken cookie in the X-CSRF-Token header, or use an access token."
    )
