"""Collects the results of pushes so that they are recorded in bulk."""

from collections import defaultdict
from typing import Any

from sqlalchemy import Row

from app.database import Database
from app.notifications.channels.base import Failed, Outcome, Settled
from app.notifications.channels.push.devices import note_replies
from app.notifications.channels.push.responses import GONE, REFUSING, WELL, Result


class Results:
    """The outcomes of deliveries, and the states of their devices."""

    def __init__(self) -> None:
        self._deliveries: defaultdict[Outcome, list[int]] = defaultdict(list)
        self._devices: defaultdict[str, dict[str, int | None]] = defaultdict(dict)

    def add(self, delivery: Row[Any], result: Result) -> None:
        outcome = result.outcome
        status = outcome.failure.status_code if isinstance(outcome, Failed) else None
        self._deliveries[outcome].append(delivery.delivery_id)
        self._devices[result.device][delivery.endpoint_hash] = status

    async def take(self, db: Database) -> list[Settled]:
        """Returns the outcomes added since the last call, and records the states of their devices."""
        deliveries, self._deliveries = self._deliveries, defaultdict(list)
        devices, self._devices = self._devices, defaultdict(dict)
        if devices.keys() & {WELL, GONE, REFUSING}:
            async with db.exclusive() as session:
                await note_replies(
                    session,
                    well=list(devices[WELL]),
                    gone=list(devices[GONE]),
                    refusing=devices[REFUSING],
                )
        return [(ids, outcome) for outcome, ids in deliveries.items()]
