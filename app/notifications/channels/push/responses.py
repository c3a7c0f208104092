"""Interprets a push service's response: for the delivery, its device and the service."""

from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime

from app import clock
from app.notifications.channels.base import (
    REFUSED,
    SENT,
    UNAVAILABLE,
    DeliveryFailure,
    Failed,
    Outcome,
)
from app.outgoing import Reply
from app.web.hosts import Origin

WELL, GONE, REFUSING, UNKNOWN = "well", "gone", "refusing", "unknown"
# The failure code of a device that has unsubscribed, and the HTTP statuses that report it.
UNSUBSCRIBED = "unsubscribed"
GONE_CODES = (404, 410)
LONGEST_PAUSE = timedelta(days=1)


@dataclass(frozen=True)
class Result:
    """`device` is the state that the response implies; `is_service` means the service is failing."""

    outcome: Outcome
    device: str = UNKNOWN
    is_service: bool = False


def read_reply(reply: Reply, service: Origin) -> Result:
    """Follows RFC 8030, sections 5 and 7.3, and the large services where the RFC leaves a choice."""
    status, host = reply.status, service.authority.host
    if 200 <= status < 300:
        return Result(SENT, WELL)
    if status in GONE_CODES:
        return Result(Failed(DeliveryFailure(UNSUBSCRIBED, host, status), is_final=True), GONE)
    if status in (408, 425, 429) or status >= 500:
        failure, pause = DeliveryFailure(UNAVAILABLE, host, status), read_pause(reply.retry_after)
        return Result(Failed(failure, retry_after=pause), is_service=True)
    return refused(DeliveryFailure(REFUSED, host, status))


def refused(failure: DeliveryFailure) -> Result:
    """A final failure that may be caused by the device."""
    return Result(Failed(failure, is_final=True), REFUSING)


def read_pause(retry_after: str) -> timedelta | None:
    """Parses Retry-After, seconds or a date (RFC 9110, 10.2.3), up to a day; None if invalid."""
    text = retry_after.strip()
    try:
        if text.isascii() and text.isdigit():
            pause = timedelta(seconds=min(int(text[:9]), LONGEST_PAUSE.total_seconds()))
        else:
            pause = parsedate_to_datetime(text) - clock.now()
    except (ValueError, TypeError):  # a date without a zone
        return None
    return min(max(pause, timedelta(0)), LONGEST_PAUSE)
