"""Coming back to a JSON stream: from the id a client has seen, in parts, up to what is live."""

import asyncio
import logging
from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Row, Select, bindparam, literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.database import Database
from app.language import in_language
from app.models import Change, Notification
from app.notifications.delivery.retention import CHANGES_KEPT
from app.notifications.events.notices import as_notice, notices_of
from app.notifications.inbox.json_shapes import as_json
from app.notifications.live.follower import Live
from app.notifications.live.json import (
    NOTIFICATION,
    change_frame,
    message,
    notification_frame,
    read_changes,
)
from app.notifications.live.queries import read_people, read_unread, reported
from app.notifications.live.stream import Opening

CHANGES_AT_ONCE = 500
AT_ONCE = 4
UNKNOWN = -1

_log = logging.getLogger(__name__)


class Resumptions:
    """Where all clients come back to; a few at a time read what they missed."""

    def __init__(self, db: Database, live: Live) -> None:
        self.db = db
        self.live = live
        self.entrance = asyncio.Semaphore(AT_ONCE)

    def begin(self, since: int | None) -> "Resumption":
        return Resumption(self, since)


class Resumption:
    """Tells one client, who has everything up to `since`, what came after; None is a new client.

    Positions are kept for 7 days. Who names an older one, or none that there is, is told so once
    (`resync`), and goes on from the present.
    """

    __slots__ = ("_all", "_has_begun", "_is_present", "_since")

    def __init__(self, all: Resumptions, since: int | None) -> None:
        self._all = all
        self._since = since
        self._is_present = False
        self._has_begun = False

    async def open(self, user_id: int, position: int) -> Opening:
        """The next part of what there is up to `position`; first that comes to the present."""
        if not self._is_present:
            await self._all.live.reach_present()
            self._is_present = True
            return Opening(b"", is_part=True)
        async with self._all.entrance:
            return await self._next(user_id, position)

    async def _next(self, user_id: int, position: int) -> Opening:
        async with self._all.db.read() as session:
            user = (await read_people(session, [user_id])).get(user_id)
            if user is None:
                return Opening(b"")
            unread = (await read_unread(session, [user_id]))[user_id]
            frames = await self._begin(session, unread, position)
            found = await _positions(session, user_id, self._since or 0, position)
            frames += await _frames(session, user, found, unread)
        is_part = len(found) == CHANGES_AT_ONCE
        self._since = found[-1].position if is_part else position
        return Opening(b"".join(frames), is_part)

    async def _begin(self, session: AsyncSession, unread: int, present: int) -> list[bytes]:
        if self._has_begun:
            return []
        self._has_begun = True
        facts, since = {"unread_count": unread}, self._since
        if since is None:
            self._since = present
            return [message("hello", facts, present)]
        hello = message("hello", facts, present if since == UNKNOWN else since)
        if await _is_kept(session, since, present):
            return [hello]
        self._since = present
        return [hello, message("resync", facts, present)]


async def _is_kept(session: AsyncSession, since: int, present: int) -> bool:
    """Whether all that came after `since` is still there."""
    if not 0 <= since < present:
        return since == present
    kept = select(Change.id).where(Change.created_at >= clock.now() - CHANGES_KEPT)
    oldest = await session.scalar(kept.order_by(Change.created_at, Change.id).limit(1))
    return oldest is not None and since >= oldest - 1


async def _positions(
    session: AsyncSession, user_id: int, since: int, up_to: int
) -> Sequence[Row[Any]]:
    """(position, kind) of the person's next changes, in order."""
    given = {"user_id": user_id, "since": since, "up_to": up_to}
    return (await session.execute(_after(), given)).all()


@cache
def _after() -> Select[*tuple[Any, ...]]:
    user_id, since, up_to = (
        bindparam(name, type_=BigInteger) for name in ("user_id", "since", "up_to")
    )
    told = select(Notification.event_id.label("position"), literal(NOTIFICATION).label("kind"))
    mine = Notification.user_id == user_id, Notification.event_id.between(since + 1, up_to)
    changed = select(Change.id, Change.kind).where(
        Change.user_id == user_id, Change.id.between(since + 1, up_to)
    )
    both = union_all(told.where(*mine, reported), changed).subquery()
    return select(both.c.position, both.c.kind).order_by(both.c.position).limit(CHANGES_AT_ONCE)


async def _frames(
    session: AsyncSession, user: Row[Any], found: Sequence[Row[Any]], unread: int
) -> list[bytes]:
    told = [row.position for row in found if row.kind == NOTIFICATION]
    changed = [row.position for row in found if row.kind != NOTIFICATION]
    frames: dict[int, bytes] = {}
    if told:
        rows = notices_of(user.id).where(Notification.event_id.in_(told))
        with in_language(user.language):
            for row in await session.execute(rows):
                frames[row.event_id] = _notification(row, unread)
    for row in await read_changes(session, changed):
        frames[row.id] = change_frame(row, unread)
    return [frames[row.position] for row in found if row.position in frames]


def _notification(row: Row[Any], unread: int) -> bytes:
    try:
        return notification_frame(row.event_id, as_json(as_notice(row)), unread)
    except Exception:
        # A newer version's type, or a row that is damaged.
        _log.exception("The event at %s cannot be shown.", row.event_id)
        return b""
