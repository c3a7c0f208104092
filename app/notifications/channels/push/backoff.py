"""Leaving a push service in peace for a while after it failed for one device after another."""

from datetime import datetime, timedelta
from random import uniform

from app import clock
from app.notifications.channels.base import Failed
from app.notifications.channels.push.responses import LONGEST_PAUSE, Result

# When so many devices in a row cannot be reached, it is the service.
FAILURES_TO_REST = 5
SHORTEST_REST, LONGEST_REST = timedelta(seconds=30), timedelta(minutes=15)


class Backoff:
    """The rests of one service, and of single devices for which it asks for a pause."""

    def __init__(self) -> None:
        self._failing: set[str] = set()
        self._asked = timedelta(0)  # the longest pause that the service asked for
        self._rests = 0
        self._until = self._noted_at = clock.now()
        self._devices_until: dict[str, datetime] = {}

    def rests_until(self, endpoint_hash: str) -> datetime | None:
        """Until when the service, or this device there, is not to be asked. Devices are told apart
        by endpoint, since an id may be another device's by now.
        """
        now = clock.now()
        until = max(self._until, self._devices_until.get(endpoint_hash, now))
        return until if until > now else None

    def note(self, endpoint_hash: str, result: Result) -> None:
        self._noted_at = clock.now()
        if not result.is_service:
            self._failing.clear()
            self._asked, self._rests = timedelta(0), 0
            return
        self._failing.add(endpoint_hash)
        if isinstance(result.outcome, Failed) and (asked := result.outcome.retry_after):
            self._devices_until[endpoint_hash] = clock.now() + asked
            self._asked = max(self._asked, asked)
        if len(self._failing) >= FAILURES_TO_REST and self._until <= clock.now():
            self._rest()

    def _rest(self) -> None:
        rest = max(min(SHORTEST_REST * 2**self._rests, LONGEST_REST), self._asked)
        self._until = clock.now() + rest * uniform(1, 1.2)  # noqa: S311
        self._rests = min(self._rests + 1, 10)

    def forget(self) -> bool:
        """Forget what is over; returns whether nothing is left to remember."""
        now = clock.now()
        ahead = {one: until for one, until in self._devices_until.items() if until > now}
        self._devices_until = ahead
        is_recent = bool(self._failing) and now - self._noted_at <= LONGEST_PAUSE
        return not (is_recent or ahead) and self._until <= now
