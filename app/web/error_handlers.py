"""Turns every failure into a page, a fragment or problem+json, as the client asked."""

import logging
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import Any, cast
from urllib.parse import quote

from litestar import Request, Response
from litestar.datastructures import FormMultiDict
from litestar.exceptions import (
    HTTPException,
    ServiceUnavailableException,
    ValidationException,
)
from litestar.types import ASGIApp, EmptyType, Receive, Scope, Send
from litestar.utils.scope.state import ScopeState

from app.accounts.authentication import authenticate
from app.api.problems import (
    PROBLEM_JSON,
    FieldProblem,
    InvalidProblem,
    Problem,
    about_request,
)
from app.api.reading import invalid_parameters
from app.errors import (
    Failure,
    Invalid,
    NotFound,
    OlderSession,
    OtherUser,
    SignedOut,
    TooMany,
    Unavailable,
)
from app.faults import fault_of
from app.http import (
    AnyRequest,
    is_api,
    is_partial,
    is_safe,
    own_path,
    page_of,
    path_of,
    redirect,
    text_fields,
)
from app.language import _
from app.layout import fragment, is_for_region, lost_region, page
from app.models import User
from app.values.names import to_plain
from app.web.csrf import without_proof
from app.web.page_refusals import form_again, log_in_way, refuse_page

_log = logging.getLogger(__name__)


def on_failure(request: Request[Any, Any, Any], failure: Failure) -> Response[Any]:
    """A failure from `app/errors.py`. A page that needs a user redirects to the login instead."""
    if isinstance(failure, SignedOut) and _redirects_to_login(request):
        return redirect(f"/login?next={quote(_path_after_login(request))}")
    if isinstance(failure, OtherUser | OlderSession) and not is_api(request.scope):
        return _later(request, refuse_page(request, failure, takes_page=_takes_page(request)))
    if isinstance(failure, Unavailable):
        # Without the path, so that the log counts a fault that affects many requests as one.
        _log.warning("Requests are refused: %s", failure)
    if isinstance(failure, Unavailable | TooMany):
        return _try_later(request, failure)
    fields = failure.fields if isinstance(failure, Invalid) else {}
    sentence = " ".join([failure.sentence, *fields.values()])
    return _respond(request, failure.status, sentence, failure.headers, fields)


def _takes_page(request: AnyRequest) -> bool:
    return not is_api(request.scope) and not is_partial(request) and _accepts_html(request)


def _try_later(request: AnyRequest, failure: Unavailable | TooMany) -> Response[Any]:
    """If the request's form was already read, the page offers to send it again."""
    form = cast(FormMultiDict | EmptyType, ScopeState.from_scope(request.scope).form)
    if is_safe(request.scope) or not isinstance(form, FormMultiDict) or not _takes_page(request):
        return _respond(request, failure.status, failure.sentence, failure.headers, {})
    typed = without_proof(text_fields(form))
    make = partial(form_again, request, failure, typed, _title(failure.status), failure.status)
    return _later(request, _without_bell_if_unreadable(request, make))


