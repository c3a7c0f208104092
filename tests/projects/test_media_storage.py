"""Which files the sweep removes."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

from app import clock
from app.installation import Installation
from app.projects.media_storage import sweep_uploads
from app.settings import Settings
from app.worker import purge


def last_written(folder: Path, name: str, age: timedelta) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.touch()
    moment = (clock.now() - age).timestamp()
    os.utime(path, (moment, moment))
    return path


async def test_a_partial_upload_is_removed_after_a_day(settings: Settings) -> None:
    folder, day = settings.clips_dir, timedelta(days=1)
    left = last_written(folder, "left.upload", day + timedelta(minutes=1))
    under_way = last_written(folder, "under-way.upload", day - timedelta(minutes=1))
    clip = last_written(folder, "0123456789abcdef", 30 * day)

    await sweep_uploads(settings)

    assert [path.exists() for path in (left, under_way, clip)] == [False, True, True]


async def test_before_the_first_upload_there_is_nothing_to_sweep(settings: Settings) -> None:
    await sweep_uploads(settings)


async def test_the_worker_sweeps_uploads(installation: Installation, settings: Settings) -> None:
    left = last_written(settings.clips_dir, "left.upload", timedelta(days=2))

    await purge(cast(Any, {"installation": installation}))

    assert not left.exists()
