"""Faults of the environment: full disks, locked or lost databases. They pass, or an administrator
fixes them.

The one place that knows the codes of SQLite (https://www.sqlite.org/rescode.html), of PostgreSQL
(https://www.postgresql.org/docs/current/errcodes-appendix.html) and of the operating system for
them. A fault is not a bug: a request is refused with a sentence, and a worker tries again later.
"""

import asyncio
import errno
import logging
import sqlite3
import sys
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

from sqlalchemy.exc import TimeoutError as NoConnectionLeft

from app.errors import OutOfSpace, Unavailable
from app.language import _

# How long a write transaction waits for another one, in this process or in another.
BUSY_SECONDS = 10.0
SHORTEST_PAUSE, LONGEST_PAUSE = 0.5, 15.0

_FULL = {errno.ENOSPC, errno.EDQUOT}
_READ_ONLY = {errno.EROFS}
_BROKEN = {errno.EIO}
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}

T = TypeVar("T")

_log = logging.getLogger(__name__)


def is_lost(error: BaseException) -> bool:
    """Whether the connection to the database broke, or could not be made."""
    return any(_is_of("psycopg", each, "OperationalError") for each in _with_causes(error))


def fault_of(error: BaseException) -> Unavailable | None:
    """The failure to raise if `error`, or an error that caused it, is a fault; else None."""
    return next((fault for each in _with_causes(error) if (fault := _fault(each))), None)


def reason_of(error: BaseException) -> str:
    """A fault in the words of the database or the operating system, as one line for the log; "" for
    other errors. Contains no statement and no values.
    """
    for each in _with_causes(error):
        if _fault(each):
            first, *_details = [*str(each).splitlines(), type(each).__name__]
            return first
    return ""


async def persist(attempt: Callable[[], Awaitable[T]]) -> T:
    """Returns what `attempt` returns. While it fails because of a fault, tries again after growing
    pauses; any other error is raised. For recording what has already happened; requests are refused
    instead.
    """
    for pause in pauses():
        try:
            return await attempt()
        except Exception as error:
            if not (fault := fault_of(error)):
                raise
            _log.warning("Something cannot be recorded yet: %s", fault)
        await asyncio.sleep(pause)
    raise AssertionError("There is always another pause.")


def pauses(shortest: float = SHORTEST_PAUSE, longest: float = LONGEST_PAUSE) -> Iterator[float]:
    """Seconds between attempts, growing, without end."""
    pause = shortest
    while True:
        yield pause
        pause = min(2 * pause, longest)


def is_busy(error: sqlite3.Error) -> bool:
    """Whether SQLite has given up waiting for another connection."""
    return primary_code(error) in _BUSY


def busy() -> Unavailable:
    return Unavailable(
        _("The database is busy. Nothing was changed. Please try again in a moment."),
        retry_after=int(BUSY_SECONDS),
    )


def uncertain() -> Unavailable:
    """For a commit that may or may not have succeeded, because the connection was lost meanwhile."""
    return Unavailable(
        _(
            "The connection to the database was lost while this was being saved. Please check whether "
            "it was saved before you try again."
        ),
        retry_after=5,
    )


def _with_causes(error: BaseException | None) -> Iterator[BaseException]:
    while error:
        yield error
        for one in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
            yield from _with_causes(one)
        error = error.__cause__


def _fault(error: BaseException) -> Unavailable | None:
    if isinstance(error, Unavailable):
        return error
    if isinstance(error, NoConnectionLeft):
        return busy()
    if isinstance(error, sqlite3.Error):
        return _sqlite_fault(error)
    if _is_of("psycopg", error, "Error"):
        return _postgresql_fault(error)
    if _is_of("redis", error, "ConnectionError", "TimeoutError"):
        return _lost()
    return _system_fault(error.errno) if isinstance(error, OSError) else None


def _sqlite_fault(error: sqlite3.Error) -> Unavailable | None:
    if is_busy(error):
        return busy()
    code = getattr(error, "sqlite_errorcode", 0)
    if code == sqlite3.SQLITE_IOERR_SHMSIZE:  # no room for the index of the write-ahead log
        return _full()
    match primary_code(error):
        case sqlite3.SQLITE_FULL:
            return _full()
        case sqlite3.SQLITE_READONLY:
            return _read_only()
        case sqlite3.SQLITE_IOERR | sqlite3.SQLITE_CANTOPEN:
            return _broken()
    return None


def primary_code(error: sqlite3.Error) -> int:
    """The code without the details of an extended code; 0 for an error of the driver's own."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _is_of(driver: str, error: BaseException, *classes: str) -> bool:
    """Whether it is an error of one of these classes of a driver. Does not import the driver."""
    module = sys.modules.get(driver)
    return module is not None and isinstance(error, tuple(getattr(module, one) for one in classes))


def _postgresql_fault(error: BaseException) -> Unavailable | None:
    match getattr(error, "sqlstate", None) or "":
        case "53300" | "55P03" | "57014" | "40001" | "40P01" | "53200":
            return busy()  # no connection, lock or memory left, in time; two waited for each other
        case "53100":
            return _full()
        case "25006":
            return _read_only()
        case "58030":
            return _broken()
        case "57P01" | "57P02" | "57P03" | "57P05" | "25P03":
            return _lost()
        case "":  # there was no server to give a code
            return _lost() if _is_of("psycopg", error, "OperationalError") else None
        case other if other.startswith("08"):
            return _lost()
    return None


def _system_fault(number: int | None) -> Unavailable | None:
    if number in _FULL:
        return _full()
    if number in _READ_ONLY:
        return _read_only()
    return _broken() if number in _BROKEN else None


def _full() -> Unavailable:
    return OutOfSpace(
        _(
            "The server's disk is full. You can read everything, but nothing can be saved until "
            "its administrator has freed some space. Please try again later."
        ),
        retry_after=60,
    )


def _read_only() -> Unavailable:
    return Unavailable(
        _(
            "The server's disk cannot be written to. You can read everything, but nothing can be "
            "saved until its administrator has mended this. Please try again later."
        ),
        retry_after=60,
    )


def _broken() -> Unavailable:
    return Unavailable(
        _(
            "The server cannot reach its database or its disk. Nothing was changed. Please try "
            "again later; if it lasts, tell the administrator."
        ),
        retry_after=30,
    )


def _lost() -> Unavailable:
    """The server restarts, or its host is gone."""
    return Unavailable(
        _("The database cannot be reached right now. Please try again in a moment."),
        retry_after=5,
    )
