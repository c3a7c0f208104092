"""Locks that keep a database from being replaced while it is in use: every process that uses it
shares the lock; the one that restores or moves it takes it alone.

On SQLite each process shares a lock on a file beside the database, on PostgreSQL each connection
shares an advisory lock. Both end with the process, however it ends.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from app.errors import Conflict, Unavailable
from app.language import _

# Of each schema, because several installations may share a database.
ADVISORY = "6205981, hashtext(current_schema())"
SHARE = f"SELECT pg_try_advisory_lock_shared({ADVISORY})"
TAKE_ALONE = f"SELECT pg_try_advisory_lock({ADVISORY})"
RELEASE_ALONE = f"SELECT pg_advisory_unlock({ADVISORY})"


def share_file(database: Path) -> int:
    """Returns a descriptor, to be closed when the database is no longer used. Raises Unavailable."""
    return _locked(database, fcntl.LOCK_SH, replaced)


@contextmanager
def file_alone(database: Path) -> Iterator[None]:
    """Raises Conflict if a process uses the database."""
    descriptor = _locked(database, fcntl.LOCK_EX, in_use)
    try:
        yield
    finally:
        os.close(descriptor)


def _locked(database: Path, operation: int, refusal: Callable[[], Exception]) -> int:
    descriptor = _open(database)
    try:
        fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise refusal() from None
    return descriptor


def _open(database: Path) -> int:
    """The file is never removed: otherwise two processes could hold locks on different files. An
    existing one can be locked even on a full disk.
    """
    path = database.with_name(f"{database.name}-hold")
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)


def replaced() -> Unavailable:
    return Unavailable(
        _("The database is being restored or moved. Please try again when that is done."),
        retry_after=60,
    )


def in_use() -> Conflict:
    return Conflict(
        _(
            "ClippyFront is running on this database. Stop all its processes, on every host, and "
            "try again."
        )
    )
