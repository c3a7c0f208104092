"""Who comes in, and what goes out with every answer.

Finds the person behind the session cookie (one statement), speaks their language, and puts the
security headers on. Plain ASGI: no timeouts or cancel scopes around streams.
"""

from litestar.datastructures import Headers
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from app.accounts.sessions import COOKIES, find_session
from app.language import speak

CSP = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "media-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)
HEADERS = [
    (b"content-security-policy", CSP.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
]
HSTS = (b"strict-transport-security", b"max-age=31536000")


class Doors(ASGIMiddleware):
    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        settings = scope["litestar_app"].state.settings
        headers = [*HEADERS, HSTS] if settings.is_https else HEADERS
        await _find_person(scope)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name for name, _value in message["headers"]}
                own = [pair for pair in headers if pair[0] not in present]
                message["headers"] = [*message["headers"], *own]
            await send(message)

        await next_app(scope, receive, send_with_headers)


async def _find_person(scope: Scope) -> None:
    scope["user"] = None
    if scope["path"].startswith("/static/"):
        return
    headers = Headers.from_scope(scope)
    found = None
    if token := _session_token(headers.get("cookie", "")):
        found = await find_session(scope["litestar_app"].state.db, token)
    if found:
        scope["user"], scope["state"]["session_id"] = found
        speak(found[0].language)
    else:
        speak(headers.get("accept-language", "")[:2])


def _session_token(cookies: str) -> str:
    for part in cookies.split(";"):
        name, _equals, value = part.strip().partition("=")
        if name in COOKIES:
            return value
    return ""
