"""Renders a page with its bell and its flash message, or a fragment of a page."""

from typing import Any

from litestar import MediaType, Response

from app.csrf import csrf_token
from app.http import FLASH, HTML_HEADERS, AnyRequest, read_flash
from app.language import SOURCE_LANGUAGE
from app.notifications.inbox.bell import look
from app.rendering import render


async def page(
    request: AnyRequest, template: str, *, status: int = 200, **context: Any
) -> Response[str]:
    """A whole page, with the user's bell and the flash message of the last action."""
    user = request.scope.get("user")
    bell = await look(request.app.state.db, user) if user else None
    flash = read_flash(request)
    common = _common(request) | {"bell": bell, "flash": flash, "status": status}
    answer = _html(render(template, common | _with_defaults(context)), status)
    if request.cookies.get(FLASH):
        answer.delete_cookie(FLASH)
    return answer


def fragment(
    request: AnyRequest, template: str, *, status: int = 200, **context: Any
) -> Response[str]:
    """Part of a page, to be swapped into an open one."""
    common = _common(request) | {"bell": None, "flash": None, "status": status}
    return _html(render(template, common | _with_defaults(context)), status)


def _common(request: AnyRequest) -> dict[str, Any]:
    user = request.scope.get("user")
    return {
        "user": user,
        "path": request.url.path,
        "registration": request.app.state.settings.registration,
        "csrf_token": csrf_token(request),
        "language": getattr(user, "language", "") or SOURCE_LANGUAGE,
        "session_id": request.scope["state"].get("session_id"),
        "push_key": request.app.state.vapid_keys.public,
    }


def _with_defaults(context: dict[str, Any]) -> dict[str, Any]:
    """Templates look up any field in `typed` and `errors`; a field without an entry is empty."""
    return context | {
        name: _EmptyByDefault(context.get(name) or {}) for name in ("typed", "errors")
    }


class _EmptyByDefault(dict[str, Any]):
    def __missing__(self, _field: str) -> str:
        return ""


def _html(body: str, status: int) -> Response[str]:
    return Response(body, status_code=status, media_type=MediaType.HTML, headers=HTML_HEADERS)
