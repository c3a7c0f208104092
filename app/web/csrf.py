"""CSRF tokens: every page carries one, and unsafe requests return it.

A token names its holder, which is a session or, for someone signed out, a browser; a MAC proves that
we made it. So it works for no other session, and shows whether it was made for an earlier session
of the same user. Each page masks it anew: a compressed page would otherwise leak it (BREACH).
"""

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from functools import lru_cache
from hmac import compare_digest, digest
from typing import Any, NamedTuple

from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie
from litestar.types import Scope

from app.security import hash_token
from app.settings import Settings
from app.web.parsing import cookies_of

COOKIE, FIELD, HEADER = "csrftoken", "_csrf_token", "X-CSRF-Token"
# Beside the token: the id of the user that the page was made for.
USER_FIELD, USER_HEADER = "_user", "X-User"
NOBODY = 0
USER_BYTES, KEY_BYTES, MAC_BYTES = 8, 16, 16
TOKEN_BYTES = USER_BYTES + KEY_BYTES + MAC_BYTES
HOLDER = "csrf_holder"
# MACs that are cached: each request of a holder needs its MAC.
HOLDERS_KEPT = 5_000


class Holder(NamedTuple):
    """A session of this user or, with the user id NOBODY, a signed-out browser. Tokens are made for
    it.
    """

    user_id: int
    key: bytes


def csrf_token(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """The token for this request's page, in a mask of its own."""
    scope = connection.scope
    token = _token(_settings(scope).secret_key, holder_of(scope))
    mask = secrets.token_bytes(TOKEN_BYTES)
    return _text(mask + _xor(token, mask))


def holder_of(scope: Scope) -> Holder:
    """The holder that the tokens of this request are made for. A new browser gets a new holder."""
    state: dict[str, Any] = scope["state"]
    if HOLDER not in state:
        state[HOLDER] = _session_of(scope) or _browser_of(scope)
    holder: Holder = state[HOLDER]
    return holder


def set_session(scope: Scope, user_id: int, session_token: str) -> None:
    """From this response on, the browser holds this new session."""
    scope["state"][HOLDER] = Holder(user_id, _key(hash_token(session_token)))


def read_token(settings: Settings, text: str) -> Holder | None:
    """The holder of a token, masked or as in the cookie. None if we did not make it."""
    sent = _bytes(text)
    if len(sent) == 2 * TOKEN_BYTES:
        sent = _xor(sent[:TOKEN_BYTES], sent[TOKEN_BYTES:])
    user_id = int.from_bytes(sent[:USER_BYTES], "big")
    holder = Holder(user_id, sent[USER_BYTES : USER_BYTES + KEY_BYTES])
    return holder if compare_digest(sent, _token(settings.secret_key, holder)) else None


def csrf_cookie(scope: Scope) -> Cookie | None:
    """The cookie with the token, for clients without a page; None if the browser needs none."""
    holder = scope["state"].get(HOLDER) or _session_of(scope)
    if holder is None:
        return None
    token = _text_of(_settings(scope).secret_key, holder)
    if compare_digest(cookies_of(scope).get(COOKIE, "").encode(), token.encode()):
        return None
    return Cookie(key=COOKIE, value=token, httponly=True, samesite="lax")


def _session_of(scope: Scope) -> Holder | None:
    user, state = scope.get("user"), scope["state"]
    if user is None or "session_id" not in state:
        return None
    _kind, token_hash = state["stream_key"]
    return Holder(user.id, _key(token_hash))


def _key(token_hash: str) -> bytes:
    return bytes.fromhex(token_hash)[:KEY_BYTES]


def _browser_of(scope: Scope) -> Holder:
    """The holder in the cookie of a signed-out browser, which may be a session that has ended."""
    given = read_token(_settings(scope), cookies_of(scope).get(COOKIE, ""))
    return given or Holder(NOBODY, secrets.token_bytes(KEY_BYTES))


def without_proof(typed: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The fields of a form that the user filled in, without those that prove its origin."""
    return [(name, value) for name, value in typed if name not in (USER_FIELD, FIELD)]


def _token(secret_key: str, holder: Holder) -> bytes:
    named = holder.user_id.to_bytes(USER_BYTES, "big") + holder.key
    return named + _mac(secret_key, named)


@lru_cache(HOLDERS_KEPT)
def _text_of(secret_key: str, holder: Holder) -> str:
    return _text(_token(secret_key, holder))


@lru_cache(HOLDERS_KEPT)
def _mac(secret_key: str, named: bytes) -> bytes:
    return digest(f"clippyfront.csrf {secret_key}".encode(), named, "sha256")[:MAC_BYTES]


def _xor(one: bytes, other: bytes) -> bytes:
    return (int.from_bytes(one) ^ int.from_bytes(other)).to_bytes(len(one))


def _text(token: bytes) -> str:
    return urlsafe_b64encode(token).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return b""


def _settings(scope: Scope) -> Settings:
    settings: Settings = scope["litestar_app"].state.settings
    return settings
