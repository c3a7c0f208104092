"""Ends the streams of sessions and tokens that have ended, in every process, within a second.

Twice a second, and at once after a poke, each process looks whether any session or token has ended.
If so, it checks all those behind its streams; if not, only those of new streams, whose requests may
have been authenticated just before an ending. Once a minute it checks all, because sessions expire.
"""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from time import monotonic

from app.accounts.endings import count_endings
from app.accounts.sessions import alive_sessions
from app.accounts.tokens import valid_tokens
from app.broker.relay import SESSIONS, Relay
from app.database import Database
from app.notifications.live.hub import Hub
from app.notifications.live.stream import SESSION, TOKEN, Key
from app.process.background import repeat
from app.process.cancellation import end

CHECK_SECONDS = 60.0
LOOK_SECONDS = 0.5
KEYS_AT_ONCE = 2_000


@dataclass
class RevocationWatcher:
    """Ends the streams of `hub` whose session or token is no longer valid in `db`."""

    db: Database
    relay: Relay
    hub: Hub
    _endings: int = 0
    _next_check: float = 0.0

    @asynccontextmanager
    async def running(self, _app: object = None) -> AsyncIterator[None]:
        poked = asyncio.Event()
        stop_listening = self.relay.listen(SESSIONS, poked.set)
        checking = asyncio.create_task(self._keep_checking(poked))
        try:
            yield
        finally:
            stop_listening()
            await end(checking)

    async def _keep_checking(self, poked: asyncio.Event) -> None:
        failure = "Could not check which sessions have ended. Retrying."
        # Without a pause: the next check waits for LOOK_SECONDS itself.
        await repeat(partial(self._check_after_poke, poked), failure, pause=0)

    async def _check_after_poke(self, poked: asyncio.Event) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS):
                await poked.wait()
        poked.clear()
        try:
            await self.check()
        except Exception:
            self._next_check = 0.0
            raise

    async def check(self) -> None:
        """Checks all streams if anything has ended or the minute is over, else only new streams."""
        new = self.hub.take_new_keys()
        if not self.hub.count:
            return
        endings = await count_endings(self.db)
        if endings == self._endings and monotonic() < self._next_check:
            await self._close_ended(new)
        else:
            await self._close_ended(self.hub.keys())
            self._endings, self._next_check = endings, monotonic() + CHECK_SECONDS

    async def _close_ended(self, keys: Collection[Key]) -> None:
        ended, listed = set[Key](), list(keys)
        for start in range(0, len(listed), KEYS_AT_ONCE):
            some = set(listed[start : start + KEYS_AT_ONCE])
            ended |= some - await self._valid(some)
        if ended:
            self.hub.close(ended)

    async def _valid(self, keys: set[Key]) -> set[Key]:
        async with self.db.read() as session:
            sessions = await alive_sessions(
                session, [part for kind, part in keys if kind == SESSION]
            )
            tokens = await valid_tokens(session, [part for kind, part in keys if kind == TOKEN])
        return {(SESSION, part) for part in sessions} | {(TOKEN, part) for part in tokens}
