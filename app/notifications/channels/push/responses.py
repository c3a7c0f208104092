"""What the answer of a push service means for a delivery, for its device, and for the service."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from random import uniform

from app import clock
from app.notifications.channels.base import SENT, Outcome
from app.notifications.channels.push.services import Service
from app.outgoing import Reply

WELL, GONE, TROUBLED, UNKNOWN = "well", "gone", "troubled", "unknown"
GONE_CODES = (404, 410)  # the device has unsubscribed
LONGEST_WAIT = timedelta(days=1)
# When so many devices in a row cannot be reached it is the service.
FAILURES_TO_REST = 5
SHORTEST_REST, LONGEST_REST = timedelta(seconds=30), timedelta(minutes=15)


@dataclass(frozen=True)
class Answer:
    """`device` is what it tells of the device; `is_service` that the service itself is in trouble."""

    outcome: Outcome
    device: str = UNKNOWN
    is_service: bool = False


def read_answer(reply: Reply, service: Service) -> Answer:
    """RFC 8030, sections 5 and 7.3; what it leaves open as the large services have it."""
    status, told = reply.status, f"{reply.status} from {service.host}"
    if 200 <= status < 300:
        return Answer(SENT, WELL)
    if status in GONE_CODES:
        return Answer(Outcome("failed", error=f"{told}: the device has unsubscribed."), GONE)
    if status in (408, 425, 429) or status >= 500:
        wait = read_wait(reply.retry_after)
        return Answer(Outcome("pending", error=told, retry_after=wait), is_service=True)
    return refused(told)


def refused(error: str) -> Answer:
    """For good, and the device may be to blame."""
    return Answer(Outcome("failed", error=error), TROUBLED)


def read_wait(retry_after: str) -> timedelta | None:
    """Seconds or a date (RFC 9110, 10.2.3), at most a day; None where it is neither."""
    text = retry_after.strip()
    try:
        if text.isascii() and text.isdigit():
            wait = timedelta(seconds=min(int(text[:9]), LONGEST_WAIT.total_seconds()))
        else:
            wait = parsedate_to_datetime(text) - clock.now()
    except (ValueError, TypeError):  # a date without a zone
        return None
    return min(max(wait, timedelta(0)), LONGEST_WAIT)


class Patience:
    """With one service: where it fails for one device after another it is left alone for a while.

    So is a single device for which it asks for that.
    """

    def __init__(self) -> None:
        self._failing: set[str] = set()
        self._asked = timedelta(0)  # by the service itself, at most
        self._rests = 0
        self._until = self._noted_at = clock.now()
        self._devices_until: dict[str, datetime] = {}

    def wait(self, endpoint_hash: str) -> timedelta:
        """How long it, or this device there (whose id may be another one's by now), is still to
        be left alone.
        """
        now = clock.now()
        until = max(self._until, self._devices_until.get(endpoint_hash, now))
        return max(until - now, timedelta(0))

    def note(self, endpoint_hash: str, answer: Answer) -> None:
        self._noted_at = clock.now()
        if not answer.is_service:
            self._failing.clear()
            self._asked, self._rests = timedelta(0), 0
            return
        self._failing.add(endpoint_hash)
        if asked := answer.outcome.retry_after:
            self._devices_until[endpoint_hash] = clock.now() + asked
            self._asked = max(self._asked, asked)
        if len(self._failing) >= FAILURES_TO_REST and self._until <= clock.now():
            rest = max(min(SHORTEST_REST * 2**self._rests, LONGEST_REST), self._asked)
            self._until = clock.now() + rest * uniform(1, 1.2)  # noqa: S311
            self._rests = min(self._rests + 1, 10)

    def forget(self) -> bool:
        """Forget what is over; returns whether that is all there was."""
        now = clock.now()
        ahead = {one: until for one, until in self._devices_until.items() if until > now}
        self._devices_until = ahead
        is_recent = bool(self._failing) and now - self._noted_at <= LONGEST_WAIT
        return not (is_recent or ahead) and self._until <= now
