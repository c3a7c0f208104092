"""Finds out which workers crashed: each holds a file lock that the kernel releases when it dies."""

import fcntl
from pathlib import Path
from secrets import token_hex
from types import TracebackType
from typing import IO, Self


class WorkerLock:
    """`with WorkerLock(directory) as lock:` marks this process as the running worker `lock.name`."""

    def __init__(self, directory: Path) -> None:
        self.name = token_hex(8)
        self._directory = directory
        self._file: IO[str] | None = None

    def __enter__(self) -> Self:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = self._lock()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if self._file:
            self._path.unlink(missing_ok=True)
            self._file.close()

    def _lock(self) -> IO[str]:
        """Until the file is locked, another worker may take it for that of a crashed one and remove it."""
        while True:
            file = self._path.open("w")
            fcntl.flock(file, fcntl.LOCK_EX)
            if self._path.exists():
                return file
            file.close()

    @property
    def _path(self) -> Path:
        return self._directory / self.name

    def crashed(self) -> list[str]:
        """Workers whose lock file is no longer locked, i.e. that crashed.

        Each is reported once; a clean shutdown leaves no file. One that is just starting, and has
        claimed nothing yet, may be among them.
        """
        others = [path for path in self._directory.iterdir() if path != self._path]
        return [path.name for path in others if _remove_unlocked(path)]


def _remove_unlocked(path: Path) -> bool:
    try:
        with path.open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
    except OSError:  # locked by a running worker, or just removed by another process
        return False
    return True
