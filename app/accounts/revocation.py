"""Ends the streams of sessions and tokens that have ended, in every process.

A poke says that some session or token ended; each process then checks those behind its own
streams. A poke can be lost, so twice a second it also looks whether any row is gone, and checks
what opened a stream since. Once a minute it checks everything: sessions expire with their row still
there.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.sessions import alive_sessions
from app.accounts.tokens import valid_tokens
from app.broker.relay import SESSIONS, Relay
from app.database import Database
from app.models import Token, WebSession
from app.notifications.live.hub import Hub
from app.notifications.live.stream import SESSION, TOKEN, Key

CHECK_SECONDS = 60.0
LOOK_SECONDS = 0.5
KEYS_AT_ONCE = 2_000

_log = logging.getLogger(__name__)


@dataclass
class _Known:
    """The rows of a table when it was last looked at. Later rows have greater ids."""

    model: type[WebSession] | type[Token]
    newest: int = 0
    count: int = 0

    async def lost_some(self, session: AsyncSession) -> bool:
        """Whether any known row is gone by now. The rows that are there are known from now on."""
        id = self.model.id
        is_known = case((id <= self.newest, 1), else_=0)
        present = select(func.coalesce(func.max(id), 0), func.count(), func.sum(is_known))
        newest, count, known = (await session.execute(present)).one()
        is_any_gone = (known or 0) < self.count
        self.newest, self.count = newest, count
        return is_any_gone


@dataclass
class RevocationWatcher:
    """Ends the streams of `hub` whose session or token is no longer valid in `db`.

    A stream whose key is in `_checked` was opened by a row that is known. Any other is checked by
    the next look, such as one that opens just after its session ended.
    """

    db: Database
    relay: Relay
    hub: Hub
    _known: Collection[_Known] = field(
        default_factory=lambda: [_Known(WebSession), _Known(Token)], repr=False
    )
    _checked: set[Key] = field(default_factory=set, repr=False)

    @asynccontextmanager
    async def running(self, _app: object = None) -> AsyncIterator[None]:
        poked = asyncio.Event()
        stop_listening = self.relay.listen(SESSIONS, poked.set)
        looking = asyncio.create_task(self._keep_looking(poked))
        try:
            yield
        finally:
            stop_listening()
            looking.cancel()
            with suppress(asyncio.CancelledError):
                await looking

    async def _keep_looking(self, poked: asyncio.Event) -> None:
        clock = asyncio.get_running_loop().time
        check_at = clock() + CHECK_SECONDS
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await poked.wait()
            if poked.is_set() or clock() >= check_at:
                self._checked.clear()
                check_at = clock() + CHECK_SECONDS
            poked.clear()
            try:
                await self.look()
            except Exception:
                _log.exception("Could not check which sessions have ended. Retrying.")
                self._checked.clear()

    async def look(self) -> None:
        """Check the streams that are not known to be valid; all of them if any row is gone."""
        keys = self.hub.keys()
        if not keys:
            return
        async with self.db.read() as session:
            is_any_gone = any([await each.lost_some(session) for each in self._known])
        await self.check(keys if is_any_gone else keys - self._checked)
        # A request that was authenticated before the row was gone may open its stream only now.
        self._checked = set() if is_any_gone else keys

    async def check(self, keys: Collection[Key]) -> None:
        """End those streams whose session or token, one of `keys`, is no longer valid."""
        ordered = sorted(keys)
        for start in range(0, len(ordered), KEYS_AT_ONCE):
            some = set(ordered[start : start + KEYS_AT_ONCE])
            if ended := some - await self._valid(some):
                self.hub.close(ended)

    async def _valid(self, keys: set[Key]) -> set[Key]:
        async with self.db.read() as session:
            sessions = await alive_sessions(
                session, [part for kind, part in keys if kind == SESSION]
            )
            tokens = await valid_tokens(session, [part for kind, part in keys if kind == TOKEN])
        return {(SESSION, part) for part in sessions} | {(TOKEN, part) for part in tokens}
