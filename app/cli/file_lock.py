"""A lock between processes. Uses only the standard library, because the installer needs it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Only one process at a time is inside the block; the others wait.

    The file is kept: if it were removed, two processes could hold locks on different files.
    """
    with path.open("w") as file:
        if fcntl:
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
