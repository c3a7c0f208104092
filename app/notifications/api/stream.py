"""The JSON event stream: every change of a user's notifications, resumable without loss."""

from typing import Annotated

from litestar import get
from litestar.di import NamedDependency
from litestar.exceptions import PermissionDeniedException
from litestar.openapi.spec import Example
from litestar.params import HeaderParameter, QueryParameter

from app.api.problems import problems
from app.http import AnyRequest, is_same_origin
from app.models import User
from app.notifications.live.hub import Hub
from app.notifications.live.resuming import UNKNOWN, Resumptions
from app.notifications.live.stream import JSON, SESSION, TOKEN, EventStream, Key
from app.numbers import whole_number

SINCE = QueryParameter(
    description="The id of the last event received, where Last-Event-ID cannot be sent.",
    examples=[Example(value="42")],
)
LAST_EVENT_ID = HeaderParameter(
    name="Last-Event-ID", description="The id of the last event received; browsers send it."
)


@get(
    "/api/notifications/stream",
    media_type="text/event-stream",
    responses=problems(403, 503),
)
async def stream(
    request: AnyRequest,
    hub: NamedDependency[Hub],
    resumptions: NamedDependency[Resumptions],
    user: NamedDependency[User],
    since: Annotated[str, SINCE] = "",
    last_event_id: Annotated[str, LAST_EVENT_ID] = "",
) -> EventStream:
    """Stream every change of your notifications as server-sent events.

    The first event is `hello` with `{"unread_count": n}`. Then come `notification` (the object, as
    in the inbox), `read`, `unread`, `deleted` and `restored` (`{"ids": [...]}` with at most 1,000
    ids, or `{"all": true, "up_to": id}` for the whole inbox up to that id). Each carries the
    current `unread_count`.

    Every event has an id. To resume, send the last one as `Last-Event-ID` or `since`: each change
    since then arrives once, in order. Ids are kept for 7 days; after the event `resync`, read the
    inbox again. A user has at most 30 streams; a new one closes the oldest with the event `bye`.
    """
    key = _key(request)
    if key[0] == SESSION and is_same_origin(request) is False:
        raise PermissionDeniedException
    position = _position(last_event_id or since)
    return EventStream(hub, user.id, key, resumptions.begin(position).open, JSON)


def _key(request: AnyRequest) -> Key:
    """The token or session that this request is authenticated by."""
    state = request.scope["state"]
    return (TOKEN, state["token_id"]) if "token_id" in state else (SESSION, state["session_id"])


def _position(id: str) -> int | None:
    """None without an id; UNKNOWN for an id that this application never sent."""
    if not id:
        return None
    position = whole_number(id)
    return UNKNOWN if position is None else position


routes = [stream]
