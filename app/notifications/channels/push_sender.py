"""Sending claimed pushes, several at once to each push service.

Whether a push is still right is decided now. It is spared where its person looks at a page, high
priority or not: there the notice shows at once, an urgent one as a toast, and urgent mail leaves
in any case. `Account.pushes_always` is for those whose pages stay open where nobody looks.

That somebody has left a page may never be told: a lid is closed, a request gets lost. So looking
counts only when it was told after the push came due; until then the push waits.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pywebpush import WebPusher
from sqlalchemy import Row

from app import clock
from app.database import Database
from app.notifications.catalogue import TYPES, kind_of
from app.notifications.channels.base import Claimed, Outcome, Settled, skipped
from app.notifications.channels.push_answers import TROUBLED, Answer, Patience, read_answer
from app.notifications.channels.push_rows import Findings, read_pushes
from app.notifications.presence import LASTS
from app.notifications.push_client import PushClient, Reply, Unanswered
from app.notifications.push_message import TEST_TTL, Message, Writer
from app.notifications.push_services import NotAllowed, PushServices, Service
from app.settings import Settings
from app.vapid import VapidKeys

AT_ONCE = 16  # for each push service
SETTLE_SECONDS = 1.0
TOO_LARGE = 413
HEADERS = {"Content-Encoding": "aes128gcm", "Content-Type": "application/octet-stream"}

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Push:
    """One to be sent: its row, what to ask the service for, and for how many seconds it is news."""

    row: Row[Any]
    target: str
    seconds: int


class Sender:
    """Keeps the connections, and how patient to be with each service."""

    def __init__(
        self, settings: Settings, keys: VapidKeys, services: PushServices, client: PushClient
    ) -> None:
        self._settings, self._keys = settings, keys
        self._services, self._client = services, client
        self._patience: defaultdict[Service, Patience] = defaultdict(Patience)

    def close(self) -> None:
        self._client.close()

    async def send(self, db: Database, claimed: Sequence[Claimed]) -> AsyncGenerator[Settled]:
        """Yields what is settled about every second."""
        async with db.read() as session:
            rows = await read_pushes(session, claimed[0].claimed_by)
        findings = Findings()
        sending = self._begin(rows, findings)
        try:
            while sending:
                _done, sending = await asyncio.wait(sending, timeout=SETTLE_SECONDS)
                for settled in await findings.take(db):
                    yield settled
        finally:
            for task in sending:
                task.cancel()
            await asyncio.gather(*sending, return_exceptions=True)
        for settled in await findings.take(db):
            yield settled

    def _begin(self, rows: Sequence[Row[Any]], findings: Findings) -> set[asyncio.Task[None]]:
        """What is not to be sent is found at once, the rest by tasks that share it."""
        by_service: defaultdict[Service, list[_Push]] = defaultdict(list)
        writer = Writer(self._settings)
        for row in rows:
            seconds = _seconds_left(row)
            if outcome := self._outcome_without_sending(row, seconds):
                findings.add(row, Answer(outcome))
                continue
            try:
                service, target = self._services.find(row.endpoint)
            except NotAllowed as error:
                findings.add(row, _refused(str(error)))
            else:
                by_service[service].append(_Push(row, target, seconds))
        return {
            asyncio.create_task(self._work(service, shared, writer, findings))
            for service, some in by_service.items()
            for shared in [iter(some)] * min(AT_ONCE, len(some))
        }

    def _outcome_without_sending(self, row: Row[Any], seconds: int) -> Outcome | None:
        if row.reason:
            return skipped(row.reason)
        if row.device_id is None:
            return skipped("removed")
        if seconds <= 0:
            return Outcome("dead", error="It was no news any more.")
        return None if row.letter else self._while_looking(row)

    def _while_looking(self, row: Row[Any]) -> Outcome | None:
        if row.looks_until is None or row.looks_until <= clock.now():
            return None
        is_high = kind_of(row.type, row.context).is_high
        due = row.created_at + timedelta(
            seconds=0 if is_high else self._settings.push_delay_seconds
        )
        if row.looks_until - LASTS > due:
            return skipped("visible")
        wait = row.looks_until - clock.now()
        return Outcome("pending", retry_after=wait, is_attempt=False)

    async def _work(
        self, service: Service, shared: Iterator[_Push], writer: Writer, findings: Findings
    ) -> None:
        patience = self._patience[service]
        for push in shared:
            if wait := patience.wait():
                put_off = Answer(Outcome("pending", retry_after=wait, is_attempt=False))
                findings.add(push.row, put_off)
                continue
            answer = await self._attempt(push, service, writer)
            patience.note(push.row.device_id, answer)
            findings.add(push.row, answer)

    async def _attempt(self, push: _Push, service: Service, writer: Writer) -> Answer:
        """One that cannot be written must not hold up the others."""
        try:
            message = writer.write(push.row, push.seconds)
            body = _encrypted(push.row, message.payload)
        except Exception as error:
            _log.exception("Push %s could not be written.", push.row.delivery_id)
            return Answer(Outcome("failed", error=repr(error)))
        answer = await self._answer(push, service, message, body)
        if answer.device == TROUBLED:
            _log.error("A push was refused: %s", answer.outcome.error)
        return answer

    async def _answer(self, push: _Push, service: Service, message: Message, body: bytes) -> Answer:
        """What nobody foresaw on the way there may be over the next time."""
        try:
            reply = await self._post(push, service, message, body)
            if reply.status == TOO_LARGE and message.payload != (small := message.small):
                body = _encrypted(push.row, small)
                reply = await self._post(push, service, message, body)
        except NotAllowed as error:
            return _refused(str(error))
        except Unanswered as error:
            outcome = Outcome("pending", error=f"{service.host}: {error}")
            return Answer(outcome, is_service=True)
        except Exception as error:
            _log.exception("Push %s could not be sent.", push.row.delivery_id)
            return Answer(Outcome("pending", error=repr(error)))
        return read_answer(reply, service)

    async def _post(self, push: _Push, service: Service, message: Message, body: bytes) -> Reply:
        authorization = {"Authorization": self._keys.authorization(service.origin)}
        headers = authorization | HEADERS | message.headers
        return await self._client.post(service, push.target, headers, body)


def _encrypted(row: Row[Any], payload: bytes) -> bytes:
    """For the one device that can read it: RFC 8291. Raises ValueError for keys that are none."""
    keys = {"p256dh": row.p256dh, "auth": row.auth}
    return bytes(WebPusher({"endpoint": row.endpoint, "keys": keys}).encode(payload)["body"])


def _seconds_left(row: Row[Any]) -> int:
    """For how long it is still news."""
    lasts = TEST_TTL if row.letter else TYPES[row.type].push_ttl
    return int((row.created_at + lasts - clock.now()).total_seconds())


def _refused(error: str) -> Answer:
    return Answer(Outcome("failed", error=error), TROUBLED)
