"""How a notification looks in JSON: as the specification's answers show it, wherever it is sent."""

from datetime import datetime
from typing import Any

from app.api.shapes import ResponseBody, like
from app.notifications.events.catalogue import MEMBER_ADDED
from app.notifications.events.notices import Notice


class ActorObject(ResponseBody):
    id: int
    username: str


class NamedObject(ResponseBody):
    """A team or a project, by its present name."""

    id: int
    name: str


class NotificationObject(ResponseBody):
    """Who or what is gone is null; `message` is in the reader's language, times are UTC."""

    id: int
    type: str
    message: str
    is_read: bool
    created_at: datetime
    read_at: datetime | None
    actor: ActorObject | None
    team: NamedObject | None
    project: NamedObject | None
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
        created_at=_whole_second(notice.created_at),
        read_at=notice.read_at and _whole_second(notice.read_at),
        actor=ActorObject(notice.actor_id, notice.actor)
        if notice.actor_id and notice.actor
        else None,
        team=notice.team and NamedObject(*notice.team),
        project=notice.project and NamedObject(*notice.project),
        context=dict(notice.context),
    )


def _whole_second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


class Deleted(ResponseBody):
    """`undo` brings them back within ten minutes; null where there was nothing to delete."""

    message: str
    count: int
    undo: str | None

    example = like(message="3 notifications deleted", count=3, undo="WzEsNDJd.aRx")
