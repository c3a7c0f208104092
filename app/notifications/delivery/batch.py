"""One claim while its channel sends it."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Row

from app import clock
from app.database import Database
from app.faults import persist
from app.notifications.channels.base import Channel, Wait
from app.notifications.delivery.claims import Claim
from app.notifications.delivery.decision import Send, Skip, decide_all
from app.notifications.delivery.settling import Settlement, settle

# After this long a batch is given back and claimed again, so that urgent deliveries come first.
BATCH_SECONDS = 10


class ClaimedBatch:
    """The deliveries of one claim, passed to a channel as a `base.Batch`. `settled` counts those with an outcome."""

    def __init__(
        self, db: Database, channel: Channel, claim: Claim, is_stopping: Callable[[], bool]
    ) -> None:
        self.settled = 0
        self._db, self._channel, self._claim = db, channel, claim
        self._is_stopping = is_stopping
        self._until = clock.now() + timedelta(seconds=BATCH_SECONDS)
        self._turn = {one.id: number for number, one in enumerate(claim.deliveries)}
        self._begun: set[int] = set()
        self._decided: defaultdict[Skip | Wait, list[int]] = defaultdict(list)

    def is_over(self) -> bool:
        return self._is_stopping() or clock.now() > self._until

    def begin(self, delivery_ids: Sequence[int]) -> None:
        self._begun.update(delivery_ids)

    async def decide(self) -> Sequence[Row[Any]]:
        async with self._db.read() as session:
            decided = await decide_all(session, self._channel, self._claim.is_ours())
        # Must not await from here on: another task could begin a delivery that is about to be
        # skipped.
        to_send = []
        for row, decision in decided:
            if row.delivery_id in self._begun:
                continue
            if isinstance(decision, Send):
                to_send.append(row)
            else:
                self._decided[decision].append(row.delivery_id)
                self._begun.add(row.delivery_id)
        return sorted(to_send, key=lambda row: self._turn[row.delivery_id])

    async def settle(self, ids: Sequence[int], settlement: Settlement) -> None:
        """Waits while the disk is full: a delivery whose outcome is not recorded would be sent
        twice.
        """

        async def record() -> None:
            async with self._db.write() as session:
                await settle(session, self._channel, self._claim, ids, settlement)

        await persist(record)
        self.settled += len(ids)

    async def settle_decided(self) -> None:
        """Record the decisions not to send made since the last call."""
        decided, self._decided = self._decided, defaultdict(list)
        for decision, ids in decided.items():
            await self.settle(ids, decision)
