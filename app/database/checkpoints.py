"""Moves what was committed from SQLite's log (the WAL) into its file, soon after a commit.

SQLite would do it within the commit that makes the log long. That commit then waits for the disk,
and with it everybody who is to hear of the act; of one that tells thousands it is the longer part.
"""

import asyncio
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

# So long after a commit its pages are moved, which also puts them on disk, safe from a power cut.
PAUSE_SECONDS = 1.0
# Of a log that grows faster than that, SQLite moves all beyond so many pages itself, within a commit;
# and as soon as the log begins anew, its file gets as short as that again.
LONGEST_LOG = 16_000
PRAGMAS = (
    f"PRAGMA wal_autocheckpoint={LONGEST_LOG}",
    f"PRAGMA journal_size_limit={LONGEST_LOG * 4096}",
)


class Checkpoints:
    """Of the database whose commits it is told of. Used on the event loop's thread."""

    def __init__(self) -> None:
        self._path: Path | None = None
        self._waiting: asyncio.TimerHandle | None = None
        self._moving: asyncio.Future[None] | None = None

    def watch(self, path: Path) -> None:
        self._path = path

    def committed(self) -> None:
        if self._path and self._waiting is None:
            loop = asyncio.get_running_loop()
            self._waiting = loop.call_later(PAUSE_SECONDS, self._move, self._path)

    def _move(self, path: Path) -> None:
        """In a thread, because the disk takes its time. While it still does, the next run waits."""
        self._waiting = None
        if self._moving is None or self._moving.done():
            self._moving = asyncio.get_running_loop().run_in_executor(None, checkpoint, path)
        else:
            self.committed()

    async def close(self) -> None:
        if self._waiting:
            self._waiting.cancel()
            self._waiting = None
        if self._moving:
            await self._moving


def checkpoint(path: Path) -> None:
    """Waits for nobody, and holds up neither readers nor writers. What cannot be moved now stays in
    the log, where everybody finds it.
    """
    with suppress(sqlite3.Error), closing(_opened(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True, timeout=0)
