"""Keeps the log readable while the same failure repeats, as on a full disk.

A failure is logged when it first happens, and then at growing intervals with the number of times it
happened since.
"""

import logging
from dataclasses import dataclass
from time import monotonic
from traceback import walk_tb

from app.telemetry import security_log

FIRST_INTERVAL, LONGEST_INTERVAL = 60.0, 3600.0
MOST_FAILURES = 1_000

Key = tuple[object, ...]


@dataclass
class _Seen:
    """`last` is when it was last logged; `interval` until it is next; `unlogged` since then."""

    last: float
    interval: float = FIRST_INTERVAL
    unlogged: int = 0


class Repetition(logging.Filter):
    """A filter for a handler. Only warnings and errors repeat; the security log never does."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[Key, _Seen] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING or record.name == security_log.NAME:
            return True
        key, now = _key(record), monotonic()
        seen = self._seen.get(key)
        if seen is None or now - seen.last > 2 * LONGEST_INTERVAL:
            self._begin(key, now)
            return True
        if now - seen.last < seen.interval:
            seen.unlogged += 1
            return False
        record.repeated = seen.unlogged + 1
        seen.last, seen.unlogged = now, 0
        seen.interval = min(2 * seen.interval, LONGEST_INTERVAL)
        return True

    def _begin(self, key: Key, now: float) -> None:
        if len(self._seen) >= MOST_FAILURES:
            self._seen.pop(next(iter(self._seen)))
        self._seen[key] = _Seen(now)


def _key(record: logging.LogRecord) -> Key:
    """Equal for two entries about the same failure. Exceptions are compared by where they were
    raised, because their texts may name different rows.
    """
    error = record.exc_info[1] if record.exc_info else None
    if error is None:
        return record.name, record.getMessage()
    raised_at = [(frame.f_code, line) for frame, line in walk_tb(error.__traceback__)]
    return record.name, record.msg, type(error), *raised_at[-1:]
