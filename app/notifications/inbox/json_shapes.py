"""The JSON form of a notification, the same in responses and on the stream."""

from datetime import datetime
from typing import Any, Literal

from msgspec import UNSET, UnsetType

from app.api.shapes import NamedReference, ResponseBody, UserReference, like, whole_seconds
from app.notifications.events.catalogue import MEMBER_ADDED
from app.notifications.events.event_type import PRIORITIES
from app.notifications.events.notices import Group, Notice

Priority: Any = Literal[PRIORITIES]


class GroupObject(ResponseBody):
    """The notifications of one type about one subject, within the view and the filter. `actors` are at
    most three, newest first; `summary` is a sentence in your language.
    """

    key: str
    count: int
    unread_count: int
    actors: list[UserReference]
    actor_count: int
    summary: str

    example = like(
        key="member_added:team:5",
        count=4,
        unread_count=2,
        actors=[UserReference.example],
        actor_count=1,
        summary="alice and 3 others joined team 'My Team'",
    )


class NotificationObject(ResponseBody):
    """`message` is in your language. An actor, team or project that was deleted is null. `group` is
    only there in a list of groups, where each notification is the newest of its group.

    Lists are sorted by `position`, newest first. A notification gets a new position when its snooze
    ends or a newer event updates it. `snoozed_until` is null unless it is snoozed. `thumbnail_url` is the picture of the video
    that it is about, null without one.
    """

    id: int
    type: str
    message: str
    is_read: bool
    created_at: datetime
    read_at: datetime | None
    position: int
    priority: Priority
    is_done: bool
    is_saved: bool
    snoozed_until: datetime | None
    group_key: str
    updated_at: datetime | None
    thumbnail_url: str | None
    actor: UserReference | None
    team: NamedReference | None
    project: NamedReference | None
    context: dict[str, Any]
    group: GroupObject | UnsetType = UNSET

    example = like(
        id=123,
        type=MEMBER_ADDED.name,
        message="You were added to team 'My Team' as editor",
        is_read=False,
        created_at="2025-11-19T22:30:00Z",
        read_at=None,
        position=4711,
        priority="normal",
        is_done=False,
        is_saved=False,
        snoozed_until=None,
        group_key="member_added:team:5",
        updated_at=None,
        thumbnail_url=None,
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
        position=notice.position,
        priority=notice.priority,
        is_done=notice.is_done,
        is_saved=notice.is_saved,
        snoozed_until=notice.snoozed_until and whole_seconds(notice.snoozed_until),
        group_key=notice.group_key,
        updated_at=notice.updated_at and whole_seconds(notice.updated_at),
        thumbnail_url=notice.thumbnail_url and f"/api{notice.thumbnail_url}",
        actor=UserReference(notice.actor_id, notice.actor)
        if notice.actor_id and notice.actor
        else None,
        team=notice.team and NamedReference(*notice.team),
        project=notice.project and NamedReference(*notice.project),
        context=dict(notice.context),
        group=_group(notice.group) if notice.group else UNSET,
    )


def _group(group: Group) -> GroupObject:
    return GroupObject(
        key=group.key,
        count=group.count,
        unread_count=group.unread_count,
        actors=[UserReference(actor.id, actor.username) for actor in group.actors],
        actor_count=group.actor_count,
        summary=group.text,
    )


class Undoable(ResponseBody):
    """`undo` undoes it within ten minutes; null if nothing changed."""

    message: str
    undo: str | None

    example = like(message="All notifications marked as read", undo="WzEsNDJd.aRx")


class UndoableCount(ResponseBody):
    """`undo` undoes it within ten minutes; null if nothing changed."""

    message: str
    count: int
    undo: str | None

    example = like(message="3 notifications deleted", count=3, undo="WzEsNDJd.aRx")
