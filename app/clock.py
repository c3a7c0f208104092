"""The only place that reads the clock, so that tests can replace it."""

from datetime import UTC, datetime, timedelta

EARLIEST = datetime.min.replace(tzinfo=UTC)


def now() -> datetime:
    """The current time, aware and in UTC."""
    return datetime.now(UTC)


def days_ago(days: int) -> datetime:
    """The time `days` ago, or the earliest time there is if that is before the year 1."""
    time = now()
    return time - timedelta(days=min(days, (time - EARLIEST).days))
