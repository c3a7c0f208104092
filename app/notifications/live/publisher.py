"""Turns changes into frames for the open streams of both formats. Each change is read once, in
short statements, and only if a stream needs it.
"""

import asyncio
from collections.abc import AsyncIterator, Collection
from functools import partial

from app.database import Database
from app.notifications.live.follower import Changes, retry_reading
from app.notifications.live.html import BELLS_AT_ONCE, Bells
from app.notifications.live.html_rendering import arrival_frames
from app.notifications.live.hub import USERS_PER_TURN, Hub
from app.notifications.live.json import EVENTS, change_frames, json_arrivals, read_changes
from app.notifications.live.queries import (
    USERS_AT_ONCE,
    Rows,
    in_parts,
    read_events,
    read_recipients,
    read_recipients_among,
    read_unread,
)
from app.notifications.live.stream import HTML, JSON
from app.notifications.live.variants import EventRow, renderable


class StreamPublisher:
    """Publishes to the streams of `hub`. While the database cannot be read, it waits."""

    def __init__(self, db: Database, hub: Hub, bells: Bells) -> None:
        self._db = db
        self._hub = hub
        self._bells = bells

    async def publish(self, changes: Changes) -> None:
        if changes[0].kind == "event":
            await self._publish_event(changes[0].id)
        else:
            await self._publish_bells(changes)
            await self._publish_changes(changes)

    async def _publish_event(self, event_id: int) -> None:
        if not (self._hub.needs(HTML, event_id) or self._hub.needs(JSON, event_id)):
            return
        event: EventRow | None = None
        async for recipients in self._recipients(event_id):
            if recipients and event is None:
                rows = await retry_reading(partial(read_events, self._db, [event_id]))
                event = renderable(rows).get(event_id)
                if event is None:
                    return
            if event:
                await self._send_arrivals(recipients, event)

    async def _recipients(self, event_id: int) -> AsyncIterator[Rows]:
        """The event's recipients who are connected. Reads all of them if they are few, otherwise
        looks the connected users up.
        """
        html, json = self._hub.connected(HTML), self._hub.connected(JSON)
        if len(html) + len(json) > USERS_AT_ONCE:
            first = await retry_reading(partial(read_recipients, self._db, event_id))
            if len(first) < USERS_AT_ONCE:
                yield [one for one in first if one.user_id in html or one.user_id in json]
                return
        for some in in_parts(html | json, USERS_AT_ONCE):
            yield await retry_reading(partial(read_recipients_among, self._db, event_id, some))
            await asyncio.sleep(0)  # the read has kept other requests waiting

    async def _send_arrivals(self, recipients: Rows, event: EventRow) -> None:
        position = event.row.event_id
        html, json = self._hub.connected(HTML), self._hub.connected(JSON)
        by_page = [one for one in recipients if one.is_shown and one.user_id in html]
        await self._hub.broadcast(arrival_frames(by_page, event), HTML, position)
        if json and (by_program := [one for one in recipients if one.user_id in json]):
            unread = await self._count_unread({one.user_id for one in by_program})
            await self._hub.broadcast(json_arrivals(by_program, event, unread), JSON, position)

    async def _publish_bells(self, changes: Changes) -> None:
        """The whole bell again, for users whose notifications were read, deleted or restored."""
        position = changes[-1].id
        if not self._hub.needs(HTML, position):
            return
        connected = self._hub.connected(HTML)
        users = {one.user_id for one in changes if one.user_id in connected}
        for some in in_parts(users, BELLS_AT_ONCE):
            bells = await retry_reading(partial(self._bells.read, some))
            await self._hub.broadcast(bells.items(), HTML, position)
            await asyncio.sleep(0)  # the read has kept other requests waiting

    async def _publish_changes(self, changes: Changes) -> None:
        if not self._hub.needs(JSON, changes[-1].id):
            return
        connected = self._hub.connected(JSON)
        theirs = [one for one in changes if one.user_id in connected and one.kind in EVENTS]
        if not theirs:
            return
        rows = await retry_reading(partial(read_changes, self._db, [one.id for one in theirs]))
        unread = await self._count_unread({one.user_id for one in theirs})
        frames = await retry_reading(partial(change_frames, self._db, rows, unread))
        for number, row in enumerate(rows, 1):
            if row.id in frames:
                self._hub.send(row.user_id, frames[row.id], JSON, row.id)
            if number % USERS_PER_TURN == 0:
                await asyncio.sleep(0)

    async def _count_unread(self, users: Collection[int]) -> dict[int, int]:
        return await retry_reading(partial(read_unread, self._db, users))
