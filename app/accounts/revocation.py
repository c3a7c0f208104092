"""Ends the streams of sessions and tokens that have ended, in every process.

A poke says that some session or token ended; each process then checks those behind its own
streams. It also checks periodically, because sessions expire without a poke.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from app.accounts.sessions import alive_sessions
from app.accounts.tokens import valid_tokens
from app.broker.relay import SESSIONS, Relay
from app.database import Database
from app.notifications.live.hub import Hub
from app.notifications.live.stream import SESSION, TOKEN, Key

CHECK_SECONDS = 60.0
# Requests that were authenticated just before a poke have opened their stream by then.
RECHECK_SECONDS = 2.0
KEYS_AT_ONCE = 2_000

_log = logging.getLogger(__name__)


@dataclass
class RevocationWatcher:
    """Ends the streams of `hub` whose session or token is no longer valid in `db`."""

    db: Database
    relay: Relay
    hub: Hub

    @asynccontextmanager
    async def running(self, _app: object = None) -> AsyncIterator[None]:
        poked = asyncio.Event()
        stop_listening = self.relay.listen(SESSIONS, poked.set)
        checking = asyncio.create_task(self._keep_checking(poked))
        try:
            yield
        finally:
            stop_listening()
            checking.cancel()
            with suppress(asyncio.CancelledError):
                await checking

    async def _keep_checking(self, poked: asyncio.Event) -> None:
        seconds = CHECK_SECONDS
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await poked.wait()
            seconds = RECHECK_SECONDS if poked.is_set() else CHECK_SECONDS
            poked.clear()
            try:
                await self.check()
            except Exception:
                _log.exception("Could not check which sessions have ended. Retrying.")
                seconds = RECHECK_SECONDS

    async def check(self) -> None:
        keys = sorted(self.hub.keys())
        for start in range(0, len(keys), KEYS_AT_ONCE):
            some = set(keys[start : start + KEYS_AT_ONCE])
            if ended := some - await self._valid(some):
                self.hub.close(ended)

    async def _valid(self, keys: set[Key]) -> set[Key]:
        async with self.db.read() as session:
            sessions = await alive_sessions(
                session, [part for kind, part in keys if kind == SESSION]
            )
            tokens = await valid_tokens(session, [part for kind, part in keys if kind == TOKEN])
        return {(SESSION, part) for part in sessions} | {(TOKEN, part) for part in tokens}
