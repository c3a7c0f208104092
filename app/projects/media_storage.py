"""Where the files of clips and videos are stored. File names are generated, never user input."""

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from app import clock
from app.settings import Settings

UPLOADING = ".upload"
ABANDONED_AFTER = timedelta(days=1)


def clip_path(settings: Settings, stored_as: str) -> Path:
    return settings.clips_dir / stored_as


def video_path(settings: Settings, compilation_id: int) -> Path:
    return settings.compilations_dir / f"{compilation_id}.mp4"


def thumbnail_path(settings: Settings, compilation_id: int) -> Path:
    """Beside the video, where `concatenate` puts it."""
    return video_path(settings, compilation_id).with_suffix(".jpg")


async def remove(paths: Iterable[Path]) -> None:
    """Removes files whose rows were deleted. Call it after the commit: a rollback keeps them."""
    await asyncio.to_thread(_remove, list(paths))


def _remove(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


async def sweep_uploads(settings: Settings) -> None:
    """Removes partial uploads of crashed processes: those not written to for a day."""
    await asyncio.to_thread(_sweep, settings.clips_dir, clock.now() - ABANDONED_AFTER)


def _sweep(folder: Path, before: datetime) -> None:
    for path in folder.glob(f"*{UPLOADING}"):
        if path.stat().st_mtime < before.timestamp():
            path.unlink(missing_ok=True)
