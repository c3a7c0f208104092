"""How handlers read a form and answer: a page, a fragment, or "see over there"."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from litestar import MediaType, Request, Response
from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie, FormMultiDict
from litestar.exceptions import ClientException
from litestar.handlers import BaseRouteHandler
from litestar.status_codes import HTTP_303_SEE_OTHER
from litestar.utils.scope.state import ScopeState

from app.errors import NotFound
from app.language import SOURCE_LANGUAGE
from app.notifications.channels import browser_push
from app.notifications.inbox.bell import look
from app.rendering import render
from app.security import sign, unsign

FLASH = "flash"
CSRF_COOKIE = "csrftoken"
LONGEST_PATH = 2_000
GREATEST_ID = 2**63 - 1
HTML_HEADERS = {"Cache-Control": "no-store", "Vary": "HX-Request, HX-Request-Type"}

AnyRequest = Request[Any, Any, Any]


class Form(Mapping[str, str]):
    """The text fields that were posted: stripped, and "" where nothing came."""

    def __init__(self, fields: FormMultiDict | None = None) -> None:
        self._fields = fields or FormMultiDict()

    def __getitem__(self, name: str) -> str:
        value = self._fields.get(name)
        return _storable(value).strip() if isinstance(value, str) else ""

    def all(self, name: str) -> list[str]:
        values = self._fields.getall(name, [])
        return [_storable(value) for value in values if isinstance(value, str)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)


def _storable(text: str) -> str:
    """Without what no database keeps: NUL, and halves of letters (UTF-7 can bring those)."""
    return text.replace("\x00", "").encode(errors="ignore").decode()


class PageRequest(Request[Any, Any, Any]):
    """A request in which a form that makes no sense is the sender's mistake, whoever reads it."""

    async def form(self) -> FormMultiDict:
        try:
            return await super().form()
        except (ValueError, LookupError) as error:
            raise ClientException(detail="The form could not be read.") from error


async def provide_form(request: AnyRequest) -> Form:
    return Form(await request.form())


def possible_ids(
    connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler
) -> None:
    """A guard of every address: raises NotFound for an id that no column can hold."""
    numbers = [value for value in connection.path_params.values() if isinstance(value, int)]
    if any(not 1 <= number <= GREATEST_ID for number in numbers):
        raise NotFound


def is_partial(request: AnyRequest) -> bool:
    """Whether htmx asks for a piece of the page rather than the whole."""
    return request.headers.get("HX-Request-Type") == "partial"


def is_api(request: AnyRequest) -> bool:
    """Whether a program asks, and wants JSON whatever happens."""
    return request.url.path == "/api" or request.url.path.startswith("/api/")


async def page(
    request: AnyRequest, template: str, *, status: int = 200, **context: Any
) -> Response[str]:
    """A whole page, with what stands on every page: the person's bell, the flash."""
    user = request.scope.get("user")
    bell = await look(request.app.state.db, user) if user else None
    flash = _read_flash(request)
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


def see(
    url: str,
    text: str = "",
    *,
    kind: str = "done",
    undo_url: str | None = None,
    undo_label: str | None = None,
) -> Response[None]:
    """Go to `url` (303) and find `text` there, once."""
    cookies = []
    if text:
        flash = {"text": text, "kind": kind, "undo_url": undo_url, "undo_label": undo_label}
        value = sign(FLASH, json.dumps(flash))
        cookies = [Cookie(FLASH, value=value, max_age=60, httponly=True, samesite="lax")]
    return Response(
        None, status_code=HTTP_303_SEE_OTHER, headers={"Location": url}, cookies=cookies
    )


def unseen(answer: Response[Any]) -> Response[Any]:
    """The address of this page is a key: nobody further on may learn it."""
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


def own_path(url: str, default: str = "/") -> str:
    """`url` if it is a path of this application, else `default`: no open redirects."""
    is_own = url.startswith("/") and not url.startswith(("//", "/\\")) and len(url) <= LONGEST_PATH
    return url if is_own and url.isprintable() and "\\" not in url else default


def _common(request: AnyRequest) -> dict[str, Any]:
    user = request.scope.get("user")
    return {
        "user": user,
        "path": request.url.path,
        "csrf_token": csrf_token(request),
        "language": getattr(user, "language", "") or SOURCE_LANGUAGE,
        "session_id": request.scope["state"].get("session_id"),
        "push_key": browser_push.public_key,
    }


def _with_gaps(context: dict[str, Any]) -> dict[str, Any]:
    """What was typed and what is wrong with it: a template may ask for any field."""
    return context | {name: _Kept(context.get(name) or {}) for name in ("typed", "errors")}


class _Kept(dict[str, Any]):
    def __missing__(self, _field: str) -> str:
        return ""


def csrf_token(request: AnyRequest) -> str:
    """The token that unsafe requests must carry, as `_csrf_token` or in `X-CSRF-Token`."""
    token = ScopeState.from_scope(request.scope).csrf_token
    return token if isinstance(token, str) else request.cookies.get(CSRF_COOKIE, "")


def _html(body: str, status: int) -> Response[str]:
    return Response(body, status_code=status, media_type=MediaType.HTML, headers=HTML_HEADERS)


def _read_flash(request: AnyRequest) -> dict[str, Any] | None:
    try:
        flash: dict[str, Any] = json.loads(unsign(FLASH, request.cookies[FLASH], max_age=60))
    except (KeyError, NotFound):
        return None
    return flash
