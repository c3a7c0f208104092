"""The sessions and access tokens that this process has looked up, with their users.

An entry is valid as long as a counter in the database proves that no session, token or account has
changed or ended. A proof holds for at most a second; a poke, a commit of this process and, on
SQLite, a commit of any process end it at once.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, TypeVar

from app import clock
from app.accounts.endings import count_all_changes
from app.broker.relay import SESSIONS, Relay
from app.database import Database
from app.notifications.live.stream import Key

PROOF_SECONDS = 1.0
# After that an entry is looked up again, which records the use and notices an expiry.
KEPT_FOR = timedelta(minutes=1)
MOST_KEPT = 5_000

Found = TypeVar("Found")


class CredentialCache:
    """Shared by all requests of a process. Keep it `running` while the relay is connected."""

    def __init__(self, db: Database, relay: Relay) -> None:
        self._db = db
        self._relay = relay
        self._kept: dict[Key, tuple[datetime, Any]] = {}
        self._pokes = 0
        # The last proof: the value of the counter, the version it was read at, and until when it
        # holds.
        self._count = 0
        self._version: tuple[int, ...] = ()
        self._holds_until = 0.0

    @asynccontextmanager
    async def running(self, _app: object = None) -> AsyncIterator[None]:
        stop_listening = self._relay.listen(SESSIONS, self._note_poke)
        try:
            yield
        finally:
            stop_listening()

    def _note_poke(self) -> None:
        self._pokes += 1

    async def find(self, key: Key, look_up: Callable[[], Awaitable[Found | None]]) -> Found | None:
        """The result of `look_up` for this key, cached. All callers share the object: do not change
        it.
        """
        await self._prove()
        now = clock.now()
        if key in self._kept:
            since, kept = self._kept[key]
            if abs(now - since) < KEPT_FOR:
                found: Found = kept
                return found
        count, looked_up = self._count, await look_up()
        if looked_up is not None and count == self._count:  # nothing has ended meanwhile
            self._keep(key, now, looked_up)
        return looked_up

    async def _prove(self) -> None:
        """Forgets everything if the counter has changed since the last proof."""
        version, now = (*self._db.version(), self._pokes), monotonic()
        if version == self._version and now < self._holds_until:
            return
        count = await count_all_changes(self._db)
        if count != self._count:
            self._kept.clear()
        self._count, self._version, self._holds_until = count, version, now + PROOF_SECONDS

    def _keep(self, key: Key, now: datetime, found: object) -> None:
        self._kept.pop(key, None)
        if len(self._kept) >= MOST_KEPT:
            self._kept.pop(next(iter(self._kept)))  # the one looked up first
        self._kept[key] = now, found
