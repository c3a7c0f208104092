"""The contents of JSON streams: every change to a user's notifications, once, at its position."""

import asyncio
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import Row, bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database
from app.language import in_language
from app.models import Change
from app.notifications.inbox.json_shapes import NotificationObject, as_json
from app.notifications.live.follower import Changes
from app.notifications.live.frames import frame
from app.notifications.live.hub import USERS_PER_TURN, Hub
from app.notifications.live.queries import read_facts, read_recipients, read_unread
from app.notifications.live.stream import JSON
from app.notifications.live.variants import ID, Facts, Variant, renderable

NOTIFICATION = "notification"
# The event of each kind of change; to a client, a withdrawal is a deletion.
EVENTS = {kind: kind for kind in ("read", "unread", "deleted", "restored")}
EVENTS["withdrawn"] = "deleted"
# Takes the place of the count in a frame; no real count is ever so large.
COUNT = 2**53 - 3

_CHANGES = (
    select(Change.id, Change.kind, Change.user_id, Change.ids, Change.up_to)
    .where(Change.id.in_(bindparam("ids", expanding=True)))
    .order_by(Change.id)
)


class JsonPublisher:
    """Publishes changes to the JSON streams."""

    def __init__(self, db: Database, hub: Hub) -> None:
        self._db = db
        self._hub = hub

    async def publish(self, changes: Changes) -> None:
        if not self._hub.needs(JSON, changes[-1].id):
            return
        connected = set(self._hub.connected(JSON))
        if changes[0].kind == "event":
            await self._publish_event(changes[0].id, connected)
        elif theirs := [change for change in changes if change.user_id in connected]:
            await self._publish_changes(theirs)

    async def _publish_event(self, event_id: int, connected: set[int]) -> None:
        async with self._db.read() as session:
            recipients = await read_recipients(session, event_id, connected, also_deleted=True)
            unread = await read_unread(session, [one.user_id for one in recipients])
            facts = renderable(await read_facts(session, [event_id] if recipients else []))
        for event in facts.values():
            frames = (
                (one.user_id, _arrival_frame(one, event, unread[one.user_id])) for one in recipients
            )
            await self._hub.broadcast(frames, JSON, event_id)

    async def _publish_changes(self, changes: Changes) -> None:
        async with self._db.read() as session:
            rows = await read_changes(session, [change.id for change in changes])
            unread = await read_unread(session, {change.user_id for change in changes})
        for number, row in enumerate(rows, 1):
            self._hub.send(row.user_id, change_frame(row, unread.get(row.user_id, 0)), JSON, row.id)
            if number % USERS_PER_TURN == 0:
                await asyncio.sleep(0)


async def read_changes(session: AsyncSession, ids: Sequence[int]) -> list[Row[Any]]:
    """The changes at these positions, in order, with the notifications they are about."""
    return list(await session.execute(_CHANGES, {"ids": ids}))


def change_frame(change: Row[Any], unread: int) -> bytes:
    """A change to some notifications, or to the whole inbox up to one of them."""
    about = {"ids": change.ids} if change.up_to is None else {"all": True, "up_to": change.up_to}
    return json_frame(EVENTS[change.kind], about | {"unread_count": unread}, change.id)


def notification_frame(position: int, notification: NotificationObject, unread: int) -> bytes:
    data = {**msgspec.structs.asdict(notification), "unread_count": unread}
    return json_frame(NOTIFICATION, data, position)


def json_frame(event: str, data: dict[str, Any], position: int) -> bytes:
    return frame(msgspec.json.encode(data).decode(), event=event, id=position)


def _arrival_frame(recipient: Row[Any], event: Facts, unread: int) -> bytes:
    """As `notification_frame`, from parts that are rendered once for all recipients."""
    to_affected = event.row.affected_id == recipient.user_id
    before, between, after = _parts(Variant(event, recipient.language, "", to_affected))
    return b"".join([before, b"%d" % recipient.id, between, b"%d" % unread, after])


@lru_cache(1024)
def _parts(variant: Variant) -> tuple[bytes, bytes, bytes]:
    """A frame in three parts, split where the id and then the count go."""
    with in_language(variant.language):
        notification = as_json(variant.notice())
        whole = notification_frame(variant.facts.row.event_id, notification, COUNT)
    before, rest = whole.split(b"%d" % ID)
    between, after = rest.split(b"%d" % COUNT)
    return before, between, after
