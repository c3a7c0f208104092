"""What open pages are sent: ready pieces of HTML for the bell, the panel and toasts."""

import asyncio
from collections.abc import Iterable, Sequence

from app.database import Database
from app.notifications.live.batching import Together
from app.notifications.live.follower import Changes
from app.notifications.live.html_rendering import arrivals, showable, state
from app.notifications.live.hub import Hub
from app.notifications.live.queries import read_facts, read_newest, read_people, read_told
from app.notifications.live.stream import HTML, Opening

# So many have their bell made at once; in between, other requests get their turn.
PEOPLE_AT_ONCE = 50
NEVER = -1

# Whose bell, and the position up to which the page has it already.
Asked = tuple[int, int]


class Pieces:
    """The mouth of the HTML streams."""

    def __init__(self, db: Database, hub: Hub) -> None:
        self._db = db
        self._hub = hub
        self._states = Together(self._read_states, PEOPLE_AT_ONCE)

    async def opening(self, user_id: int, _position: int, *, since: int = NEVER) -> Opening:
        """The whole present state; but only a sign of life if nothing happened after `since`."""
        state = await self._states.ask((user_id, since))
        return Opening(HTML.keep_alive + (state or b""))

    async def tell(self, changes: Changes) -> None:
        if not self._hub.awaits(HTML, changes[-1].id):
            return
        if changes[0].kind == "event":
            await self._tell_event(changes[0].id)
        else:
            await self._tell_states({change.user_id for change in changes}, changes[-1].id)

    async def _tell_event(self, event_id: int) -> None:
        connected = set(self._hub.connected(HTML))
        async with self._db.read() as session:
            told = await read_told(session, event_id, connected)
            facts = showable(await read_facts(session, [event_id] if told else []))
        for event in facts.values():
            await self._hub.broadcast(arrivals(told, event), HTML, event_id)

    async def _tell_states(self, people: Iterable[int], position: int) -> None:
        """The whole bell once more, for those whose notices were read, deleted or restored."""
        connected = [one for one in people if one in self._hub.connected(HTML)]
        for start in range(0, len(connected), PEOPLE_AT_ONCE):
            some = [(one, NEVER) for one in connected[start : start + PEOPLE_AT_ONCE]]
            states = await self._read_states(some)
            frames = ((user_id, state) for (user_id, _never), state in states.items())
            await self._hub.broadcast(frames, HTML, position)

    async def _read_states(self, asked: Sequence[Asked]) -> dict[Asked, bytes]:
        """Nothing for those who are up to date, and those who are gone."""
        async with self._db.read() as session:
            people = await read_people(session, {user_id for user_id, _since in asked})
            due = [
                (user_id, since)
                for user_id, since in asked
                if user_id in people and people[user_id].position > since
            ]
            newest = await read_newest(session, {user_id for user_id, _since in due})
            events = {row.event_id for rows in newest.values() for row in rows}
            facts = showable(await read_facts(session, events))
        await asyncio.sleep(0)
        return {
            (user_id, since): state(people[user_id], newest.get(user_id, []), facts)
            for user_id, since in due
        }
