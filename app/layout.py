"""Renders a page with its bell and its flash message, or a fragment of a page.

A live page has one region that is kept up to date: when one of its topics changes, the page fetches
its own address and morphs the region.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any, NamedTuple

from litestar import MediaType, Response
from markupsafe import Markup

from app.http import (
    FLASH,
    HTML_HEADERS,
    AnyRequest,
    is_known,
    is_partial,
    is_safe,
    own_path,
    path_of,
    read_flash,
)
from app.language import current_language
from app.notifications.inbox.bell import read_bell
from app.rendering import render
from app.topics import USER, Topic
from app.web.csrf import csrf_token

# The request state's entry for its CSRF token: everything rendered for a request contains the same
# one.
SHOWN = "shown_csrf_token"
# Pages to which nobody wants to return after logging in.
WITHOUT_WAY_BACK = ("/login", "/register", "/forgot", "/reset/")


class Region(NamedTuple):
    """The part of a live page that is kept up to date, and the events after which the page fetches
    it.
    """

    content: Markup
    address: str
    events: list[str]
    etag: str


async def page(
    request: AnyRequest, template: str, *, status: int = 200, **context: Any
) -> Response[str]:
    """A whole page, with the flash message of the last action and the user's bell, which is read
    unless the context has it.
    """
    user = request.scope.get("user")
    bell = context.pop("bell", None)
    if user and bell is None:
        bell = await read_bell(request.app.state.db, user)
    flash = read_flash(request)
    common = _common(request) | {"bell": bell, "flash": flash, "status": status}
    answer = _html(render(template, common | _with_defaults(context)), status)
    if request.cookies.get(FLASH):
        answer.delete_cookie(FLASH)
    return answer


async def live_page(
    request: AnyRequest,
    template: str,
    region: str,
    topics: Sequence[Topic],
    *,
    address: str,
    status: int = 200,
    **context: Any,
) -> Response[Any]:
    """A page that contains its region as `live`. An open page that asks gets the region alone, or
    304 if it has it already.

    `region` is the template of the region; `address` is where the page can be fetched again. The
    user's own topic is always among its topics.
    """
    live = _region(request, region, topics, address, context)
    if not is_partial(request):
        return await page(request, template, status=status, live=live, **context)
    headers = {"ETag": live.etag, "Cache-Control": "private, no-cache"}
    if is_known(request, live.etag):
        return Response(None, status_code=304, headers=HTML_HEADERS | headers)
    answer = fragment(request, "components/_live_update.html", live=live, **context)
    answer.headers |= headers
    return answer


def lost_region(request: AnyRequest, title: str, sentence: str) -> Response[str]:
    """Replaces the region of a live page that its user may no longer see (404).

    It is fetched again when that may have changed.
    """
    context = {"title": title, "sentence": sentence}
    live = _region(request, "errors/_gone.html", [], path_of(request), context)
    return fragment(request, "components/_live.html", status=404, live=live)


def is_for_region(request: AnyRequest) -> bool:
    """Whether an open live page asks for its region."""
    return request.headers.get("HX-Target") == "div#live" and is_partial(request)


def _region(
    request: AnyRequest,
    template: str,
    topics: Sequence[Topic],
    address: str,
    context: dict[str, Any],
) -> Region:
    content = fragment(request, template, **context).content
    events = [topic.event for topic in [Topic(USER, request.scope["user"].id), *topics]]
    # The token is masked differently in each request.
    compared = "\n".join([content, address, *events]).replace(_shown_token(request), "")
    etag = f'"{sha256(compared.encode()).hexdigest()[:32]}"'
    return Region(Markup(content), address, events, etag)  # noqa: S704 - it is rendered by Jinja


async def ask(
    request: AnyRequest,
    *,
    question: str,
    explanation: str,
    action: str,
    button_label: str,
    cancel_url: str,
    pairs: Sequence[tuple[str, str]] = (),
) -> Response[str]:
    """The page that asks for confirmation of an act that cannot be undone; for htmx, the content of
    a dialog.

    Its form posts `pairs` to `action`.
    """
    context: dict[str, Any] = {
        "question": question,
        "explanation": explanation,
        "action": action,
        "button_label": button_label,
        "cancel_url": cancel_url,
        "pairs": pairs,
    }
    if is_partial(request):
        return fragment(request, "components/_question.html", **context)
    return await page(request, "components/confirm.html", **context)


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
        "next_path": _way_back(request),
        "registration": request.app.state.settings.registration,
        "csrf_token": _shown_token(request),
        "language": current_language(),
        "session_id": request.scope["state"].get("session_id"),
        "push_key": request.app.state.vapid_keys.public,
    }


def _way_back(request: AnyRequest) -> str:
    """The path to return to after a login from this page; "/" if returning there makes no sense."""
    path = request.url.path
    is_useful = is_safe(request.scope) and not path.startswith(WITHOUT_WAY_BACK)
    return own_path(path_of(request)) if is_useful else "/"


def _shown_token(request: AnyRequest) -> str:
    state = request.scope["state"]
    if SHOWN not in state:
        state[SHOWN] = csrf_token(request)
    return str(state[SHOWN])


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
