"""Resuming a JSON stream: from the last id a client has seen, in parts, up to the present."""

import asyncio
from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    CompoundSelect,
    Select,
    bindparam,
    func,
    literal,
    select,
    union_all,
)

from app import clock
from app.database import Database
from app.database.id_lists import ids_in
from app.language import in_language
from app.models import Change, Notification, Superseded
from app.notifications.events.notices import OWN
from app.notifications.events.positions import CHANGES_KEPT
from app.notifications.live.follower import Follower
from app.notifications.live.json import (
    EVENTS,
    NOTIFICATION,
    change_frames,
    frame_of,
    json_frame,
    read_changes,
)
from app.notifications.live.queries import (
    Rows,
    published,
    read_events,
    read_languages,
    read_unread,
)
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
        db, since = self._shared.db, self._since
        language = (await read_languages(db, [user_id])).get(user_id)
        if language is None:
            return Opening(b"")
        # Before `_hello` finds that the changes are kept: they may be pruned in between.
        found = await _positions(db, user_id, position if since is None else since, position)
        unread = (await read_unread(db, [user_id]))[user_id]
        frames = await self._hello(unread, position)
        if self._since != since:  # there is nothing to resume from
            found = []
        frames += await _frames(db, user_id, language, found, unread)
        is_part = len(found) == CHANGES_PER_PART
        self._since = found[-1].position if is_part else position
        return Opening(b"".join(frames), is_part)

    async def _hello(self, unread: int, present: int) -> list[bytes]:
        if self._has_said_hello:
            return []
        self._has_said_hello = True
        data, since = {"unread_count": unread, "position": present}, self._since
        if since is None:
            self._since = present
            return [json_frame("hello", data, present)]
        hello = json_frame("hello", data, present if since == UNKNOWN else since)
        if await _is_kept(self._shared.db, since, present):
            return [hello]
        self._since = present
        return [hello, json_frame("resync", data, present)]


async def _is_kept(db: Database, since: int, present: int) -> bool:
    """Whether every change after `since` is still in the database."""
    if not 0 <= since < present:
        return since == present
    oldest = await db.fetch(_oldest_kept(), after=clock.now() - CHANGES_KEPT)
    return bool(oldest) and since >= oldest[0].id - 1


@cache
def _oldest_kept() -> Select[int]:
    kept = select(Change.id).where(Change.created_at >= bindparam("after"))
    return kept.order_by(Change.created_at, Change.id).limit(1)


async def _positions(db: Database, user_id: int, since: int, up_to: int) -> Rows:
    """(position, kind) of the user's next changes, in order."""
    return await db.fetch(_after(), user_id=user_id, since=since, up_to=up_to)


@cache
def _after() -> Select[*tuple[Any, ...]]:
    user_id, since, up_to = (
        bindparam(name, type_=BigInteger) for name in ("user_id", "since", "up_to")
    )
    kind = literal(NOTIFICATION).label("kind")
    arrived = select(Notification.event_id.label("position"), kind).where(
        Notification.user_id == user_id,
        Notification.event_id.between(since + 1, up_to),
        Notification.updated_at.is_(None),
        published,
    )
    # What arrived and was superseded since.
    former = (
        select(func.min(Superseded.event_id).label("position"), kind)
        .join(Notification, Notification.id == Superseded.notification_id)
        .where(Notification.user_id == user_id, published)
        .group_by(Superseded.notification_id)
        .having(func.min(Superseded.event_id).between(since + 1, up_to))
    )
    changed = select(Change.id, Change.kind).where(
        Change.user_id == user_id, Change.id.between(since + 1, up_to), Change.kind.in_(EVENTS)
    )
    both = union_all(arrived, former, changed).subquery()
    return select(both.c.position, both.c.kind).order_by(both.c.position).limit(CHANGES_PER_PART)


async def _frames(
    db: Database, user_id: int, language: str, found: Rows, unread: int
) -> list[bytes]:
    arrived = [row.position for row in found if row.kind == NOTIFICATION]
    changed = [row.position for row in found if row.kind != NOTIFICATION]
    frames = await _notification_frames(db, user_id, language, arrived, unread)
    frames |= await change_frames(db, await read_changes(db, changed), {user_id: unread})
    return [frames[row.position] for row in found if row.position in frames]


async def _notification_frames(
    db: Database, user_id: int, language: str, positions: Sequence[int], unread: int
) -> dict[int, bytes]:
    """The frames of new notifications by position. What cannot be rendered is left out."""
    events = renderable(await read_events(db, positions))
    frames: dict[int, bytes] = {}
    with in_language(language):
        for row in await db.fetch(_notifications(), user=user_id, events=list(events)):
            if frame := frame_of(row, user_id, events[row.event_id], row.event_id, unread):
                frames[row.event_id] = frame
    return frames


@cache
def _notifications() -> Select[*tuple[Any, ...]]:
    own = select(*OWN).where(Notification.user_id == bindparam("user"))
    former = own.with_only_columns(
        *(Superseded.event_id if one is Notification.event_id else one for one in OWN)
    ).join(Superseded, Superseded.notification_id == Notification.id)
    both: CompoundSelect[Any] = union_all(
        own.where(Notification.event_id.in_(ids_in("events"))),
        former.where(Superseded.event_id.in_(ids_in("events"))),
    )
    return select(both.subquery())
