"""A page with its bell and flash message, or a fragment of one."""

from typing import Any

from litestar import MediaType, Response

from app.http import FLASH, HTML_HEADERS, AnyRequest, csrf_token, read_flash
from app.language import SOURCE_LANGUAGE
from app.notifications.inbox.bell import look
from app.rendering import render


async def page(
    request: AnyRequest, template: str, *, status: int = 200, **context: Any
) -> Response[str]:
    """A whole page, with what stands on every page: the person's bell, the flash."""
    user = request.scope.get("user")
    bell = await look(request.app.state.db, user) if user else None
    flash = read_flash(request)
    common = _common(request) | {"bell": bell, "flash": flash, "status": status}
    answer = _html(render(template, common | _with_gaps(context)), status)
    if request.cookies.get(FLASH):
        answer.delete_cookie(FLASH)
    return answer


def fragment(
    request: AnyRequest, template: str, *, status: int = 200, **context: Any
) -> Response[str]:
    """A piece of a page, to be swapped into one that is open."""
    common = _common(request) | {"bell": None, "flash": None, "status": status}
    return _html(render(template, common | _with_gaps(context)), status)


def _common(request: AnyRequest) -> dict[str, Any]:
    user = request.scope.get("user")
    return {
        "user": user,
        "path": request.url.path,
        "csrf_token": csrf_token(request),
        "language": getattr(user, "language", "") or SOURCE_LANGUAGE,
        "session_id": request.scope["state"].get("session_id"),
        "push_key": request.app.state.vapid_keys.public,
    }


def _with_gaps(context: dict[str, Any]) -> dict[str, Any]:
    """What was typed and what is wrong with it: a template may ask for any field."""
    return context | {name: _Kept(context.get(name) or {}) for name in ("typed", "errors")}


class _Kept(dict[str, Any]):
    def __missing__(self, _field: str) -> str:
        return ""


def _html(body: str, status: int) -> Response[str]:
    return Response(body, status_code=status, media_type=MediaType.HTML, headers=HTML_HEADERS)
