"""From the commit to the open streams: follows the changes and has each told, once.

A poke makes it read the changes after the hub's position; a missed poke costs seconds. What a
change means for the streams of one flavour is the business of a `Mouth`.
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
LOOK_SECONDS = 5.0
AGAIN_SECONDS = 1.0
# How long a process may take to see what another one has told somebody already.
SECONDS_BEHIND = 3.0
# The database is busy, gone or being restarted: what failed is tried again.
STUMBLES = (OperationalError, InterfaceError, NoConnection)

_AFTER = (
    select(Change.id, Change.kind, Change.user_id)
    .where(Change.id > bindparam("position"))
    .order_by(Change.id)
    .limit(CHANGES_AT_ONCE)
)

_log = logging.getLogger(__name__)

# (id, kind, user_id): one event, or what one or several people's notices went through.
Changes = Sequence[Row[Any]]


class Mouth(Protocol):
    async def tell(self, changes: Changes) -> None:
        """Read what these mean to whom, then hand it to the hub.

        Raises one of STUMBLES only before anything is handed over: it is asked once more then.
        """


@dataclass
class Live:
    """Follows the changes of `db`, and has the `mouths` tell the streams of `hub`."""

    db: Database
    relay: Relay
    hub: Hub
    mouths: Sequence[Mouth]
    _due: asyncio.Queue[tuple[Mouth, Changes]] = field(default_factory=asyncio.Queue)
    _poked: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def running(self, _app: object = None) -> AsyncIterator[None]:
        async with self.db.read() as session:
            self.hub.position = await last_position(session)
        stop_listening = self.relay.listen(CHANGES, self._poked.set)
        tasks = [asyncio.create_task(each) for each in (self._follow(), self._tell_all())]
        try:
            yield
        finally:
            stop_listening()
            for task in tasks:
                task.cancel()
            # A read that is broken off still has to give its connection back.
            await asyncio.wait(tasks)

    async def reach_present(self) -> None:
        """Come to what is committed by now; it may have been done, or told, by another process."""
        async with self.db.read() as session:
            present = await last_position(session)
        with suppress(TimeoutError):
            async with asyncio.timeout(SECONDS_BEHIND):
                while self.hub.position < present:
                    self._poked.set()
                    await asyncio.sleep(0.005)

    async def _follow(self) -> None:
        """Have all changes told as soon as they are there."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._poked.wait()
            self._poked.clear()
            await self._persist(self._catch_up)

    async def _catch_up(self) -> None:
        while changes := await self._changes_after(self.hub.position):
            self.hub.position = changes[-1].id
            for some in _steps(changes):
                for mouth in self.mouths:
                    self._due.put_nowait((mouth, some))

    async def _changes_after(self, position: int) -> Changes:
        async with self.db.read() as session:
            return list(await session.execute(_AFTER, {"position": position}))

    async def _tell_all(self) -> None:
        while True:
            mouth, changes = await self._due.get()
            await self._persist(partial(self._tell, mouth, changes))

    async def _tell(self, mouth: Mouth, changes: Changes) -> None:
        try:
            await mouth.tell(changes)
        except STUMBLES:
            raise
        except Exception:
            # A newer version's type, a row that is damaged: it will not get better by waiting.
            _log.exception("What changed at %s cannot be shown.", [one.id for one in changes])

    async def _persist(self, attempt: Callable[[], Awaitable[None]]) -> None:
        """Try until the database does not stumble."""
        while True:
            try:
                return await attempt()
            except STUMBLES:
                _log.exception("Live updates stumbled; they are tried again.")
                await asyncio.sleep(AGAIN_SECONDS)


def _steps(changes: Changes) -> Iterator[Changes]:
    """In order: each event alone, and together what lies between two events."""
    for is_event, some in groupby(changes, key=lambda change: change.kind == "event"):
        if is_event:
            yield from ([one] for one in some)
        else:
            yield list(some)
