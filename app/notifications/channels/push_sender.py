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
from datetime import timedelta
from typing import Any

from pywebpush import WebPusher
from sqlalchemy import Row

from app import clock
from app.database import Database
from app.models import Delivery
from app.notifications.catalogue import TYPES, kind_of
from app.notifications.channels.base import Outcome, Settled, skipped
from app.notifications.channels.push_answers import TROUBLED, Answer, Patience, read_answer
from app.notifications.channels.push_rows import Findings, read_pushes
from app.notifications.presence import LASTS
from app.notifications.push_client import PushClient, Reply, Unanswered
from app.notifications.push_message import TEST_TTL, Message, write_message, write_test
from app.notifications.push_services import NotAllowed, PushServices, Service
from app.settings import Settings
from app.vapid import VapidKeys

AT_ONCE = 16  # for each push service
SETTLE_SECONDS = 1.0
TOO_LARGE = 413
HEADERS = {"Content-Encoding": "aes128gcm", "Content-Type": "application/octet-stream"}

_log = logging.getLogger(__name__)
Addressed = tuple[Row[Any], str]


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

    async def send(self, db: Database, claimed: Sequence[Delivery]) -> AsyncGenerator[Settled]:
        """Yields what is settled about every second."""
        async with db.read() as session:
            rows = await read_pushes(session, [one.id for one in claimed])
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
        by_service: defaultdict[Service, list[Addressed]] = defaultdict(list)
        for row in rows:
            if outcome := self._outcome_without_sending(row):
                findings.add(row, Answer(outcome))
                continue
            try:
                service, target = self._services.find(row.endpoint)
            except NotAllowed as error:
                findings.add(row, _refused(str(error)))
            else:
                by_service[service].append((row, target))
        return {
            asyncio.create_task(self._work(service, shared, findings))
            for service, some in by_service.items()
            for shared in [iter(some)] * min(AT_ONCE, len(some))
        }

    def _outcome_without_sending(self, row: Row[Any]) -> Outcome | None:
        if row.reason:
            return skipped(row.reason)
        if row.device_id is None:
            return skipped("removed")
        if _seconds_left(row) <= 0:
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
        self, service: Service, shared: Iterator[Addressed], findings: Findings
    ) -> None:
        patience = self._patience[service]
        for row, target in shared:
            if wait := patience.wait():
                findings.add(row, Answer(Outcome("pending", retry_after=wait, is_attempt=False)))
                continue
            answer = await self._attempt(row, service, target)
            patience.note(row.device_id, answer)
            findings.add(row, answer)

    async def _attempt(self, row: Row[Any], service: Service, target: str) -> Answer:
        """One that cannot be sent must not hold up the others."""
        try:
            reply = await self._post(row, service, target)
        except NotAllowed as error:
            return _refused(str(error))
        except Unanswered as error:
            outcome = Outcome("pending", error=f"{service.host}: {error}")
            return Answer(outcome, is_service=True)
        except Exception as error:
            _log.exception("Push %s could not be written.", row.delivery_id)
            return Answer(Outcome("failed", error=repr(error)))
        answer = read_answer(reply, service)
        if answer.device == TROUBLED:
            _log.error("%s refused a push with %s.", service.host, reply.status)
        return answer

    async def _post(self, row: Row[Any], service: Service, target: str) -> Reply:
        message = self._written(row)
        reply = await self._post_payload(row, service, target, message, message.payload)
        if reply.status == TOO_LARGE and message.payload != message.small:
            return await self._post_payload(row, service, target, message, message.small)
        return reply

    def _written(self, row: Row[Any]) -> Message:
        write = write_test if row.letter else write_message
        return write(self._settings, row, _seconds_left(row))

    async def _post_payload(
        self, row: Row[Any], service: Service, target: str, message: Message, payload: bytes
    ) -> Reply:
        keys = {"p256dh": row.p256dh, "auth": row.auth}
        body = WebPusher({"endpoint": row.endpoint, "keys": keys}).encode(payload)["body"]
        headers = {
            "Authorization": self._keys.authorization(service.origin),
            **HEADERS,
            **message.headers,
        }
        return await self._client.post(service, target, headers, body)


def _seconds_left(row: Row[Any]) -> int:
    """For how long it is still news."""
    lasts = TEST_TTL if row.letter else TYPES[row.type].push_ttl
    return int((row.created_at + lasts - clock.now()).total_seconds())


def _refused(error: str) -> Answer:
    return Answer(Outcome("failed", error=error), TROUBLED)
