"""Sends open pages a named event without data when a topic that they show has changed.

A stream does not know which topics its pages show. All users who may see a topic get its event, and
each tab decides whether its page shows it and must be fetched again. So an event reveals nothing
that its reader may not know, and a user who has lost access gets a 404 from the page.

Notifications of the same act are published first, because the page can wait.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from functools import lru_cache, partial
from typing import Any

from app.broker.relay import Relay
from app.database import Database
from app.database.id_lists import ids_in
from app.faults import fault_of
from app.notifications.live.follower import Follower
from app.notifications.live.frames import frame
from app.notifications.live.hub import Hub
from app.notifications.live.queries import USERS_AT_ONCE, in_parts
from app.notifications.live.stream import HTML
from app.process.background import repeat
from app.process.cancellation import end
from app.topics import USER, Topic

# Seconds between two events of one topic. The last change always gets an event.
PAUSE_SECONDS = 1.0

# By kind of topic: takes queries for ids and for users, returns one for rows (id, user who may see
# it).
Viewers = Mapping[str, Callable[[Any, Any], Any]]


class TopicPublisher:
    """Listens to the pokes of all kinds in `viewers`, and to those about a single user. Waits for the
    `follower` to publish the notifications of the same act.
    """

    def __init__(
        self, db: Database, relay: Relay, hub: Hub, follower: Follower, viewers: Viewers
    ) -> None:
        self._db, self._relay, self._hub, self._follower = db, relay, hub, follower
        self._statements = {
            kind: among(ids_in("ids"), ids_in("users")) for kind, among in viewers.items()
        }
        self._changed: set[Topic] = set()
        self._has_changed = asyncio.Event()
        # The topics published within the last pause, and whether they have changed again since.
        self._pausing: dict[Topic, bool] = {}

    @asynccontextmanager
    async def running(self, _app: object = None) -> AsyncIterator[None]:
        kinds = (*self._statements, USER)
        stops = [self._relay.listen_for_ids(kind, partial(self._on_poke, kind)) for kind in kinds]
        telling = asyncio.create_task(self._keep_telling())
        try:
            yield
        finally:
            for stop_listening in stops:
                stop_listening()
            await end(telling)

    def _on_poke(self, kind: str, id: int) -> None:
        if not self._hub.connected(HTML):
            return
        topic = Topic(kind, id)
        if topic in self._pausing:
            self._pausing[topic] = True
        else:
            self._changed.add(topic)
            self._has_changed.set()

    async def _keep_telling(self) -> None:
        await repeat(self._tell_next, "Open pages could not be told of a change.")

    async def _tell_next(self) -> None:
        """After a fault, which passes, the next call tells of the same topics again."""
        await self._has_changed.wait()
        self._has_changed.clear()
        changed, self._changed = self._changed, set()
        self._pause(changed)
        try:
            await self._follower.until_published()
            await self._tell(changed)
        except Exception as error:
            if fault_of(error):
                self._changed |= changed
                self._has_changed.set()
            raise

    def _pause(self, topics: Collection[Topic]) -> None:
        self._pausing |= dict.fromkeys(topics, False)
        asyncio.get_running_loop().call_later(PAUSE_SECONDS, self._resume, topics)

    def _resume(self, topics: Collection[Topic]) -> None:
        """Some may be pausing twice, because telling them failed."""
        if changed_again := {topic for topic in topics if self._pausing.pop(topic, False)}:
            self._changed |= changed_again
            self._has_changed.set()

    async def _tell(self, changed: Collection[Topic]) -> None:
        ids: defaultdict[str, list[int]] = defaultdict(list)
        for kind, id in changed:
            ids[kind].append(id)
        await self._hub.broadcast(_frames((Topic(USER, id), id) for id in ids.pop(USER, [])))
        for users in in_parts(self._hub.connected(HTML), USERS_AT_ONCE):
            for kind, some in ids.items():
                viewers = await self._db.fetch(self._statements[kind], ids=some, users=users)
                await self._hub.broadcast(_frames((Topic(kind, id), user) for id, user in viewers))
                await asyncio.sleep(0)  # the read has kept other requests waiting


def _frames(concerned: Iterable[tuple[Topic, int]]) -> Iterator[tuple[int, bytes]]:
    return ((user_id, _frame(topic)) for topic, user_id in concerned)


@lru_cache(1024)
def _frame(topic: Topic) -> bytes:
    return frame("{}", event=topic.event)
