"""The stream that updates open pages, and the bell for pages that have no stream."""

from functools import partial

from litestar import MediaType, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery

from app.database import Database
from app.http import AnyRequest, Form, is_partial, redirect, same_origin, same_user
from app.models import User
from app.notifications.inbox import feed
from app.notifications.inbox.bell import Bell, look, read_bell
from app.notifications.live.html import HtmlPublisher
from app.notifications.live.hub import Hub
from app.notifications.live.stream import EventStream, key_of
from app.numbers import whole_number
from app.rendering import render


@get(guards=[same_origin, same_user], opt={"no_compress": True})
async def stream(
    request: AnyRequest,
    hub: NamedDependency[Hub],
    html_publisher: NamedDependency[HtmlPublisher],
    user: NamedDependency[User],
    since: FromQuery[str] = "",
) -> EventStream:
    """HTML for the bell, the panel and toasts, as things happen.

    It starts with the whole present state, unless nothing happened since the position at which
    the page was rendered or the previous stream ended.
    """
    position = whole_number(request.headers.get("Last-Event-ID") or since)
    opening = html_publisher.opening
    if position is not None:
        opening = partial(opening, since=position)
    return EventStream(hub, user.id, key_of(request.scope), opening)


@get(guards=[same_user])
async def bell(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    since: FromQuery[str] = "",
) -> Response[str | None]:
    """The bell's fragments for a page that polls; 204 if nothing has changed since `since`."""
    async with db.read() as session:
        position = await feed.position_of(session, user.id)
        etag = f'"{user.id}-{position}"'
        headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
        if since == str(position):
            return Response(None, status_code=204)
        if request.headers.get("If-None-Match") == etag:
            return Response(None, status_code=304, headers=headers)
        state = await read_bell(session, user.id)
    return Response(_rendered(state, user), media_type=MediaType.HTML, headers=headers)


@post(status_code=200)
async def read_all(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    form: NamedDependency[Form],
) -> Response[str] | Response[None]:
    """Mark all up to the newest notification on the page as read; later ones stay unread."""
    up_to = whole_number(form["up_to"]) or 0
    async with db.act() as session:
        await feed.read_all(session, user.id, up_to)
    if is_partial(request):
        return Response(await bell_fragments(db, user), media_type=MediaType.HTML)
    return redirect("/notifications")


async def bell_fragments(db: Database, user: User) -> str:
    """The bell and the panel as they are now, for the response to every action."""
    return _rendered(await look(db, user), user)


def _rendered(bell: Bell, user: User) -> str:
    return render("notifications/_update.html", {"bell": bell, "user": user})
