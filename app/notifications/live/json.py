"""What the JSON streams are sent: every change of a person's notices, once, under its position."""

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
from app.notifications.live.html_rendering import ID, Facts, Told, notice_of, showable
from app.notifications.live.hub import CLIENTS_AT_ONCE, Hub
from app.notifications.live.queries import read_facts, read_told, read_unread
from app.notifications.live.stream import JSON

NOTIFICATION = "notification"
# A change of notices, as programs are told of it; who withdraws one need not be told apart.
EVENTS = {kind: kind for kind in ("read", "unread", "deleted", "restored")}
EVENTS["withdrawn"] = "deleted"
# Stands for the count while a message is made: no real one is ever so large.
COUNT = 2**53 - 3

_CHANGES = (
    select(Change.id, Change.kind, Change.user_id, Change.ids, Change.up_to)
    .where(Change.id.in_(bindparam("ids", expanding=True)))
    .order_by(Change.id)
)


class Messages:
    """The mouth of the JSON streams."""

    def __init__(self, db: Database, hub: Hub) -> None:
        self._db = db
        self._hub = hub

    async def tell(self, changes: Changes) -> None:
        if not self._hub.awaits(JSON, changes[-1].id):
            return
        connected = set(self._hub.connected(JSON))
        if changes[0].kind == "event":
            await self._tell_event(changes[0].id, connected)
        elif theirs := [change for change in changes if change.user_id in connected]:
            await self._tell_changes(theirs)

    async def _tell_event(self, event_id: int, connected: set[int]) -> None:
        async with self._db.read() as session:
            told = await read_told(session, event_id, connected, also_deleted=True)
            unread = await read_unread(session, [one.user_id for one in told])
            facts = showable(await read_facts(session, [event_id] if told else []))
        for event in facts.values():
            frames = ((one.user_id, _arrival(one, event, unread[one.user_id])) for one in told)
            await self._hub.broadcast(frames, JSON, event_id)

    async def _tell_changes(self, changes: Changes) -> None:
        async with self._db.read() as session:
            rows = await read_changes(session, [change.id for change in changes])
            unread = await read_unread(session, {change.user_id for change in changes})
        for number, row in enumerate(rows, 1):
            told = change_frame(row, unread.get(row.user_id, 0))
            self._hub.send(row.user_id, told, JSON, row.id)
            if number % CLIENTS_AT_ONCE == 0:
                await asyncio.sleep(0)


async def read_changes(session: AsyncSession, ids: Sequence[int]) -> list[Row[Any]]:
    """The changes at these positions, in order, with what they are about."""
    return list(await session.execute(_CHANGES, {"ids": ids}))


def change_frame(change: Row[Any], unread: int) -> bytes:
    """What some notices, or all of the inbox up to one, went through."""
    about = {"ids": change.ids} if change.up_to is None else {"all": True, "up_to": change.up_to}
    return message(EVENTS[change.kind], about | {"unread_count": unread}, change.id)


def notification_frame(position: int, notification: NotificationObject, unread: int) -> bytes:
    return message(NOTIFICATION, _with_count(notification, unread), position)


def message(event: str, facts: dict[str, Any], position: int) -> bytes:
    return frame(msgspec.json.encode(facts).decode(), event=event, id=position)


def _with_count(notification: NotificationObject, unread: int) -> dict[str, Any]:
    return {**msgspec.structs.asdict(notification), "unread_count": unread}


def _arrival(user: Row[Any], event: Facts, unread: int) -> bytes:
    """The same for one of many who were told (user_id, id, language …), made once for them all."""
    told = Told(event, user.language, "", event.row.affected_id == user.user_id)
    before, between, after = _parts(told)
    return b"".join([before, b"%d" % user.id, between, b"%d" % unread, after])


@lru_cache(1024)
def _parts(told: Told) -> tuple[bytes, bytes, bytes]:
    """Up to the id, up to the count, after the count."""
    with in_language(told.language):
        whole = notification_frame(told.facts.row.event_id, as_json(notice_of(told)), COUNT)
    before, rest = whole.split(b"%d" % ID)
    between, after = rest.split(b"%d" % COUNT)
    return before, between, after
