"""The contents of JSON streams: every change to a user's notifications, once, at its position."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache, partial
from typing import Any

import msgspec
from sqlalchemy import Row, select

from app.database import Database
from app.database.id_lists import ids_in
from app.language import in_language
from app.models import Change, Notification, User
from app.models.notification import UPDATED
from app.notifications.events.notices import OWN
from app.notifications.inbox.json_shapes import NotificationObject, as_json
from app.notifications.live.frames import frame
from app.notifications.live.placeholders import COUNT, ID
from app.notifications.live.queries import Rows, Statement, read_events
from app.notifications.live.variants import EventRow, Variant, renderable, rendered

NOTIFICATION = "notification"
# The stream's event for each kind of change. To a client, a withdrawal is a deletion. `refreshed`
# is missing, because it does not change the JSON object.
EVENTS = {
    kind: kind
    for kind in (
        "read",
        "unread",
        "done",
        "undone",
        "saved",
        "unsaved",
        "snoozed",
        "returned",
        "deleted",
        "restored",
    )
}
EVENTS["withdrawn"] = "deleted"
EVENTS[UPDATED] = UPDATED

_CHANGES: Statement = (
    select(
        Change.id,
        Change.kind,
        Change.user_id,
        Change.ids,
        Change.up_to,
        Change.up_to_position,
    )
    .where(Change.id.in_(ids_in("ids")))
    .order_by(Change.id)
)


async def read_changes(db: Database, ids: Sequence[int]) -> Rows:
    """The changes at these positions, in order, with the notifications they are about."""
    return await db.fetch(_CHANGES, ids=ids)


def change_frame(change: Row[Any], unread: int) -> bytes:
    """A change to some notifications, or to the whole inbox up to one of them."""
    about: dict[str, Any] = {"ids": change.ids}
    if change.up_to is not None:
        about = {"all": True, "up_to": change.up_to, "up_to_position": change.up_to_position}
    return json_frame(EVENTS[change.kind], about | {"unread_count": unread}, change.id)


async def change_frames(db: Database, changes: Rows, unread: Mapping[int, int]) -> dict[int, bytes]:
    """The frames of these changes by position, given the counts of their users."""
    frames = await _updates(db, [one for one in changes if one.kind == UPDATED], unread)
    others = [one for one in changes if one.kind != UPDATED]
    return frames | {one.id: change_frame(one, unread.get(one.user_id, 0)) for one in others}


async def _updates(db: Database, changes: Rows, unread: Mapping[int, int]) -> dict[int, bytes]:
    """The frames of updates: the whole notification as it is now, unless it is gone or
    unrenderable.
    """
    if not changes:
        return {}
    ids = [one for change in changes for one in change.ids]
    rows = {row.id: row for row in await db.fetch(_updated(), ids=ids)}
    events = renderable(await read_events(db, {row.event_id for row in rows.values()}))
    frames: dict[int, bytes] = {}
    for change in changes:
        row = rows.get(change.ids[0])
        if row and row.event_id in events:
            count = unread.get(row.user_id, 0)
            with in_language(row.language):
                made = frame_of(row, row.user_id, events[row.event_id], change.id, count, UPDATED)
            if made:
                frames[change.id] = made
    return frames


@cache
def _updated() -> Statement:
    return (
        select(Notification.user_id, User.language, *OWN)
        .join(User, User.id == Notification.user_id)
        .where(Notification.id.in_(ids_in("ids")), Notification.deleted_at.is_(None))
    )


def frame_of(
    row: Row[Any],
    user_id: int,
    event: EventRow,
    position: int,
    unread: int,
    kind: str = NOTIFICATION,
) -> bytes | None:
    """The frame of this user's row, which has the columns OWN; None if it cannot be rendered."""

    def render() -> bytes:
        notice = event.notice(user_id, dict(row._mapping))
        return notification_frame(position, as_json(notice), unread, kind)

    return rendered(event, render)


def notification_frame(
    position: int, notification: NotificationObject, unread: int, event: str = NOTIFICATION
) -> bytes:
    data = msgspec.to_builtins(notification) | {"unread_count": unread}
    return json_frame(event, data, position)


def json_frame(event: str, data: dict[str, Any], position: int) -> bytes:
    return frame(msgspec.json.encode(data).decode(), event=event, id=position)


def json_arrivals(
    recipients: Rows, event: EventRow, unread: Mapping[int, int]
) -> Iterator[tuple[int, bytes]]:
    """(user_id, frame): as `notification_frame`, from parts that are rendered once for all. Leaves
    out the users for whom it cannot be rendered.
    """
    for user_id, id, language, _timezone, _unread, _is_shown, is_ungrouped in recipients:
        to_affected = event.row.affected_id == user_id
        variant = Variant(event, language, "", to_affected, is_ungrouped=bool(is_ungrouped))
        if parts := rendered(event, partial(_parts, variant)):
            before, after = parts
            count = b"%d" % unread.get(user_id, 0)
            yield user_id, (b"%d" % id).join(before) + count + after


@lru_cache(1024)
def _parts(variant: Variant) -> tuple[list[bytes], bytes]:
    """The parts of a frame before the count, split where the id goes, and the part after."""
    with in_language(variant.language):
        notification = as_json(variant.notice())
        whole = notification_frame(variant.event.row.event_id, notification, COUNT)
    before, after = whole.split(b"%d" % COUNT)
    return before.split(b"%d" % ID), after
