"""Answers a page that was made for another user, or in an earlier session of the same user.

Its form comes back with what was typed. The scripts of an open page get a toast instead.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from litestar import Response

from app.errors import Failure, OlderSession, OtherUser
from app.http import AnyRequest, page_of, path_of
from app.language import _
from app.layout import fragment, page
from app.models import User
from app.values.names import isolate


class Way(NamedTuple):
    """A link that leads on; `is_new` opens it in a new tab, so that what was typed stays."""

    label: str
    url: str
    is_new: bool = False


async def refuse_page(
    request: AnyRequest, failure: OtherUser | OlderSession, *, takes_page: bool
) -> Response[Any]:
    """409 for another user; for an earlier session 422 with the form, 403 without."""
    if isinstance(failure, OlderSession):
        return await _of_older_session(request, failure, takes_page=takes_page)
    name, owner = _isolated(request.scope["user"]), _isolated(await _owner(request, failure))
    context = {
        "title": _("You are logged in as {name}").format(name=name),
        "sentence": failure.sentence,
        "ways": [
            Way(_("Continue as {name}").format(name=name), "/"),
            Way(_log_in_as(owner), f"/login?switch=1&next={quote(page_of(request))}", is_new=True),
        ],
    }
    if not takes_page:
        return fragment(request, "errors/_error.html", status=409, **context)
    again = _("Send again as {name}").format(name=owner) if owner else _("Send again")
    form = {**_form(request, failure.typed), "again": again}
    return await page(request, "errors/other_user.html", status=409, **context, **form)


def log_in_way(request: AnyRequest) -> Way:
    """From an open page whose user has logged out."""
    return Way(_("Log in"), f"/login?next={quote(page_of(request))}", is_new=True)


async def _of_older_session(
    request: AnyRequest, failure: OlderSession, *, takes_page: bool
) -> Response[Any]:
    if takes_page:
        return await form_again(
            request, failure, failure.typed, _("Please send this once more"), status=422
        )
    context = {"title": _("You have logged in again"), "sentence": failure.sentence}
    ways = [Way(_("Reload the page"), "")]
    return fragment(request, "errors/_error.html", status=403, ways=ways, **context)


async def form_again(
    request: AnyRequest,
    failure: Failure,
    typed: Sequence[tuple[str, str]],
    title: str,
    status: int,
) -> Response[Any]:
    """The form that was sent, filled in, to be sent again."""
    context = {"title": title, "sentence": failure.sentence, **_form(request, typed)}
    answer = await page(request, "errors/form_again.html", status=status, **context)
    answer.headers.update(failure.headers)
    return answer


def _form(request: AnyRequest, typed: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Files must be chosen again, because a page cannot fill in a file field."""
    file_field = request.route_handler.opt.get("file_field")
    return {"action": path_of(request), "fields": typed, "file_field": file_field}


async def _owner(request: AnyRequest, failure: OtherUser) -> User | None:
    async with request.app.state.db.read() as session:
        owner: User | None = await session.get(User, failure.owner_id or 0)
    return owner


def _isolated(user: User | None) -> str:
    return isolate(user.username) if user else ""


def _log_in_as(owner: str) -> str:
    if owner:
        return _("Log in as {name}").format(name=owner)
    return _("Log in with another account")
