"""Sites that stay for the next test of a module: to start one takes longer than most tests.

One is taken over only as it was started: with the same environment, the same worker, nobody in it.
"""

import sqlite3
from asyncio.subprocess import Process
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from shutil import copy

from app.settings import Settings
from tests.journeys.running import Site, serving


@dataclass
class _Kept:
    site: Site
    worker: Process | None
    ending: AsyncExitStack

    def stands(self) -> bool:
        """The worker never ended, so that nothing of a dead one's is taken up later."""
        site = self.site
        is_running = site.web.is_running and site.worker.is_running
        return is_running and site.worker.process is self.worker and "Traceback" not in site.log


class Standing:
    """Sites by their environment; `close` ends them."""

    def __init__(self, migrated: Path, make_folder: Callable[[], Path]) -> None:
        self._migrated, self._make_folder = migrated, make_folder
        self._kept: dict[frozenset[tuple[str, str]], _Kept] = {}

    async def as_started(self, environ: Mapping[str, str]) -> Site:
        key = frozenset(environ.items())
        kept = self._kept.get(key)
        if kept and kept.stands():
            await _clear(kept.site)
        else:
            if kept:
                await kept.ending.aclose()
            kept = self._kept[key] = await self._start(environ)
        return kept.site

    async def close(self) -> None:
        for kept in self._kept.values():
            await kept.ending.aclose()

    async def _start(self, environ: Mapping[str, str]) -> _Kept:
        folder, ending = self._make_folder(), AsyncExitStack()
        copy(self._migrated, folder)
        site = await ending.enter_async_context(serving(folder, environ))
        return _Kept(site, site.worker.process, ending)


async def _clear(site: Site) -> None:
    """End what the test has started besides, and let its world be forgotten."""
    for other in site.programs[2:]:
        await other.end()
    del site.programs[2:]
    _empty(site.settings.sqlite_path)
    _remove_files(site.settings)


def _empty(path: Path) -> None:
    """All but `change`: positions only ever grow, and processes follow them."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=10)) as db:
        names = db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        db.execute("BEGIN IMMEDIATE")
        for (name,) in names:
            if name not in ("change", "alembic_version") and not name.startswith("sqlite_"):
                db.execute(f"DELETE FROM {name}")
        db.execute("COMMIT")


def _remove_files(settings: Settings) -> None:
    """Ids begin at 1 again, and with them the names of videos."""
    for folder in (settings.clips_dir, settings.compilations_dir):
        for file in folder.glob("*"):
            file.unlink()
