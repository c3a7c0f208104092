"""Forms, guards, redirects and other HTTP helpers for handlers. Independent of notifications."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast
from urllib.parse import SplitResult, quote, urlencode, urlsplit

from litestar import Request, Response
from litestar.connection import ASGIConnection
from litestar.datastructures import URL, Cookie, FormMultiDict, MultiDict
from litestar.handlers import BaseRouteHandler
from litestar.status_codes import HTTP_303_SEE_OTHER
from litestar.types import Empty, Scope
from litestar.utils.scope.state import ScopeState

from app.errors import Forbidden, Invalid, NotFound, OtherUser, SignedOut
from app.language import _
from app.telemetry.security_log import record
from app.values.numbers import GREATEST_ID, whole_number
from app.web.parsing import parse_form

FLASH = "flash"
LONGEST_PATH = 2_000
# Besides letters and digits (RFC 3986, section 2); "%" because the URL is already encoded.
URL_CHARACTERS = "%:/?#[]@!$&'()*+,;=-._~"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
HTML_HEADERS = {"Vary": "HX-Request, HX-Request-Type"}

AnyRequest = Request[Any, Any, Any]
Connection = ASGIConnection[Any, Any, Any, Any]


class Form(Mapping[str, str]):
    """The posted text fields: `form["name"]` is stripped, and "" for a field that is missing.
    `form.exact("password")` is as it was typed.
    """

    def __init__(self, fields: FormMultiDict | None = None) -> None:
        self._fields = fields or FormMultiDict()

    def __getitem__(self, name: str) -> str:
        value = self._fields.get(name)
        return _storable(value).strip() if isinstance(value, str) else ""

    def exact(self, name: str) -> str:
        """For passwords: spaces are part of one, and only its hash is stored."""
        value = self._fields.get(name)
        return value if isinstance(value, str) else ""

    def all(self, name: str) -> list[str]:
        values = self._fields.getall(name, [])
        return [_storable(value) for value in values if isinstance(value, str)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)


def values_of(fields: Mapping[str, str], name: str) -> list[str]:
    """All values of a field in a form or a query string."""
    if isinstance(fields, Form):
        return fields.all(name)
    if isinstance(fields, MultiDict):
        return fields.getall(name, [])
    return [fields[name]] if name in fields else []


def text_fields(form: FormMultiDict) -> list[tuple[str, str]]:
    """The (name, value) pairs of a form, without its files."""
    return [(name, value) for name, value in form.multi_items() if isinstance(value, str)]


def page_number(request: AnyRequest) -> int:
    """The number of a page, from 1, in the query string; 1 if there is no valid one."""
    return whole_number(request.query_params.get("page", ""), most=10**9) or 1


def search_text(request: AnyRequest) -> str:
    """The search `q` in the query string, "" without one."""
    return _storable(request.query_params.get("q", "")).strip()


def with_query(path: str, pairs: Sequence[tuple[str, str]]) -> str:
    """The path with these (name, value) pairs as its query string."""
    return f"{path}?{urlencode(pairs)}" if pairs else path


def boundary_of(request: AnyRequest) -> str:
    """What separates the parts of a multipart body (RFC 2046, 5.1.1); "" if the header names none."""
    return str(request.content_type[1].get("boundary", ""))


def unreadable_upload(field: str) -> Invalid:
    """For a body that is not the form of an upload (multipart/form-data), or only the start of it."""
    return Invalid({field: _("The upload could not be read. Please try again.")})


def _storable(text: str) -> str:
    """Removes NUL and lone surrogates (from a body in UTF-7), which databases do not store."""
    return text.replace("\x00", "").encode(errors="ignore").decode()


class PageRequest(Request[Any, Any, Any]):
    """A request whose form is limited in size, and not kept after the request. GET and HEAD have
    none.
    """

    @property
    def url(self) -> URL:
        """Not with the Host that the client sent: no link is made of it, and it may be malformed."""
        return URL.from_scope({**self.scope, "headers": [(b"host", b"localhost")]})

    async def form(self) -> FormMultiDict:
        state = ScopeState.from_scope(self.scope)
        if state.form is Empty:
            body = b"" if is_safe(self.scope) else await self.body()
            state.form = FormMultiDict(parse_form(self.content_type, body))  # type: ignore[assignment]
        return cast(FormMultiDict, state.form)


async def provide_form(request: AnyRequest) -> Form:
    return Form(await request.form())


# Guards are coroutines: Litestar runs each plain function in a thread, for every request.
async def possible_ids(
    connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler
) -> None:
    """A guard: raises NotFound for an id in the path that no database column can hold."""
    numbers = [value for value in connection.path_params.values() if isinstance(value, int)]
    if any(not 1 <= number <= GREATEST_ID for number in numbers):
        raise NotFound


async def signed_in(connection: Connection, _handler: BaseRouteHandler) -> None:
    """A guard: raises SignedOut for a request without a user."""
    if connection.scope.get("user") is None:
        raise SignedOut


async def same_origin(connection: Connection, _handler: BaseRouteHandler) -> None:
    """A guard: raises Forbidden for a request from a page of another site.

    A request that does not tell its origin passes: browsers that send neither header are covered by
    the SameSite session cookie.
    """
    if is_same_origin(connection) is False:
        raise from_another_site(connection)


def from_another_site(connection: Connection) -> Forbidden:
    record("origin_refused", user=getattr(connection.scope.get("user"), "username", None))
    return Forbidden(_("This request came from another site."))


async def same_user(connection: Connection, _handler: BaseRouteHandler) -> None:
    """A guard: raises OtherUser if the page that sends the request, which names its user as `user`
    in the query, was made for another user.
    """
    user, named = connection.scope.get("user"), connection.query_params.get("user")
    if user is not None and named and named != str(user.id):
        raise OtherUser


def is_same_origin(connection: Connection) -> bool | None:
    """Whether one of our pages sent the request: by `Sec-Fetch-Site` (Fetch Metadata, W3C) and
    `Origin`, each where it is sent. None if neither tells.

    An `Origin` of "null" tells nothing: browsers send it for our own pages whose URL is a secret,
    because they send no referrer (Fetch, 3.1). A proxy may pass on a Host without the port, so the
    origin of BASE_URL is ours as well.
    """
    site, origin = (connection.headers.get(name) for name in ("Sec-Fetch-Site", "Origin"))
    judged = [site in ("same-origin", "none")] if site is not None else []
    if origin not in (None, "null"):
        judged.append(_is_ours(connection, origin))
    return all(judged) if judged else None


def _is_ours(connection: Connection, origin: str) -> bool:
    host = connection.headers.get("Host") or ""
    return bool(connection.app.state.settings.is_own_origin(origin, host))


def path_of(request: AnyRequest) -> str:
    """The path of the request, with its query."""
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def page_of(request: AnyRequest) -> str:
    """The path of the page that sends the request, with its query; "/" if the browser does not tell."""
    url = request.headers.get("HX-Current-URL") or request.headers.get("Referer") or ""
    parts = split_url(url)
    if parts is None or not _is_ours(request, f"{parts.scheme}://{parts.netloc}"):
        return "/"
    return own_path(parts.path + (f"?{parts.query}" if parts.query else ""))


def is_known(request: AnyRequest, etag: str) -> bool:
    """Whether the client has this version already: `If-None-Match` names its entity tag, weak or
    strong (RFC 9110, 13.1.2). `etag` includes the quotes.
    """
    given = request.headers.get("If-None-Match", "")
    return given.strip() == "*" or etag in re.findall(r'"[^"]*"', given)


def is_partial(request: AnyRequest) -> bool:
    """Whether htmx requests a fragment rather than a whole page."""
    return request.headers.get("HX-Request-Type") == "partial"


def is_api(scope: Scope) -> bool:
    """Whether the request is for the JSON API, where failures are JSON as well."""
    return scope["path"] == "/api" or scope["path"].startswith("/api/")


def is_safe(scope: Scope) -> bool:
    """Whether the method is safe (RFC 9110, 9.2.1)."""
    return scope.get("method") in SAFE_METHODS


class Redirect(Response[None]):
    """See Other (303), with a flash message for the page it redirects to.

    Headers are latin-1 and a Location is ASCII, so other characters of `url` are percent-encoded.
    """

    def __init__(self, url: str, flash: Mapping[str, str | None] | None = None) -> None:
        location = {"Location": quote(url, safe=URL_CHARACTERS)}
        super().__init__(None, status_code=HTTP_303_SEE_OTHER, headers=location)
        self._flash = flash

    def to_asgi_response(self, app: Any, request: AnyRequest, **options: Any) -> Any:
        """Signs the flash here, because only here the application and its key are known."""
        if self._flash:
            value = request.app.state.signer.sign(FLASH, json.dumps(self._flash))
            cookie = Cookie(FLASH, value=value, max_age=60, httponly=True, samesite="lax")
            self.set_cookie(cookie)
        return super().to_asgi_response(app, request, **options)


def redirect(
    url: str,
    text: str = "",
    *,
    kind: str = "done",
    undo_url: str | None = None,
    undo_label: str | None = None,
) -> Redirect:
    """Redirect to `url` (303) and show `text` there once."""
    flash = {"text": text, "kind": kind, "undo_url": undo_url, "undo_label": undo_label}
    return Redirect(url, flash if text else None)


def read_flash(request: AnyRequest) -> dict[str, Any] | None:
    """The flash message in the request's cookie; None if there is no valid one."""
    try:
        signed = request.app.state.signer.unsign(FLASH, request.cookies[FLASH], max_age=60)
    except (KeyError, NotFound):
        return None
    flash: dict[str, Any] = json.loads(signed)
    return flash


def without_referrer(answer: Response[Any]) -> Response[Any]:
    """Hides the URL of this page, which contains a secret, from the sites it links to."""
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


def split_url(url: str) -> SplitResult | None:
    """The parts of a URL that a client sends; None if it is malformed, such as `http://[`."""
    try:
        parts = urlsplit(url)
        _port = parts.port
    except ValueError:
        return None
    return parts


def own_path(url: str, default: str = "/") -> str:
    """`url` if it is a path of this application, else `default`. Prevents open redirects."""
    is_own = url.startswith("/") and not url.startswith(("//", "/\\")) and len(url) <= LONGEST_PATH
    return url if is_own and url.isprintable() and "\\" not in url else default
