"""Where the files of clips and videos are stored. File names are generated, never user input.

Several hosts may share MEDIA_DIR. Each file and folder that is being written has a name that no
other process uses, and gets its final name by being renamed.
"""

import asyncio
import re
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from app import clock
from app.settings import Settings

UPLOADING = ".upload"
ABANDONED_AFTER = timedelta(days=1)
WORK_FOLDER = re.compile(r"(\d+)\.(\d+)\.work")


def clip_path(settings: Settings, stored_as: str) -> Path:
    return settings.clips_dir / stored_as


def clip_thumbnail_path(settings: Settings, stored_as: str) -> Path:
    return settings.thumbnails_dir / f"{stored_as}.jpg"


def clip_files(settings: Settings, stored_as: str) -> list[Path]:
    """Everything that is stored of a clip."""
    return [clip_path(settings, stored_as), clip_thumbnail_path(settings, stored_as)]


def video_path(settings: Settings, compilation_id: int) -> Path:
    return settings.compilations_dir / f"{compilation_id}.mp4"


def thumbnail_path(settings: Settings, compilation_id: int) -> Path:
    """Beside the video, where `concatenate` puts it."""
    return settings.thumbnail_of(compilation_id)


def work_folder(settings: Settings, compilation_id: int, attempt: int) -> Path:
    """For the parts of a video that one attempt makes. Another host may make another attempt."""
    return settings.compilations_dir / f"{compilation_id}.{attempt}.work"


def work_folders(settings: Settings) -> dict[tuple[int, int], Path]:
    """By compilation and attempt."""
    paths = settings.compilations_dir.glob("*.work")
    found = ((WORK_FOLDER.fullmatch(path.name), path) for path in paths)
    return {(int(run[1]), int(run[2])): path for run, path in found if run}


async def remove(paths: Iterable[Path]) -> None:
    """Removes files whose rows were deleted. Call it after the commit: a rollback keeps them."""
    await asyncio.to_thread(_remove, list(paths))


def _remove(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


async def sweep_uploads(settings: Settings) -> None:
    """Removes unfinished uploads and thumbnails that have not been written to for a day."""
    for folder in (settings.clips_dir, settings.thumbnails_dir):
        await asyncio.to_thread(_sweep, folder, clock.now() - ABANDONED_AFTER)


def _sweep(folder: Path, before: datetime) -> None:
    for path in folder.glob(f"*{UPLOADING}"):
        with suppress(FileNotFoundError):  # another host was faster
            if path.stat().st_mtime < before.timestamp():
                path.unlink()
