"""What of a claim is still to be pushed, and whether that is still right.

It is decided at most a second before a push leaves: a slow push service makes the last of many
wait, and meanwhile they may be read, withdrawn, or their browser be somebody else's. A push is
spared where its person looks at a page, which shows the notice at once; but what is urgent goes in
any case, as does everything where the settings want no waiting. `Account.pushes_always` is for
those whose pages stay open where nobody looks.

That somebody has left a page may never be told: a lid is closed, a request gets lost. So looking
counts only when it was told after the push came due; until then the push waits.
"""

import asyncio
from collections import defaultdict, deque
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Any

from sqlalchemy import Row

from app import clock
from app.database import Database
from app.notifications.channels.base import Outcome, skipped
from app.notifications.channels.push.message import TEST_TTL, Message, Writer
from app.notifications.channels.push.responses import Answer, refused
from app.notifications.channels.push.rows import Findings, read_pushes
from app.notifications.channels.push.services import NotAllowed, PushServices, Service
from app.notifications.channels.push.visibility import LASTS
from app.notifications.events.catalogue import TYPES, type_of
from app.settings import Settings

GOOD_FOR = 1.0  # seconds


@dataclass(frozen=True, slots=True)
class Push:
    """One to be sent: its row, what to ask the service for, and for how many seconds it is news."""

    row: Row[Any]
    target: str
    seconds: int


class Turns:
    """The pushes of one claim, by service. What is not to be sent goes to the findings at once."""

    def __init__(
        self,
        db: Database,
        settings: Settings,
        services: PushServices,
        findings: Findings,
        claim: str,
    ) -> None:
        self._db, self._settings, self._services = db, settings, services
        self._findings, self._claim = findings, claim
        self._waiting: defaultdict[Service, deque[Push]] = defaultdict(deque)
        self._taken: set[int] = set()
        self._looking = asyncio.Lock()

    async def look(self) -> dict[Service, int]:
        """Read and decide on what has not been taken yet; how many wait for each service."""
        async with self._db.read() as session:
            rows = await read_pushes(session, self._claim)
        self._waiting = defaultdict(deque)
        self._writer, self._looked_at = Writer(self._settings), monotonic()
        for row in rows:
            if row.delivery_id not in self._taken:
                self._decide(row)
        return {service: len(waiting) for service, waiting in self._waiting.items()}

    async def next(self, service: Service) -> Push | None:
        """The next one to be sent there; None when there are no more."""
        if self._is_outdated():
            async with self._looking:
                if self._is_outdated():  # nobody has looked while this one stood in line
                    await self.look()
        if not (waiting := self._waiting[service]):
            return None
        push = waiting.popleft()
        self._taken.add(push.row.delivery_id)
        return push

    def write(self, push: Push) -> Message:
        return self._writer.write(push.row, push.seconds)

    def _is_outdated(self) -> bool:
        return monotonic() - self._looked_at > GOOD_FOR

    def _decide(self, row: Row[Any]) -> None:
        seconds = _seconds_left(row)
        try:
            if (outcome := self._outcome_without_sending(row, seconds)) is None:
                service, target = self._services.find(row.endpoint)
                self._waiting[service].append(Push(row, target, seconds))
                return
            answer = Answer(outcome)
        except NotAllowed as error:
            answer = refused(str(error))
        self._taken.add(row.delivery_id)
        self._findings.add(row, answer)

    def _outcome_without_sending(self, row: Row[Any], seconds: int) -> Outcome | None:
        if row.reason:
            return skipped(row.reason)
        if row.device_id is None:
            return skipped("removed")
        if seconds <= 0:
            before = f" Before: {row.error}" if row.error else ""
            return Outcome("dead", error=f"It was no news any more.{before}")
        return self._while_looking(row) if self._may_wait(row) else None

    def _may_wait(self, row: Row[Any]) -> bool:
        is_urgent = row.letter or type_of(row.type, row.context).is_high
        return not is_urgent and self._settings.push_delay_seconds > 0

    def _while_looking(self, row: Row[Any]) -> Outcome | None:
        if row.looks_until is None or row.looks_until <= clock.now():
            return None
        due = row.created_at + timedelta(seconds=self._settings.push_delay_seconds)
        if row.looks_until - LASTS > due:
            return skipped("visible")
        wait = row.looks_until - clock.now()
        return Outcome("pending", retry_after=wait, is_attempt=False)


def _seconds_left(row: Row[Any]) -> int:
    """For how long it is still news."""
    lasts = TEST_TTL if row.letter else TYPES[row.type].push_ttl
    return int((row.created_at + lasts - clock.now()).total_seconds())
