"""Checkpoints: move committed pages from SQLite's log (the WAL) into its file, soon after a commit.

By default SQLite does so within the commit that makes the log too long. That commit then waits for
the disk, and so do the streams that show the act. For an act that notifies thousands, this wait is
longer than the act itself.
"""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from app.process.cancellation import end

# From a commit to the checkpoint, which also puts it on disk, safe from a power cut.
PAUSE_SECONDS = 1.0
# If the log reaches this many pages (32 MB) all the same, the commit that made it so moves them. The
# log's file gets as short as that again when the log begins anew.
LONGEST_LOG = 8_000
PRAGMAS = (
    f"PRAGMA wal_autocheckpoint={LONGEST_LOG}",
    f"PRAGMA journal_size_limit={LONGEST_LOG * 4096}",
)


class Checkpoints:
    """Runs checkpoints after commits. Used on the event loop's thread."""

    def __init__(self) -> None:
        self._path: Path | None = None
        self._is_behind = False
        self._catching_up: asyncio.Task[None] | None = None
        self._running: asyncio.Future[bool] | None = None

    def open(self, path: Path) -> None:
        self._path = path

    def committed(self) -> None:
        self._is_behind = True
        if self._path and (self._catching_up is None or self._catching_up.done()):
            self._catching_up = asyncio.create_task(self._catch_up(self._path))

    async def _catch_up(self, path: Path) -> None:
        """Until everything is moved. Runs in a thread, because the disk may be slow."""
        while self._is_behind:
            await asyncio.sleep(PAUSE_SECONDS)
            self._is_behind = False
            self._running = asyncio.get_running_loop().run_in_executor(None, checkpoint, path)
            if not await asyncio.shield(self._running):
                self._is_behind = True

    async def close(self) -> None:
        if self._catching_up:
            await end(self._catching_up)
        if self._running:
            await self._running


def checkpoint(path: Path) -> bool:
    """Moves committed pages, without blocking readers or writers. Returns whether all were moved:
    pages that a reader still needs, or for which the disk has no room, stay in the log.
    """
    try:
        with closing(_opened(path)) as connection:
            [row] = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
    except sqlite3.Error:
        return not path.exists()
    is_busy, pages, moved = row
    return not is_busy and moved >= pages


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True, timeout=0)