def on_http_exception(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """A request that Litestar itself refuses: wrong path, method, size or parameter."""
    if isinstance(error, ValidationException):
        return on_failure(request, invalid_parameters(request.route_handler, error))
    # The words of Litestar are for developers. Only our own code raises 503.
    sentence = error.detail if isinstance(error, ServiceUnavailableException) else ""
    return _respond(request, error.status_code, sentence, error.headers or {}, {})


def on_crash(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """A fault of disk or database: answered in words. Anything else is a bug: logged with its
    traceback, answered without details.

    If the account was deleted while the request ran, any statement can fail because the user's row
    is gone. That is no bug, and is answered as signed out.
    """

    return _later(request, _after_crash(request, error))


async def _after_crash(request: AnyRequest, error: Exception) -> Response[Any]:
    if fault := fault_of(error):
        return on_failure(request, fault)
    if await _is_deleted(request):
        return on_failure(request, SignedOut())
    _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return _respond(request, 500, "", {}, {})


async def _is_deleted(request: AnyRequest) -> bool:
    user = request.scope.get("user")
    if user is None:
        return False
    async with request.app.state.db.read() as session:
        return await session.get(User, user.id) is None


def _respond(
    request: AnyRequest,
    status: int,
    sentence: str,
    headers: Mapping[str, str],
    fields: Mapping[str, str],
) -> Response[Any]:
    if is_api(request.scope):
        return _problem(status, sentence or _sentence(status), headers, fields)
    make = partial(_page, request, status, sentence, headers)
    return _later(request, _without_bell_if_unreadable(request, make))


def _later(request: AnyRequest, answer: Coroutine[Any, Any, Response[Any]]) -> Response[Any]:
    """Exception handlers are not async, but a page has to read the user's bell from the database."""

    async def send_response(scope: Scope, receive: Receive, send: Send) -> None:
        response = (await answer).to_asgi_response(app=None, request=request)
        await response(scope, receive, send)

    return _DeferredResponse(send_response)


class _DeferredResponse(Response[Any]):
    """A response that is rendered while it is being sent."""

    def __init__(self, send_response: ASGIApp) -> None:
        super().__init__(None)
        self._send_response = send_response

    def to_asgi_response(self, *_arguments: Any, **_options: Any) -> Any:
        return self._send_response


def _problem(
    status: int, sentence: str, headers: Mapping[str, str], fields: Mapping[str, str]
) -> Response[Problem]:
    """Problem details (RFC 9457)."""
    title, sentence = _title(status), to_plain(sentence)
    problem = Problem(status, title, sentence)
    if fields:
        errors = [FieldProblem(field, to_plain(error)) for field, error in fields.items()]
        problem = InvalidProblem(status, title, sentence, errors)
    elif status == 400:
        problem = about_request(title, sentence)
    return Response(problem, status_code=status, headers=headers, media_type=PROBLEM_JSON)


async def _without_bell_if_unreadable(
    request: AnyRequest, make: Callable[[], Coroutine[Any, Any, Response[Any]]]
) -> Response[Any]:
    try:
        return await make()
    except Exception as error:
        if not fault_of(error):
            raise
        # The database cannot even be read, so render the page without the bell, which needs it.
        request.scope["user"] = None
        return await make()


async def _page(
    request: AnyRequest, status: int, sentence: str, headers: Mapping[str, str]
) -> Response[Any]:
    if "user" not in cast(dict[str, Any], request.scope):
        # Without a matching route no middleware has run.
        await authenticate(request.scope)
    title, sentence = _title(status), sentence or _sentence(status)
    if is_partial(request) or not _accepts_html(request):
        response = _fragment(request, status, title, sentence)
    else:
        response = await page(
            request, "errors/error.html", status=status, title=title, sentence=sentence
        )
    response.headers.update(headers)
    return response


def _fragment(request: AnyRequest, status: int, title: str, sentence: str) -> Response[str]:
    if status == 404 and request.scope.get("user") and is_for_region(request):
        return lost_region(request, title, sentence)
    ways = [log_in_way(request)] if status == 401 else []
    context = {"title": title, "sentence": sentence, "ways": ways}
    return fragment(request, "errors/_error.html", status=status, **context)


def _redirects_to_login(request: AnyRequest) -> bool:
    is_fetched = request.url.path.startswith(("/notifications/stream", "/notifications/bell"))
    is_page = not is_fetched and not is_api(request.scope) and not _is_by_script(request)
    return is_page and _accepts_html(request) and not is_partial(request)


def _is_by_script(request: AnyRequest) -> bool:
    """A script other than htmx would follow a redirect to the login with the headers of the user
    who has logged out, and be redirected again, for ever.
    """
    mode = request.headers.get("Sec-Fetch-Mode", "navigate")
    return mode != "navigate" and "HX-Request" not in request.headers


def _path_after_login(request: AnyRequest) -> str:
    """The requested page; after a POST, whose path may have no page, the one with the form.

    Not "/logout": who has just logged in does not want to be asked to log out.
    """
    path = own_path(path_of(request)) if is_safe(request.scope) else page_of(request)
    return "/" if path.partition("?")[0] == "/logout" else path


def _accepts_html(request: AnyRequest) -> bool:
    accepted = request.headers.get("Accept", "*/*")
    return "html" in accepted or "*/*" in accepted


def _title(status: int) -> str:
    titles = {
        400: _("Invalid request"),
        401: _("Please log in"),
        403: _("Not allowed"),
        404: _("Not found"),
        405: _("Method not allowed"),
        409: _("Conflict"),
        410: _("No longer here"),
        413: _("Too large"),
        416: _("Range not satisfiable"),
        429: _("Too many attempts"),
        503: _("Server busy"),
        507: _("The server is out of space"),
    }
    return titles.get(status, _("Something went wrong"))


def _sentence(status: int) -> str:
    sentences = {
        400: _("We could not understand this request."),
        404: NotFound().sentence,
        405: _("This address does not support this request method."),
        413: _("This is more than we accept in one request."),
        503: _("The server is busy. Please try again in a moment."),
    }
    return sentences.get(
        status, _("Something went wrong on our side. We have logged it. Please try again.")
    )
