"""Resuming a JSON stream: from the last id a client has seen, in parts, up to the present."""

import asyncio
from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Row, Select, bindparam, literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.database import Database
from app.language import in_language
from app.models import Change, Notification
from app.notifications.events.positions import CHANGES_KEPT
from app.notifications.inbox.json_shapes import as_json
from app.notifications.live.follower import Follower
from app.notifications.live.json import (
    NOTIFICATION,
    change_frame,
    json_frame,
    notification_frame,
    read_changes,
)
from app.notifications.live.queries import published, read_facts, read_unread, read_users
from app.notifications.live.stream import Opening
from app.notifications.live.variants import renderable

CHANGES_PER_PART = 500
READING_AT_ONCE = 4
UNKNOWN = -1


class Resumptions:
    """Opens the JSON streams of all clients; a few at a time read what they missed."""

    def __init__(self, db: Database, follower: Follower) -> None:
        self.db = db
        self.follower = follower
        self.slots = asyncio.Semaphore(READING_AT_ONCE)

    def begin(self, since: int | None) -> "Resumption":
        """For a client that has every change up to `since`; None for a new client."""
        return Resumption(self, since)


class Resumption:
    """Reads for one client, part by part, what happened after `since`.

    Positions are kept for 7 days. A client with an older or unknown one gets `resync`, once, and
    continues from the present.
    """

    __slots__ = ("_has_said_hello", "_is_present", "_shared", "_since")

    def __init__(self, shared: Resumptions, since: int | None) -> None:
        self._shared = shared
        self._since = since
        self._is_present = False
        self._has_said_hello = False

    async def read(self, user_id: int, position: int) -> Opening:
        """The next part, up to `position`. The first is empty and waits for the present."""
        if not self._is_present:
            await self._shared.follower.reach_present()
            self._is_present = True
            return Opening(b"", is_part=True)
        async with self._shared.slots:
            return await self._read_part(user_id, position)

    async def _read_part(self, user_id: int, position: int) -> Opening:
        async with self._shared.db.read() as session:
            user = (await read_users(session, [user_id])).get(user_id)
            if user is None:
                return Opening(b"")
            unread = (await read_unread(session, [user_id]))[user_id]
            frames = await self._hello(session, unread, position)
            found = await _positions(session, user_id, self._since or 0, position)
            frames += await _frames(session, user, found, unread)
        is_part = len(found) == CHANGES_PER_PART
        self._since = found[-1].position if is_part else position
        return Opening(b"".join(frames), is_part)

    async def _hello(self, session: AsyncSession, unread: int, present: int) -> list[bytes]:
        if self._has_said_hello:
            return []
        self._has_said_hello = True
        data, since = {"unread_count": unread}, self._since
        if since is None:
            self._since = present
            return [json_frame("hello", data, present)]
        hello = json_frame("hello", data, present if since == UNKNOWN else since)
        if await _is_kept(session, since, present):
            return [hello]
        self._since = present
        return [hello, json_frame("resync", data, present)]


async def _is_kept(session: AsyncSession, since: int, present: int) -> bool:
    """Whether every change after `since` is still in the database."""
    if not 0 <= since < present:
        return since == present
    kept = select(Change.id).where(Change.created_at >= clock.now() - CHANGES_KEPT)
    oldest = await session.scalar(kept.order_by(Change.created_at, Change.id).limit(1))
    return oldest is not None and since >= oldest - 1


async def _positions(
    session: AsyncSession, user_id: int, since: int, up_to: int
) -> Sequence[Row[Any]]:
    """(position, kind) of the user's next changes, in order."""
    values = {"user_id": user_id, "since": since, "up_to": up_to}
    return (await session.execute(_after(), values)).all()


@cache
def _after() -> Select[*tuple[Any, ...]]:
    user_id, since, up_to = (
        bindparam(name, type_=BigInteger) for name in ("user_id", "since", "up_to")
    )
    arrived = select(Notification.event_id.label("position"), literal(NOTIFICATION).label("kind"))
    own = Notification.user_id == user_id, Notification.event_id.between(since + 1, up_to)
    changed = select(Change.id, Change.kind).where(
        Change.user_id == user_id, Change.id.between(since + 1, up_to)
    )
    both = union_all(arrived.where(*own, published), changed).subquery()
    return select(both.c.position, both.c.kind).order_by(both.c.position).limit(CHANGES_PER_PART)


async def _frames(
    session: AsyncSession, user: Row[Any], found: Sequence[Row[Any]], unread: int
) -> list[bytes]:
    arrived = [row.position for row in found if row.kind == NOTIFICATION]
    changed = [row.position for row in found if row.kind != NOTIFICATION]
    frames = await _notification_frames(session, user, arrived, unread)
    frames |= {row.id: change_frame(row, unread) for row in await read_changes(session, changed)}
    return [frames[row.position] for row in found if row.position in frames]


async def _notification_frames(
    session: AsyncSession, user: Row[Any], events: Sequence[int], unread: int
) -> dict[int, bytes]:
    """The frames of new notifications by position. Events that cannot be rendered are left out."""
    facts = renderable(await read_facts(session, events))
    frames: dict[int, bytes] = {}
    with in_language(user.language):
        rows = await session.execute(_notifications(), {"user": user.id, "events": list(facts)})
        for row in rows:
            notice = facts[row.event_id].notice(row.id, user.id, row.read_at)
            frames[row.event_id] = notification_frame(row.event_id, as_json(notice), unread)
    return frames


@cache
def _notifications() -> Select[*tuple[Any, ...]]:
    return select(Notification.id, Notification.event_id, Notification.read_at).where(
        Notification.user_id == bindparam("user"),
        Notification.event_id.in_(bindparam("events", expanding=True)),
    )
