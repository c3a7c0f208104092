"""The one place that asks what time it is, so that a test can answer."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present moment: aware, in UTC."""
    return datetime.now(UTC)
