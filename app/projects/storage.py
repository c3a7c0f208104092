"""Where clips and compiled videos lie. Names are ours, never a stranger's."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

from app.settings import Settings


def clip_path(settings: Settings, stored_as: str) -> Path:
    return settings.clips_dir / stored_as


def video_path(settings: Settings, compilation_id: int) -> Path:
    return settings.compilations_dir / f"{compilation_id}.mp4"


def thumbnail_path(settings: Settings, compilation_id: int) -> Path:
    """Beside the video, where joining puts it."""
    return video_path(settings, compilation_id).with_suffix(".jpg")


async def remove(paths: Iterable[Path]) -> None:
    """Remove files that no row speaks of any more; after the commit, so that a rollback keeps them."""
    await asyncio.to_thread(_remove, list(paths))


def _remove(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
