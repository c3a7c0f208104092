"""The contents of the streams of open pages: HTML for the bell, the panel and toasts."""

import asyncio
from collections.abc import Iterable, Sequence

from app.database import Database
from app.notifications.live.batching import Batcher
from app.notifications.live.follower import Changes
from app.notifications.live.html_rendering import arrival_frames, bell_frames
from app.notifications.live.hub import Hub
from app.notifications.live.queries import (
    read_facts,
    read_newest,
    read_recipients,
    read_users,
)
from app.notifications.live.stream import HTML, Opening
from app.notifications.live.variants import renderable

# How many bells are rendered in one go, before other requests are served.
BELLS_AT_ONCE = 50
NEVER = -1

# A user's id, and the position up to which their page is up to date.
BellKey = tuple[int, int]


class HtmlPublisher:
    """Publishes changes to the HTML streams, and reads their openings."""

    def __init__(self, db: Database, hub: Hub) -> None:
        self._db = db
        self._hub = hub
        self._bells = Batcher(self._read_bells, BELLS_AT_ONCE)

    async def opening(self, user_id: int, _position: int, *, since: int = NEVER) -> Opening:
        """The whole present state, or only a keep-alive if nothing happened after `since`."""
        bell = await self._bells.load((user_id, since))
        return Opening(HTML.keep_alive + (bell or b""))

    async def publish(self, changes: Changes) -> None:
        if not self._hub.needs(HTML, changes[-1].id):
            return
        if changes[0].kind == "event":
            await self._publish_event(changes[0].id)
        else:
            await self._publish_bells({change.user_id for change in changes}, changes[-1].id)

    async def _publish_event(self, event_id: int) -> None:
        connected = set(self._hub.connected(HTML))
        async with self._db.read() as session:
            recipients = await read_recipients(session, event_id, connected)
            facts = renderable(await read_facts(session, [event_id] if recipients else []))
        for event in facts.values():
            await self._hub.broadcast(arrival_frames(recipients, event), HTML, event_id)

    async def _publish_bells(self, users: Iterable[int], position: int) -> None:
        """The whole bell again, for users whose notifications were read, deleted or restored."""
        connected = [one for one in users if one in self._hub.connected(HTML)]
        for start in range(0, len(connected), BELLS_AT_ONCE):
            some = [(one, NEVER) for one in connected[start : start + BELLS_AT_ONCE]]
            bells = await self._read_bells(some)
            frames = ((user_id, bell) for (user_id, _never), bell in bells.items())
            await self._hub.broadcast(frames, HTML, position)

    async def _read_bells(self, keys: Sequence[BellKey]) -> dict[BellKey, bytes]:
        """Leaves out users who are up to date and users who no longer exist."""
        async with self._db.read() as session:
            users = await read_users(session, {user_id for user_id, _since in keys})
            due = [
                (user_id, since)
                for user_id, since in keys
                if user_id in users and users[user_id].position > since
            ]
            newest = await read_newest(session, {user_id for user_id, _since in due})
            events = {row.event_id for rows in newest.values() for row in rows}
            facts = renderable(await read_facts(session, events))
        await asyncio.sleep(0)
        return {
            (user_id, since): bell_frames(users[user_id], newest.get(user_id, []), facts)
            for user_id, since in due
        }
