"""Failures turned into page, fragment or problem+json: the one place that does."""

import logging
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import quote

from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.types import ASGIApp, Receive, Scope, Send

from app.accounts.authentication import find_visitor
from app.api.problems import PROBLEM_JSON, FieldProblem, InvalidProblem, Problem
from app.api.reading import invalid_parameters
from app.errors import Failure, Invalid, SignedOut
from app.http import AnyRequest, is_api, is_partial, redirect
from app.language import _
from app.layout import fragment, page
from app.models import User

_log = logging.getLogger(__name__)


def on_failure(request: Request[Any, Any, Any], failure: Failure) -> Response[Any]:
    """A failure with a sentence for the person; a page of the signed out leads to the login."""
    if isinstance(failure, SignedOut) and _is_navigation(request):
        return redirect(f"/login?next={quote(_asked_for(request))}")
    fields = failure.fields if isinstance(failure, Invalid) else {}
    sentence = " ".join([failure.sentence, *fields.values()])
    return _later(request, failure.status, sentence, failure.headers, fields)


def on_http_exception(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """What Litestar itself refuses: a wrong path, method, token, size or parameter."""
    if isinstance(error, ValidationException):
        return on_failure(request, invalid_parameters(request.route_handler, error))
    return _later(request, error.status_code, "", error.headers or {}, {})


def on_crash(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Our own fault, logged whole and told without details; unless the account was deleted since
    the request came in: then every act may miss it, and the person is signed out.
    """

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if await _has_gone(request):
            response = on_failure(request, SignedOut())
        else:
            _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
            response = _later(request, 500, "", {}, {})
        await response.to_asgi_response(app=None, request=request)(scope, receive, send)

    return _Later(answer)


async def _has_gone(request: AnyRequest) -> bool:
    user = request.scope.get("user")
    if user is None:
        return False
    async with request.app.state.db.read() as session:
        return await session.get(User, user.id) is None


def _later(
    request: AnyRequest,
    status: int,
    sentence: str,
    headers: Mapping[str, str],
    fields: Mapping[str, str],
) -> Response[Any]:
    """Litestar asks for an answer at once, but a page has to look at the person's bell first."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if is_api(request):
            told = sentence or _sentence(status)
            response: Response[Any] = _problem(status, told, headers, fields)
        else:
            response = await _page(request, status, sentence, headers)
        await response.to_asgi_response(app=None, request=request)(scope, receive, send)

    return _Later(answer)


class _Later(Response[Any]):
    """An answer that is made while it is sent."""

    def __init__(self, answer: ASGIApp) -> None:
        super().__init__(None)
        self._answer = answer

    def to_asgi_response(self, *_given: Any, **_options: Any) -> Any:
        return self._answer


def _problem(
    status: int, sentence: str, headers: Mapping[str, str], fields: Mapping[str, str]
) -> Response[Problem]:
    """RFC 9457. What is malformed as a whole, and not in a field, is wrong in the `request`."""
    problem = Problem(status=status, title=_title(status), detail=sentence)
    if status == 400 or fields:
        errors = [FieldProblem(*one) for one in (fields or {"request": sentence}).items()]
        problem = InvalidProblem(status, problem.title, sentence, errors)
    return Response(problem, status_code=status, headers=headers, media_type=PROBLEM_JSON)


async def _page(
    request: AnyRequest, status: int, sentence: str, headers: Mapping[str, str]
) -> Response[Any]:
    if "user" not in cast(dict[str, Any], request.scope):
        # There is no route here, so nobody has asked yet who it is.
        await find_visitor(request.scope)
    title, sentence = _title(status), sentence or _sentence(status)
    if is_partial(request) or not _accepts_html(request):
        answer = _fragment(request, status, title, sentence)
    else:
        answer = await page(
            request, "errors/error.html", status=status, title=title, sentence=sentence
        )
    answer.headers.update(headers)
    return answer


def _fragment(request: AnyRequest, status: int, title: str, sentence: str) -> Response[str]:
    return fragment(request, "errors/_error.html", status=status, title=title, sentence=sentence)


def _is_navigation(request: AnyRequest) -> bool:
    is_fetched = request.url.path.startswith(("/notifications/stream", "/notifications/bell"))
    is_page = not is_fetched and not is_api(request)
    return is_page and _accepts_html(request) and not is_partial(request)


def _asked_for(request: AnyRequest) -> str:
    """Where to go on after the login: what was posted to may have no page of its own."""
    if request.method != "GET":
        return "/"
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def _accepts_html(request: AnyRequest) -> bool:
    accepted = request.headers.get("Accept", "*/*")
    return "html" in accepted or "*/*" in accepted


def _title(status: int) -> str:
    titles = {
        400: _("That did not work"),
        401: _("Please log in"),
        403: _("That is not allowed"),
        404: _("Not found"),
        405: _("That cannot be done here"),
        409: _("That does not fit any more"),
        413: _("Too large"),
        416: _("Beyond the end"),
        429: _("Too many tries"),
        503: _("Busy"),
    }
    return titles.get(status, _("Something went wrong"))


def _sentence(status: int) -> str:
    sentences = {
        400: _("The request could not be understood."),
        403: _(
            "This form has expired or is not yours. Please go back, reload the page and try again."
        ),
        404: _("There is nothing here, or it is not yours."),
        405: _("This address does not take requests of that kind."),
        413: _("That is more than can be taken at once."),
        503: _("Live updates are busy at the moment. They come back by themselves."),
    }
    return sentences.get(
        status, _("It is our fault, and it has been written down. Please try again.")
    )
