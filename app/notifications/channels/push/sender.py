"""Sends a batch of pushes, with several concurrent requests to each push service."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable
from functools import partial
from typing import Any

from pywebpush import WebPusher
from sqlalchemy import Row

from app import clock
from app.database import Database
from app.notifications.channels.base import (
    RESTING,
    UNEXPECTED,
    UNWRITABLE,
    Batch,
    DeliveryFailure,
    Failed,
    Settled,
    Wait,
)
from app.notifications.channels.push.allowed_services import PushServices
from app.notifications.channels.push.backoff import Backoff
from app.notifications.channels.push.message import Message, PushWriter, time_to_live
from app.notifications.channels.push.responses import REFUSING, Result, read_reply, refused
from app.notifications.channels.push.results import Results
from app.notifications.channels.push.service_queues import Push, ServiceQueues
from app.notifications.channels.push.vapid_keys import VapidKeys
from app.notifications.events.catalogue import TYPES
from app.notifications.inbox.feed import MOST_COUNTED, unread_count
from app.outgoing import AddressRefused, Outgoing, Reply, Unanswered
from app.process.cancellation import end
from app.settings import Settings
from app.web.hosts import Origin

AT_ONCE = 16  # for each push service
SETTLE_SECONDS = 1.0
TOO_LARGE = 413
# The failure code of a service whose host name does not resolve to a public address.
INTERNAL_ADDRESS = "internal_address"
HEADERS = {"Content-Encoding": "aes128gcm", "Content-Type": "application/octet-stream"}

Attempt = Callable[[Push, Origin], Awaitable[Result]]

_log = logging.getLogger(__name__)


class Sender:
    """Holds the open connections and the backoff state of each service."""

    def __init__(
        self, settings: Settings, keys: VapidKeys, services: PushServices, client: Outgoing
    ) -> None:
        self._settings, self._keys = settings, keys
        self._services, self._client = services, client
        self._backoff: defaultdict[Origin, Backoff] = defaultdict(Backoff)

    async def close(self) -> None:
        await self._client.close()

    async def send(self, db: Database, batch: Batch) -> AsyncGenerator[Settled]:
        """Yields the outcomes about once a second."""
        results = Results()
        queues = ServiceQueues(batch, self._services, results)
        tasks = await self._start(db, queues, batch, results)
        try:
            sending = tasks
            while sending:
                _done, sending = await asyncio.wait(sending, timeout=SETTLE_SECONDS)
                for settled in await results.take(db):
                    yield settled
        finally:
            await end(*tasks)
        for service in [key for key, backoff in self._backoff.items() if backoff.forget()]:
            del self._backoff[service]
        for settled in await results.take(db):
            yield settled
        for task in tasks:
            task.result()  # re-raises an unexpected error

    async def _start(
        self, db: Database, queues: ServiceQueues, batch: Batch, results: Results
    ) -> set[asyncio.Task[None]]:
        attempt = partial(self._attempt, db, PushWriter(self._settings))
        return {
            asyncio.create_task(self._work(service, batch, queues, results, attempt))
            for service, count in (await queues.refill()).items()
            for _worker in range(min(AT_ONCE, count))
        }

    async def _work(
        self,
        service: Origin,
        batch: Batch,
        queues: ServiceQueues,
        results: Results,
        attempt: Attempt,
    ) -> None:
        backoff = self._backoff[service]
        while not batch.is_over() and (push := await queues.next(service)):
            device = push.row.endpoint_hash
            # A test ignores backoff: the user wants to see the response of the service.
            if not push.row.transactional and (until := backoff.rests_until(device)):
                results.add(push.row, Result(Wait(until, RESTING)))
                continue
            result = await attempt(push, service)
            backoff.note(device, result)
            results.add(push.row, result)

    async def _attempt(
        self, db: Database, writer: PushWriter, push: Push, service: Origin
    ) -> Result:
        """A push that cannot be written fails alone, so that it does not block the batch."""
        unread = await _count_unread(db, push.row)
        try:
            message = writer.write(push.row, _seconds_left(push.row), unread)
            body = _encrypted(push.row, message.payload)
        except Exception as error:
            _log.exception("Push %s could not be written.", push.row.delivery_id)
            return Result(Failed(DeliveryFailure(UNWRITABLE, detail=repr(error)), is_final=True))
        result = await self._result(push, service, message, body)
        if result.device == REFUSING and isinstance(result.outcome, Failed):
            failure = result.outcome.failure
            _log.error(
                "%s refused a push: %s %s",
                service.authority.host,
                failure.code,
                failure.status_code,
            )
        return result

    async def _result(self, push: Push, service: Origin, message: Message, body: bytes) -> Result:
        """An unexpected error is not final, because it may not recur at the next attempt."""
        try:
            reply = await self._post(push, service, message, body)
            if reply.status == TOO_LARGE and message.payload != (small := message.small):
                body = _encrypted(push.row, small)
                reply = await self._post(push, service, message, body)
        except AddressRefused:
            return refused(DeliveryFailure(INTERNAL_ADDRESS, service.authority.host))
        except Unanswered as error:
            failure = DeliveryFailure(
                error.code, service.authority.host, detail=error.detail or None
            )
            return Result(Failed(failure), is_service=True)
        except Exception as error:
            _log.exception("Push %s could not be sent.", push.row.delivery_id)
            return Result(Failed(DeliveryFailure(UNEXPECTED, detail=repr(error))))
        return read_reply(reply, service)

    async def _post(self, push: Push, service: Origin, message: Message, body: bytes) -> Reply:
        authorization = {"Authorization": self._keys.authorization(str(service))}
        headers = authorization | HEADERS | message.headers
        return await self._client.post(str(service) + push.target, headers, body)


async def _count_unread(db: Database, row: Row[Any]) -> int:
    """How many notifications the recipient has not read. `row.unread` stops at MOST_COUNTED, because
    a slow service makes us read a batch repeatedly; it is used if the database cannot be read. Not a
    short read: counting many takes long.
    """
    if row.unread < MOST_COUNTED:
        return int(row.unread)
    try:
        async with db.read() as session:
            return await unread_count(session, row.user_id)
    except Exception:
        _log.exception("The unread notifications of a push's recipient could not be counted.")
        return int(row.unread)


def _seconds_left(row: Row[Any]) -> int:
    """The TTL header: how long the push service may store the push for an unreachable device."""
    lifetime = time_to_live(TYPES[row.type] if row.type else None)
    return max(1, int((row.queued_at + lifetime - clock.now()).total_seconds()))


def _encrypted(row: Row[Any], payload: bytes) -> bytes:
    """Encrypts the payload for one device (RFC 8291). Raises ValueError for invalid keys."""
    keys = {"p256dh": row.p256dh, "auth": row.auth}
    return bytes(WebPusher({"endpoint": row.endpoint, "keys": keys}).encode(payload)["body"])
