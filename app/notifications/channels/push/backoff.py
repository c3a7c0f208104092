"""Pauses sending to a push service after it has failed for several devices in a row."""

from datetime import datetime, timedelta
from random import uniform

from app import clock
from app.notifications.channels.base import Failed
from app.notifications.channels.push.responses import LONGEST_PAUSE, Result

# After this many different devices fail in a row, the service itself is assumed to be down.
FAILURES_TO_REST = 5
MOST_CHANCE = 1.2
SHORTEST_REST, LONGEST_REST = timedelta(seconds=30), timedelta(minutes=15)


class Backoff:
    """The pauses of one service, and those it requested (Retry-After) for single devices."""

    def __init__(self) -> None:
        self._failing: set[str] = set()
        self._requested = timedelta(0)  # the longest pause that the service requested
        self._rests = 0
        self._until = self._noted_at = clock.now()
        self._devices_until: dict[str, datetime] = {}

    def rests_until(self, endpoint_hash: str) -> datetime | None:
        """The end of the pause of the service or of this device; None when there is no pause.

        Devices are identified by endpoint hash because a database id may have been reused.
        """
        now = clock.now()
        both = (self._until, self._devices_until.get(endpoint_hash, now))
        return max((until for until in both if _is_ahead(until, now)), default=None)

    def note(self, endpoint_hash: str, result: Result) -> None:
        self._noted_at = clock.now()
        if not result.is_service:
            self._failing.clear()
            self._requested, self._rests = timedelta(0), 0
            return
        self._failing.add(endpoint_hash)
        if isinstance(result.outcome, Failed) and (requested := result.outcome.retry_after):
            self._devices_until[endpoint_hash] = clock.now() + requested
            self._requested = max(self._requested, requested)
        if len(self._failing) >= FAILURES_TO_REST and not _is_ahead(self._until, clock.now()):
            self._rest()

    def _rest(self) -> None:
        rest = max(min(SHORTEST_REST * 2**self._rests, LONGEST_REST), self._requested)
        self._until = clock.now() + rest * uniform(1, MOST_CHANCE)  # noqa: S311
        self._rests = min(self._rests + 1, 10)

    def forget(self) -> bool:
        """Drops pauses that have ended; returns whether this object can be discarded."""
        now = clock.now()
        active = {
            device: until for device, until in self._devices_until.items() if _is_ahead(until, now)
        }
        self._devices_until = active
        is_recent = bool(self._failing) and abs(now - self._noted_at) <= LONGEST_PAUSE
        return not (is_recent or active or _is_ahead(self._until, now))


def _is_ahead(until: datetime, now: datetime) -> bool:
    """Whether a pause is still in force. If it would last longer than any pause can, it began while
    the clock was ahead, and does not count.
    """
    return now < until <= now + LONGEST_PAUSE * MOST_CHANCE
