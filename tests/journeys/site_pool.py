"""Sites that are reused by the tests of a module, because starting one takes longer than most tests.

A site is reused only with the same environment and the worker it was started with, and emptied.
"""

import sqlite3
from asyncio.subprocess import Process
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from shutil import copy

from app.notifications.search.sqlite import VOCABULARY
from app.settings import Settings
from tests.journeys.running import Site, serving


@dataclass
class _Pooled:
    site: Site
    worker: Process | None
    exit_stack: AsyncExitStack

    def is_reusable(self) -> bool:
        """A restarted worker would later take over the work of the dead one."""
        site = self.site
        is_running = site.web.is_running and site.worker.is_running
        return is_running and site.worker.process is self.worker and "Traceback" not in site.log


class SitePool:
    """Sites by their environment; `close` ends them."""

    def __init__(self, migrated: Path, make_folder: Callable[[], Path]) -> None:
        self._migrated, self._make_folder = migrated, make_folder
        self._pooled: dict[frozenset[tuple[str, str]], _Pooled] = {}

    async def as_started(self, environ: Mapping[str, str]) -> Site:
        key = frozenset(environ.items())
        pooled = self._pooled.get(key)
        if pooled and pooled.is_reusable():
            await _clear(pooled.site)
        else:
            if pooled:
                await pooled.exit_stack.aclose()
            pooled = self._pooled[key] = await self._start(environ)
        return pooled.site

    async def close(self) -> None:
        for pooled in self._pooled.values():
            await pooled.exit_stack.aclose()

    async def _start(self, environ: Mapping[str, str]) -> _Pooled:
        folder, exit_stack = self._make_folder(), AsyncExitStack()
        copy(self._migrated, folder)
        site = await exit_stack.enter_async_context(serving(folder, environ))
        return _Pooled(site, site.worker.process, exit_stack)


async def _clear(site: Site) -> None:
    """Ends the other programs that the test started, and empties the database and folders."""
    for other in site.programs[2:]:
        await other.end()
    del site.programs[2:]
    _empty(site.settings.sqlite_path)
    _remove_files(site.settings)


def _empty(path: Path) -> None:
    """Empties every table but `change`: positions must keep growing, because processes follow them.

    The shadow tables in which SQLite keeps a search index are left to it, and so is the view of its words.
    """
    with closing(sqlite3.connect(path, isolation_level=None, timeout=10)) as db:
        names = db.execute("SELECT name FROM pragma_table_list WHERE type <> 'shadow'").fetchall()
        db.execute("BEGIN IMMEDIATE")
        for (name,) in names:
            if name not in ("change", "alembic_version", VOCABULARY) and not name.startswith(
                "sqlite_"
            ):
                db.execute(f"DELETE FROM {name}")
        db.execute("COMMIT")


def _remove_files(settings: Settings) -> None:
    """Ids start at 1 again, and the names of videos with them."""
    for folder in (
        settings.clips_dir,
        settings.compilations_dir,
        settings.thumbnails_dir,
        settings.avatars_dir,
    ):
        for file in folder.glob("*"):
            file.unlink()
