"""Tells open pages that a topic they show has changed, by a named event without data.

No stream knows what its pages show. The users who may see a topic get its event, and every tab
decides whether that concerns its page, which then fetches itself again. So the event tells nothing
that its reader may not know, and a user who lost access gets a 404 from the page.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from sqlalchemy import Select, bindparam, select

from app.broker.relay import Relay
from app.database import Database
from app.notifications.live.follower import RETRY_SECONDS, TRANSIENT_ERRORS
from app.notifications.live.frames import frame
from app.notifications.live.hub import Hub
from app.notifications.live.stream import HTML
from app.process.cancellation import end
from app.topics import USER, Topic

# Seconds between two events of one topic. The last change always gets an event.
PAUSE_SECONDS = 1.0
USERS_AT_ONCE = 5_000
TOPICS_AT_ONCE = 500

# By kind: rows (id of the thing, id of a user who may see it), for all things.
Viewers = Mapping[str, Select[int, int]]

_log = logging.getLogger(__name__)


class TopicPublisher:
    """Listens to the pokes of all kinds in `viewers`, and to those about a single user."""

    def __init__(self, db: Database, relay: Relay, hub: Hub, viewers: Viewers) -> None:
        self._db, self._relay, self._hub = db, relay, hub
        self._statements = {kind: _among(each) for kind, each in viewers.items()}
        self._changed: set[Topic] = set()
        self._has_changed = asyncio.Event()
        # The topics told within the last pause, and whether they have changed again since.
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
            self._pausing[topic] = False
            self._changed.add(topic)
            self._has_changed.set()
            asyncio.get_running_loop().call_later(PAUSE_SECONDS, self._resume, topic)

    def _resume(self, topic: Topic) -> None:
        if self._pausing.pop(topic):
            self._on_poke(*topic)

    async def _keep_telling(self) -> None:
        while True:
            await self._has_changed.wait()
            self._has_changed.clear()
            changed, self._changed = self._changed, set()
            try:
                await self._tell(changed)
            except TRANSIENT_ERRORS:
                _log.exception("Open pages could not be told of a change. Retrying.")
                self._changed |= changed
                self._has_changed.set()
                await asyncio.sleep(RETRY_SECONDS)
            except Exception:
                _log.exception("Open pages could not be told of a change.")

    async def _tell(self, changed: Collection[Topic]) -> None:
        ids: defaultdict[str, list[int]] = defaultdict(list)
        for kind, id in changed:
            ids[kind].append(id)
        concerned = [(Topic(USER, id), id) for id in ids.pop(USER, [])]
        for kind, some in ids.items():
            concerned += [pair async for pair in self._viewers(kind, some)]
        await self._hub.broadcast(_frames(concerned))

    async def _viewers(self, kind: str, ids: list[int]) -> AsyncIterator[tuple[Topic, int]]:
        """Each topic with each connected user who may see it."""
        connected = list(self._hub.connected(HTML))
        async with self._db.read() as session:
            for users in _in_parts(connected, USERS_AT_ONCE):
                for some in _in_parts(ids, TOPICS_AT_ONCE):
                    values = {"ids": some, "users": users}
                    for id, user_id in await session.execute(self._statements[kind], values):
                        yield Topic(kind, id), user_id


def _among(viewers: Select[int, int]) -> Select[Any]:
    seen_by = viewers.subquery()
    id, user_id = seen_by.c
    return select(id, user_id).where(
        id.in_(bindparam("ids", expanding=True)), user_id.in_(bindparam("users", expanding=True))
    )


def _in_parts(ids: list[int], most: int) -> Iterator[list[int]]:
    return (ids[start : start + most] for start in range(0, len(ids), most))


def _frames(concerned: Collection[tuple[Topic, int]]) -> Iterator[tuple[int, bytes]]:
    """Each topic's frame is built once, for all its users."""
    built = {topic: frame("{}", event=topic.event) for topic, _user_id in concerned}
    return ((user_id, built[topic]) for topic, user_id in concerned)
