"""Who is behind a request: whose session cookie, or under /api whose token, it brings."""

from litestar.datastructures import Headers
from litestar.types import Scope

from app.accounts.sessions import COOKIES, find_session
from app.accounts.tokens import WRITE, find_token
from app.errors import Forbidden, SignedOut
from app.language import _, set_language
from app.models import User

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


async def find_visitor(scope: Scope) -> None:
    """Put them into the scope, one statement, and speak their language from here on."""
    scope["user"] = None
    if scope["path"].startswith("/static/"):
        return
    headers = Headers.from_scope(scope)
    key = _bearer(headers.get("authorization", "")) if is_api(scope) else None
    set_language(headers.get("accept-language", "")[:2])
    if key is not None:
        _come_in(scope, await _by_token(scope, key))
    elif token := _session_token(headers.get("cookie", "")):
        found = await find_session(scope["litestar_app"].state.db, token)
        if found:
            scope["state"]["session_id"] = found[1]
            _come_in(scope, found[0])


def _come_in(scope: Scope, user: User) -> None:
    scope["user"] = user
    set_language(user.language)


async def _by_token(scope: Scope, key: str) -> User:
    """Raises SignedOut for a token that is not valid, whatever cookie came along."""
    found = await find_token(scope["litestar_app"].state.db, key)
    if found is None:
        raise SignedOut(_("This access token is not valid. It may have been revoked."))
    user, token = found
    if token.scope != WRITE and not is_safe(scope):
        raise Forbidden(_("This access token may read, but not change anything."))
    scope["state"]["token_id"] = token.id
    return user


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


def is_safe(scope: Scope) -> bool:
    return scope.get("method") in SAFE_METHODS


def is_api(scope: Scope) -> bool:
    return scope["path"].startswith("/api/")
