"""The live stream for clients of the JSON API: every change to the user's notifications."""

from typing import Annotated

from litestar import get
from litestar.di import NamedDependency
from litestar.exceptions import PermissionDeniedException
from litestar.openapi.spec import Example
from litestar.params import HeaderParameter, QueryParameter

from app.api.problems import problems
from app.http import AnyRequest, is_same_origin, same_user
from app.models import User
from app.notifications.live.hub import Hub
from app.notifications.live.resuming import UNKNOWN, Resumptions
from app.notifications.live.stream import JSON, SESSION, EventStream, key_of
from app.values.numbers import whole_number

SINCE = QueryParameter(
    description="The id of the last event received, where Last-Event-ID cannot be sent.",
    examples=[Example(value="42")],
)
OWN_ID = QueryParameter(
    name="user",
    description="Your user id. The response is 409 if the stream would be that of another user.",
    examples=[Example(value="1")],
)
LAST_EVENT_ID = HeaderParameter(
    name="Last-Event-ID", description="The id of the last event received; browsers send it."
)


@get(
    media_type="text/event-stream",
    guards=[same_user],
    responses=problems(403, 409),
)
async def stream(
    request: AnyRequest,
    hub: NamedDependency[Hub],
    resumptions: NamedDependency[Resumptions],
    user: NamedDependency[User],
    since: Annotated[str, SINCE] = "",
    last_event_id: Annotated[str, LAST_EVENT_ID] = "",
    user_id: Annotated[str, OWN_ID] = "",  # noqa: ARG001 - same_user reads it
) -> EventStream:
    """Every change to your notifications, as it happens (server-sent events).

    First `hello` with `{"unread_count": n, "position": p}`, then `notification` (the object, as in
    the inbox), `read`, `unread`, `done`, `undone`, `saved`, `unsaved`, `snoozed`, `returned`,
    `deleted` and `restored` (`{"ids": [...]}`, at most 1,000, or `{"all": true, "up_to": id,
    "up_to_position": p}` for the inbox up to there), and `updated` (the object as it is now, where a
    newer event has taken the place of an older one), each with the present `unread_count`. What is
    `done` is read as well, and what has `returned` is unread.

    Every event has an id. Reconnect with the last one, as `Last-Event-ID` or `since`, and every
    change since then arrives once, in order. Ids are kept for 7 days; after `resync`, fetch the
    inbox again. A user has at most 30 streams; one more ends the oldest with `bye`.
    """
    key = key_of(request.scope)
    if key[0] == SESSION and is_same_origin(request) is False:
        raise PermissionDeniedException
    position = _position(last_event_id or since)
    return EventStream(hub, user.id, key, resumptions.begin(position).read, JSON)


def _position(id: str) -> int | None:
    """None without an id; UNKNOWN for one that this application never sent."""
    if not id:
        return None
    position = whole_number(id)
    return UNKNOWN if position is None else position
