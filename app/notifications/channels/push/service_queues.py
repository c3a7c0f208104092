"""The pushes of one batch, queued by push service.

The batch decides again at least once a second which pushes to send. While a slow service delays
them, a notification may be read or withdrawn, or a browser may move to another user.
"""

import asyncio
from collections import defaultdict, deque
from dataclasses import dataclass
from time import monotonic
from typing import Any

from sqlalchemy import Row

from app.notifications.channels.base import Batch, DeliveryFailure
from app.notifications.channels.push.allowed_services import NotAllowed, PushServices
from app.notifications.channels.push.responses import refused
from app.notifications.channels.push.results import Results
from app.web.hosts import Origin

DECISION_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Push:
    """A delivery to send, and the path of its device's endpoint."""

    row: Row[Any]
    target: str


class ServiceQueues:
    def __init__(self, batch: Batch, services: PushServices, results: Results) -> None:
        self._batch, self._services, self._results = batch, services, results
        self._queues: defaultdict[Origin, deque[Push]] = defaultdict(deque)
        self._refilling = asyncio.Lock()

    async def refill(self) -> dict[Origin, int]:
        """Decides again on all pushes not yet begun; returns the number queued for each service."""
        deliveries = await self._batch.decide()
        self._queues, self._decided_at = defaultdict(deque), monotonic()
        for delivery in deliveries:
            self._add(delivery)
        return {service: len(queue) for service, queue in self._queues.items()}

    async def next(self, service: Origin) -> Push | None:
        """The next push to send to the service; None if its queue is empty."""
        if self._is_outdated():
            async with self._refilling:
                if self._is_outdated():  # no other task has refilled while this one waited
                    await self.refill()
        if not (queue := self._queues[service]):
            return None
        push = queue.popleft()
        self._batch.begin([push.row.delivery_id])
        return push

    def _is_outdated(self) -> bool:
        return monotonic() - self._decided_at > DECISION_SECONDS

    def _add(self, delivery: Row[Any]) -> None:
        """Queues the delivery, or refuses it if the service is not (or no longer) allowed."""
        try:
            service, target = self._services.find(delivery.endpoint)
        except NotAllowed as error:
            self._batch.begin([delivery.delivery_id])
            self._results.add(delivery, refused(DeliveryFailure(error.code)))
        else:
            self._queues[service].append(Push(delivery, target))
