"""The stream that updates open pages, and the bell for pages that have no stream."""

from functools import partial

from litestar import MediaType, Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery

from app.database import Database
from app.http import AnyRequest, is_known, same_origin, same_user, signed_in
from app.models import User
from app.notifications.inbox import feed
from app.notifications.inbox.bell import Bell, read_bell
from app.notifications.live.html import Bells
from app.notifications.live.hub import Hub
from app.notifications.live.stream import EventStream, key_of
from app.rendering import render
from app.values.numbers import whole_number


@get(guards=[signed_in, same_origin, same_user], opt={"no_compress": True})
async def stream(request: AnyRequest) -> EventStream:
    """HTML for the bell, the panel and toasts, as things happen.

    It starts with the whole present state, unless nothing happened since the position at which the
    page was rendered or the previous stream ended. It takes its parts from the application's state:
    when thousands of pages reconnect at once, dependency injection would cost more than the rest.
    """
    hub: Hub = request.app.state.hub
    bells: Bells = request.app.state.bells
    since = whole_number(request.headers.get("Last-Event-ID") or _since(request))
    opening = bells.opening if since is None else partial(bells.opening, since=since)
    return EventStream(hub, request.user.id, key_of(request.scope), opening, since=since or 0)


def _since(request: AnyRequest) -> str:
    return str(request.query_params.get("since") or "")


@get(guards=[same_user])
async def bell(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    since: FromQuery[str] = "",
) -> Response[str | None]:
    """The bell's fragments for a page that polls; 204 if nothing has changed since `since`."""
    position = await feed.position_of(db, user.id)
    if since == str(position):
        return Response(None, status_code=204)
    headers = _headers(user, position)
    if is_known(request, headers["ETag"]):
        return Response(None, status_code=304, headers=headers)
    state = await read_bell(db, user)
    headers = _headers(user, state.position)
    return Response(_rendered(state, user), media_type=MediaType.HTML, headers=headers)


def _headers(user: User, position: int) -> dict[str, str]:
    """The entity tag covers the position and every setting of the user that changes the rendering."""
    look = (user.language, user.timezone, user.grouping, user.urgent_first)
    etag = "-".join(map(str, (user.id, position, *look)))
    return {"ETag": f'"{etag}"', "Cache-Control": "private, no-cache"}


async def bell_fragments(db: Database, user: User) -> str:
    """The bell and the panel as they are now, for the response to every action."""
    return _rendered(await read_bell(db, user), user)


def _rendered(bell: Bell, user: User) -> str:
    return render("notifications/_update.html", {"bell": bell, "user": user})
