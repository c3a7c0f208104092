"""Who may no longer come in is no longer told: their open streams end, in every process.

A poke says that sessions or tokens ended somewhere; each process looks whether those behind its
own streams are still there. It also looks now and then, for what expires by itself.
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

LOOK_SECONDS = 60.0
# Whoever was on the way from the door to the stream when the poke came is found by then.
LOOK_AGAIN_SECONDS = 2.0
KEYS_AT_ONCE = 2_000

_log = logging.getLogger(__name__)


@dataclass
class Endings:
    """Closes the streams of `hub` whose session or token is gone from `db`."""

    db: Database
    relay: Relay
    hub: Hub

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
        seconds = LOOK_SECONDS
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await poked.wait()
            seconds = LOOK_AGAIN_SECONDS if poked.is_set() else LOOK_SECONDS
            poked.clear()
            try:
                await self.look()
            except Exception:
                _log.exception("Whose sessions have ended could not be seen; it is tried again.")
                seconds = LOOK_AGAIN_SECONDS

    async def look(self) -> None:
        keys = sorted(self.hub.keys())
        for start in range(0, len(keys), KEYS_AT_ONCE):
            some = set(keys[start : start + KEYS_AT_ONCE])
            if ended := some - await self._still_good(some):
                self.hub.close(ended)

    async def _still_good(self, keys: set[Key]) -> set[Key]:
        async with self.db.read() as session:
            sessions = await alive_sessions(session, [id for kind, id in keys if kind == SESSION])
            tokens = await valid_tokens(session, [id for kind, id in keys if kind == TOKEN])
        return {(SESSION, id) for id in sessions} | {(TOKEN, id) for id in tokens}
