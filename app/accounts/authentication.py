"""Finds the user behind a request: by its session cookie or, under /api, by its access token."""

from litestar.datastructures import Headers
from litestar.types import Scope

from app.accounts import sessions, tokens
from app.accounts.cookies import cookie_name
from app.accounts.credential_cache import CredentialCache
from app.accounts.profile import preferred_language
from app.accounts.sessions import COOKIE, find_session
from app.accounts.tokens import WRITE, find_token
from app.errors import Forbidden, SignedOut
from app.http import is_api, is_safe
from app.language import _, set_language
from app.models import User
from app.notifications.live.stream import TOKEN
from app.security import hash_token
from app.telemetry.security_log import record
from app.web.parsing import cookies_of


async def authenticate(scope: Scope) -> None:
    """Set `scope["user"]`, None for a request without a user, and speak that user's language.

    Raises SignedOut for an invalid access token, and Forbidden for a read-only one that is sent
    with an unsafe method.
    """
    scope["user"] = None
    if scope["path"].startswith("/static/"):
        return
    headers = Headers.from_scope(scope)
    set_language(preferred_language(headers.get("accept-language", "")))
    key = _bearer_key(headers.get("authorization", "")) if is_api(scope) else None
    if key is None:
        user = await _by_session(scope)
    else:
        user = await _by_token(scope, key)
    if user:
        scope["user"] = user
        set_language(user.language)


async def _by_session(scope: Scope) -> User | None:
    state = scope["litestar_app"].state
    token = cookies_of(scope).get(cookie_name(state.settings, COOKIE))
    if not token:
        return None
    credentials: CredentialCache = state.credentials
    key = sessions.stream_key(token)
    found = await credentials.find(key, lambda: find_session(state.db, token))
    if found is None:
        return None
    user, scope["state"]["session_id"] = found
    scope["state"]["stream_key"] = key
    return user


async def _by_token(scope: Scope, key: str) -> User:
    """An invalid token is refused even if the request also has a valid session cookie."""
    state = scope["litestar_app"].state
    credentials: CredentialCache = state.credentials
    found = await credentials.find((TOKEN, hash_token(key)), lambda: find_token(state.db, key))
    if found is None:
        record("token_refused")
        raise SignedOut(_("This access token is invalid. It may have been revoked."))
    user, token = found
    if token.scope != WRITE and not is_safe(scope):
        raise Forbidden(_("This access token is read-only."))
    scope["state"]["token_id"] = token.id
    scope["state"]["stream_key"] = tokens.stream_key(token)
    return user


def _bearer_key(authorization: str) -> str | None:
    """The key in `Bearer key` (RFC 6750, 2.1); None for any other scheme."""
    scheme, _space, key = authorization.partition(" ")
    return key.strip() if scheme.lower() == "bearer" else None
