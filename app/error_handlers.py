"""Turns every failure into a page, a fragment or problem+json, as the client asked."""

import logging
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import quote

from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.types import ASGIApp, Receive, Scope, Send

from app.accounts.authentication import authenticate
from app.api.problems import PROBLEM_JSON, FieldProblem, InvalidProblem, Problem
from app.api.reading import invalid_parameters
from app.errors import Failure, Invalid, NotFound, OlderSession, OtherUser, SignedOut
from app.http import AnyRequest, is_api, is_partial, own_path, redirect
from app.language import _
from app.layout import fragment, page
from app.models import User
from app.names import to_plain

_log = logging.getLogger(__name__)


def on_failure(request: Request[Any, Any, Any], failure: Failure) -> Response[Any]:
    """A failure from `app/errors.py`. A page that needs a user redirects to the login instead."""
    if isinstance(failure, SignedOut) and _is_navigation(request):
        return redirect(f"/login?next={quote(_path_after_login(request))}")
    if isinstance(failure, OtherUser | OlderSession) and _takes_page(request):
        return _with_form(request, failure)
    fields = failure.fields if isinstance(failure, Invalid) else {}
    sentence = " ".join([failure.sentence, *fields.values()])
    return _respond(request, failure.status, sentence, failure.headers, fields)


def _takes_page(request: AnyRequest) -> bool:
    return not is_api(request.scope) and not is_partial(request) and _accepts_html(request)


def _with_form(request: AnyRequest, failure: OtherUser | OlderSession) -> Response[Any]:
    """A page that keeps what was typed."""
    name, status = ("other_user", 409) if isinstance(failure, OtherUser) else ("form_again", 422)

    async def send_response(scope: Scope, receive: Receive, send: Send) -> None:
        answer = await page(
            request,
            f"errors/{name}.html",
            status=status,
            title=_title(status),
            sentence=failure.sentence,
            action=_path_of(request),
            fields=failure.typed,
        )
        await answer.to_asgi_response(app=None, request=request)(scope, receive, send)

    return _DeferredResponse(send_response)


def on_http_exception(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """A request that Litestar itself refuses: wrong path, method, size or parameter."""
    if isinstance(error, ValidationException):
        return on_failure(request, invalid_parameters(request.route_handler, error))
    return _respond(request, error.status_code, "", error.headers or {}, {})


def on_crash(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """A bug: logged with its traceback, answered without details.

    If the account was deleted while the request ran, any statement can fail because the user's row
    is gone. That is no bug, and is answered as signed out.
    """

    async def send_response(scope: Scope, receive: Receive, send: Send) -> None:
        if await _is_deleted(request):
            response = on_failure(request, SignedOut())
        else:
            _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
            response = _respond(request, 500, "", {}, {})
        await response.to_asgi_response(app=None, request=request)(scope, receive, send)

    return _DeferredResponse(send_response)


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
    async def send_response(scope: Scope, receive: Receive, send: Send) -> None:
        if is_api(request.scope):
            detail = sentence or _sentence(status)
            response: Response[Any] = _problem(status, detail, headers, fields)
        else:
            response = await _page(request, status, sentence, headers)
        await response.to_asgi_response(app=None, request=request)(scope, receive, send)

    return _DeferredResponse(send_response)


class _DeferredResponse(Response[Any]):
    """A response that is rendered while it is being sent.

    Exception handlers are not async, but a page has to read the user's bell from the database.
    """

    def __init__(self, send_response: ASGIApp) -> None:
        super().__init__(None)
        self._send_response = send_response

    def to_asgi_response(self, *_arguments: Any, **_options: Any) -> Any:
        return self._send_response


def _problem(
    status: int, sentence: str, headers: Mapping[str, str], fields: Mapping[str, str]
) -> Response[Problem]:
    """Problem details (RFC 9457). If the whole request is malformed, the field is `request`."""
    sentence = to_plain(sentence)
    problem = Problem(status=status, title=_title(status), detail=sentence)
    if status == 400 or fields:
        errors = [
            FieldProblem(field, to_plain(error))
            for field, error in (fields or {"request": sentence}).items()
        ]
        problem = InvalidProblem(status, problem.title, sentence, errors)
    return Response(problem, status_code=status, headers=headers, media_type=PROBLEM_JSON)


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
    return fragment(request, "errors/_error.html", status=status, title=title, sentence=sentence)


def _is_navigation(request: AnyRequest) -> bool:
    is_fetched = request.url.path.startswith(("/notifications/stream", "/notifications/bell"))
    is_page = not is_fetched and not is_api(request.scope)
    return is_page and _accepts_html(request) and not is_partial(request)


def _path_after_login(request: AnyRequest) -> str:
    """The requested page; the dashboard after a POST, whose path may have no page, and for a
    path that the login would not redirect to.
    """
    return own_path(_path_of(request)) if request.method == "GET" else "/"


def _path_of(request: AnyRequest) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


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
        422: _("Please send this once more"),
        416: _("Range not satisfiable"),
        429: _("Too many attempts"),
        503: _("Server busy"),
    }
    return titles.get(status, _("Something went wrong"))


def _sentence(status: int) -> str:
    sentences = {
        400: _("We could not understand this request."),
        404: NotFound().sentence,
        405: _("This address does not support this request method."),
        413: _("This is more than we accept in one request."),
        503: _("Live updates are busy right now and will resume automatically."),
    }
    return sentences.get(
        status, _("Something went wrong on our side. We have logged it. Please try again.")
    )
