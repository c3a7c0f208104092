"""Who is still there: every worker holds a lock that the kernel takes from it when it dies."""

import fcntl
from pathlib import Path
from secrets import token_hex
from types import TracebackType
from typing import IO, Self


class Presence:
    """`with Presence(directory) as presence:` for as long as this process is there as `name`."""

    def __init__(self, directory: Path) -> None:
        self.name = token_hex(8)
        self._directory = directory
        self._file: IO[str] | None = None

    def __enter__(self) -> Self:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = self._own.open("w")
        fcntl.flock(self._file, fcntl.LOCK_EX)
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if self._file:
            self._own.unlink(missing_ok=True)
            self._file.close()

    @property
    def _own(self) -> Path:
        return self._directory / self.name

    def departed(self) -> list[str]:
        """Those who died without leaving, each told of once; who left properly is not known."""
        others = [path for path in self._directory.iterdir() if path != self._own]
        return [path.name for path in others if _is_left(path)]


def _is_left(path: Path) -> bool:
    try:
        with path.open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
    except OSError:  # held by a living process, or just removed by another
        return False
    return True
