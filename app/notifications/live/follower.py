"""From a commit to the open streams: reads each change once and hands it to the publishers.

A poke makes the follower read the changes after the hub's position; a missed poke costs seconds.
What a change means for the streams of one format is up to a `Publisher`.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from typing import Any, Protocol

from sqlalchemy import Row, bindparam, select
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection

from app.broker.relay import CHANGES, Relay
from app.database import Database
from app.models import Change
from app.notifications.events.positions import last_position
from app.notifications.live.hub import Hub

CHANGES_AT_ONCE = 500
POLL_SECONDS = 5.0
RETRY_SECONDS = 1.0
# How long a process may lag behind what another one has already published.
LAG_SECONDS = 3.0
# The database is busy, gone or restarting: the attempt is repeated.
TRANSIENT_ERRORS = (OperationalError, InterfaceError, NoConnection)

_AFTER = (
    select(Change.id, Change.kind, Change.user_id)
    .where(Change.id > bindparam("position"))
    .order_by(Change.id)
    .limit(CHANGES_AT_ONCE)
)

_log = logging.getLogger(__name__)

# Rows (id, kind, user_id): a single event, or changes to the notifications of one or more users.
Changes = Sequence[Row[Any]]


class Publisher(Protocol):
    async def publish(self, changes: Changes) -> None:
        """Turn these changes into frames for the users concerned, and hand them to the hub.

        May raise one of TRANSIENT_ERRORS only before anything is handed over; it is then called
        again with the same changes.
        """


@dataclass
class Follower:
    """Follows the changes in `db` and has the `publishers` send them to the streams of `hub`."""

    db: Database
    relay: Relay
    hub: Hub
    publishers: Sequence[Publisher]
    _unpublished: asyncio.Queue[tuple[Publisher, Changes]] = field(default_factory=asyncio.Queue)
    _poked: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def running(self, _app: object = None) -> AsyncIterator[None]:
        async with self.db.read() as session:
            self.hub.position = await last_position(session)
        stop_listening = self.relay.listen(CHANGES, self._poked.set)
        tasks = [asyncio.create_task(each) for each in (self._follow(), self._publish_all())]
        try:
            yield
        finally:
            stop_listening()
            for task in tasks:
                task.cancel()
            # A cancelled read still has to return its connection.
            await asyncio.wait(tasks)

    async def reach_present(self) -> None:
        """Wait until `hub.position` covers everything that is committed by now.

        Another process may have committed it, and published it to its own streams already.
        """
        async with self.db.read() as session:
            present = await last_position(session)
        with suppress(TimeoutError):
            async with asyncio.timeout(LAG_SECONDS):
                while self.hub.position < present:
                    self._poked.set()
                    await asyncio.sleep(0.005)

    async def _follow(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await self._poked.wait()
            self._poked.clear()
            await self._persist(self._catch_up)

    async def _catch_up(self) -> None:
        while changes := await self._changes_after(self.hub.position):
            self.hub.position = changes[-1].id
            for batch in _batches(changes):
                for publisher in self.publishers:
                    self._unpublished.put_nowait((publisher, batch))

    async def _changes_after(self, position: int) -> Changes:
        async with self.db.read() as session:
            return list(await session.execute(_AFTER, {"position": position}))

    async def _publish_all(self) -> None:
        while True:
            publisher, changes = await self._unpublished.get()
            await self._persist(partial(self._publish, publisher, changes))

    async def _publish(self, publisher: Publisher, changes: Changes) -> None:
        try:
            await publisher.publish(changes)
        except TRANSIENT_ERRORS:
            raise
        except Exception:
            # A newer version's event type or a damaged row: waiting would not help.
            _log.exception("The changes at %s cannot be published.", [one.id for one in changes])

    async def _persist(self, attempt: Callable[[], Awaitable[None]]) -> None:
        """Repeat the attempt until the database answers."""
        while True:
            try:
                return await attempt()
            except TRANSIENT_ERRORS:
                _log.exception("Live updates could not read the database. Retrying.")
                await asyncio.sleep(RETRY_SECONDS)


def _batches(changes: Changes) -> Iterator[Changes]:
    """Splits the changes in order: each event alone, all changes between two events together."""
    for is_event, some in groupby(changes, key=lambda change: change.kind == "event"):
        if is_event:
            yield from ([one] for one in some)
        else:
            yield list(some)
