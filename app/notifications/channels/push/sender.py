"""Sending claimed pushes, several at once to each push service."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable
from typing import Any

from pywebpush import WebPusher
from sqlalchemy import Row

from app.database import Database
from app.notifications.channels.base import Outcome, Settled
from app.notifications.channels.push.message import Message
from app.notifications.channels.push.responses import (
    TROUBLED,
    Answer,
    Patience,
    read_answer,
    refused,
)
from app.notifications.channels.push.rows import Findings
from app.notifications.channels.push.services import PushServices, Service
from app.notifications.channels.push.turns import Push, Turns
from app.notifications.channels.push.vapid_keys import VapidKeys
from app.outgoing import AddressRefused, Outgoing, Reply, Unanswered
from app.settings import Settings

AT_ONCE = 16  # for each push service
SETTLE_SECONDS = 1.0
TOO_LARGE = 413
HEADERS = {"Content-Encoding": "aes128gcm", "Content-Type": "application/octet-stream"}

_log = logging.getLogger(__name__)


class Sender:
    """Keeps the connections, and how patient to be with each service."""

    def __init__(
        self, settings: Settings, keys: VapidKeys, services: PushServices, client: Outgoing
    ) -> None:
        self._settings, self._keys = settings, keys
        self._services, self._client = services, client
        self._patience: defaultdict[Service, Patience] = defaultdict(Patience)

    async def close(self) -> None:
        await self._client.close()

    async def send(
        self, db: Database, claim: str, is_over: Callable[[], bool]
    ) -> AsyncGenerator[Settled]:
        """Yields what is settled about every second."""
        findings = Findings()
        turns = Turns(db, self._settings, self._services, findings, claim)
        tasks = {
            asyncio.create_task(self._work(service, turns, findings, is_over))
            for service, count in (await turns.look()).items()
            for _worker in range(min(AT_ONCE, count))
        }
        try:
            sending = tasks
            while sending:
                _done, sending = await asyncio.wait(sending, timeout=SETTLE_SECONDS)
                for settled in await findings.take(db):
                    yield settled
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for service in [one for one, patience in self._patience.items() if patience.forget()]:
            del self._patience[service]
        for settled in await findings.take(db):
            yield settled
        for task in tasks:
            task.result()  # raises what nobody foresaw

    async def _work(
        self, service: Service, turns: Turns, findings: Findings, is_over: Callable[[], bool]
    ) -> None:
        patience = self._patience[service]
        while not is_over() and (push := await turns.next(service)):
            # Who tests a device wants to see what its service says to that.
            if not push.row.letter and (wait := patience.wait(push.row.endpoint_hash)):
                put_off = Answer(Outcome("pending", retry_after=wait, is_attempt=False))
                findings.add(push.row, put_off)
                continue
            answer = await self._attempt(push, service, turns)
            patience.note(push.row.endpoint_hash, answer)
            findings.add(push.row, answer)

    async def _attempt(self, push: Push, service: Service, turns: Turns) -> Answer:
        """One that cannot be written must not hold up the others."""
        try:
            message = turns.write(push)
            body = _encrypted(push.row, message.payload)
        except Exception as error:
            _log.exception("Push %s could not be written.", push.row.delivery_id)
            return Answer(Outcome("failed", error=repr(error)))
        answer = await self._answer(push, service, message, body)
        if answer.device == TROUBLED:
            _log.error("A push was refused: %s", answer.outcome.error)
        return answer

    async def _answer(self, push: Push, service: Service, message: Message, body: bytes) -> Answer:
        """What nobody foresaw on the way there may be over the next time."""
        try:
            reply = await self._post(push, service, message, body)
            if reply.status == TOO_LARGE and message.payload != (small := message.small):
                body = _encrypted(push.row, small)
                reply = await self._post(push, service, message, body)
        except AddressRefused as error:
            return refused(str(error))
        except Unanswered as error:
            outcome = Outcome("pending", error=f"{service.host}: {error}")
            return Answer(outcome, is_service=True)
        except Exception as error:
            _log.exception("Push %s could not be sent.", push.row.delivery_id)
            return Answer(Outcome("pending", error=repr(error)))
        return read_answer(reply, service)

    async def _post(self, push: Push, service: Service, message: Message, body: bytes) -> Reply:
        authorization = {"Authorization": self._keys.authorization(service.origin)}
        headers = authorization | HEADERS | message.headers
        return await self._client.post(service.origin + push.target, headers, body)


def _encrypted(row: Row[Any], payload: bytes) -> bytes:
    """For the one device that can read it: RFC 8291. Raises ValueError for keys that are none."""
    keys = {"p256dh": row.p256dh, "auth": row.auth}
    return bytes(WebPusher({"endpoint": row.endpoint, "keys": keys}).encode(payload)["body"])
