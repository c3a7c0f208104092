"""From a commit to the open streams: reads each change once and hands it to the publisher.

A poke makes the follower read the changes after the hub's position; a missed poke costs seconds.
What a change means for the streams is up to the `Publisher`.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Protocol, TypeVar

from sqlalchemy import Row, Select, bindparam, select

from app.broker.relay import CHANGES, Relay
from app.database import Database
from app.faults import fault_of
from app.models import Change
from app.notifications.events.positions import last_position
from app.notifications.live.hub import Hub
from app.notifications.live.queries import USERS_AT_ONCE, in_parts, read_recipients_among
from app.notifications.live.stream import HTML, JSON
from app.process.background import RETRY_SECONDS, repeat
from app.process.cancellation import end

CHANGES_AT_ONCE = 500
POLL_SECONDS = 5.0
# How long a process may lag behind what another one has already published.
LAG_SECONDS = 3.0

_AFTER: Select[*tuple[Any, ...]] = (
    select(Change.id, Change.kind, Change.user_id)
    .where(Change.id > bindparam("position"))
    .order_by(Change.id)
    .limit(CHANGES_AT_ONCE)
)

Read = TypeVar("Read")

_log = logging.getLogger(__name__)

# Rows (id, kind, user_id): a single event, or changes to the notifications of one or more users.
Changes = Sequence[Row[*tuple[Any, ...]]]


class Publisher(Protocol):
    async def publish(self, changes: Changes) -> None:
        """Turn these changes into frames for the users concerned, and hand them to the hub.

        It must use `retry_reading` for every read: it is not called again for the same changes.
        """


@dataclass
class Follower:
    """Follows the changes in `db` and has the `publisher` send them to the streams of `hub`."""

    db: Database
    relay: Relay
    hub: Hub
    publisher: Publisher
    _unpublished: asyncio.Queue[Changes] = field(default_factory=asyncio.Queue)
    _poked: asyncio.Event = field(default_factory=asyncio.Event)
    _published: int = 0

    @asynccontextmanager
    async def running(self, _app: object = None) -> AsyncIterator[None]:
        self.hub.position = self._published = await last_position(self.db)
        stop_listening = self.relay.listen(CHANGES, self._poked.set)
        tasks = [asyncio.create_task(each) for each in (self._follow(), self._publish_all())]
        try:
            yield
        finally:
            stop_listening()
            await end(*tasks)

    async def reach_present(self) -> None:
        """Wait until `hub.position` covers everything that is committed by now.

        Another process may have committed it, and published it to its own streams already.
        """
        present = await last_position(self.db)
        with suppress(TimeoutError):
            async with asyncio.timeout(LAG_SECONDS):
                while self.hub.position < present:
                    self._poked.set()
                    await asyncio.sleep(0.005)

    async def until_published(self) -> None:
        """Wait until what is committed by now has been published to the streams, but not for long."""
        present = await last_position(self.db)
        with suppress(TimeoutError):
            async with asyncio.timeout(LAG_SECONDS):
                while self._published < present:
                    self._poked.set()
                    await asyncio.sleep(0.005)

    async def _follow(self) -> None:
        await repeat(self._catch_up_after_poke, "Live updates could not read what has changed.")

    async def _catch_up_after_poke(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(POLL_SECONDS):
                await self._poked.wait()
        self._poked.clear()
        await retry_reading(self._catch_up)

    async def _catch_up(self) -> None:
        while changes := await self._changes_after(self.hub.position):
            self.hub.position = changes[-1].id
            for batch in _batches(changes):
                self._unpublished.put_nowait(batch)

    async def _changes_after(self, position: int) -> Changes:
        return await self.db.fetch(_AFTER, position=position)

    async def _publish_all(self) -> None:
        while True:
            changes = await self._unpublished.get()
            try:
                await self.publisher.publish(changes)
            except Exception:
                # Trying again would not help. A later change must not take the streams past these.
                positions = [one.id for one in changes]
                _log.exception("The changes at %s cannot be published.", positions)
                self.hub.restart_streams(positions[-1], await self._concerned(changes))
            self._published = changes[-1].id

    async def _concerned(self, changes: Changes) -> set[int]:
        """The users whom these changes concern: for an event, its connected recipients, or every
        connected user if the recipients cannot be read.
        """
        if changes[0].kind != "event":
            return {one.user_id for one in changes}
        connected = self.hub.connected(HTML) | self.hub.connected(JSON)
        recipients = set[int]()
        try:
            for some in in_parts(connected, USERS_AT_ONCE):
                rows = await read_recipients_among(self.db, changes[0].id, some)
                recipients |= {one.user_id for one in rows}
        except Exception:
            _log.exception("The recipients of the event at %s cannot be read.", changes[0].id)
            return connected
        return recipients


async def retry_reading(attempt: Callable[[], Awaitable[Read]]) -> Read:
    """Repeat the attempt, with equal pauses, until the database can be read. Any other error than
    a fault (app/faults.py) is raised.
    """
    while True:
        try:
            return await attempt()
        except Exception as error:
            if not fault_of(error):
                raise
            _log.exception("Live updates could not read the database. Retrying.")
        await asyncio.sleep(RETRY_SECONDS)


def _batches(changes: Changes) -> Iterator[Changes]:
    """Splits the changes in order: each event alone, all changes between two events together."""
    for is_event, some in groupby(changes, key=lambda change: change.kind == "event"):
        if is_event:
            yield from ([one] for one in some)
        else:
            yield list(some)
