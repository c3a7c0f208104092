"""The JSON form of a notification, the same in responses and on the stream."""

from datetime import datetime
from typing import Any

from app.api.shapes import NamedReference, ResponseBody, UserReference, like, whole_seconds
from app.notifications.events.catalogue import MEMBER_ADDED
from app.notifications.events.notices import Notice


class NotificationObject(ResponseBody):
    """`message` is in your language. An actor, team or project that was deleted is null."""

    id: int
    type: str
    message: str
    is_read: bool
    created_at: datetime
    read_at: datetime | None
    actor: UserReference | None
    team: NamedReference | None
    project: NamedReference | None
    context: dict[str, Any]

    example = like(
        id=123,
        type=MEMBER_ADDED.name,
        message="You were added to team 'My Team' as editor",
        is_read=False,
        created_at="2025-11-19T22:30:00Z",
        read_at=None,
        actor={"id": 1, "username": "admin"},
        team={"id": 5, "name": "My Team"},
        project=None,
        context={"username": "alice", "role": "editor"},
    )


def as_json(notice: Notice) -> NotificationObject:
    return NotificationObject(
        id=notice.id,
        type=notice.type,
        message=notice.text,
        is_read=notice.is_read,
        created_at=whole_seconds(notice.created_at),
        read_at=notice.read_at and whole_seconds(notice.read_at),
        actor=UserReference(notice.actor_id, notice.actor)
        if notice.actor_id and notice.actor
        else None,
        team=notice.team and NamedReference(*notice.team),
        project=notice.project and NamedReference(*notice.project),
        context=dict(notice.context),
    )


class Deleted(ResponseBody):
    """`undo` restores them within ten minutes; null if nothing was deleted."""

    message: str
    count: int
    undo: str | None

    example = like(message="3 notifications deleted", count=3, undo="WzEsNDJd.aRx")
