"""The files of an earlier version, which had no MEDIA_DIR."""

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest

from app.projects.media_adoption import adopt_media
from app.settings import SettingError, Settings


@pytest.fixture
def earlier(settings: Settings) -> Settings:
    """Has a clip, a video and its picture where earlier versions kept them."""
    for name in ("clips/0123", "compilations/5.mp4", "compilations/5.jpg"):
        path = settings.data_dir / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
    return settings


def files_in(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_text() for path in files}


EXPECTED = {name: name for name in ("clips/0123", "compilations/5.mp4", "compilations/5.jpg")}


def test_the_files_of_an_earlier_version_are_moved_to_the_media_folder(earlier: Settings) -> None:
    adopt_media(earlier)

    assert files_in(earlier.media_dir) == EXPECTED
    assert not (earlier.data_dir / "clips").exists()
    assert not (earlier.data_dir / "compilations").exists()


def test_an_interrupted_move_goes_on_with_the_rest(earlier: Settings) -> None:
    earlier.compilations_dir.mkdir()
    os.rename(earlier.data_dir / "compilations/5.jpg", earlier.compilations_dir / "5.jpg")

    adopt_media(earlier)
    adopt_media(earlier)

    assert files_in(earlier.media_dir) == EXPECTED


def test_a_folder_anywhere_on_the_same_disk_takes_them(earlier: Settings, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()

    adopt_media(replace(earlier, media_dir=shared))

    assert files_in(shared) == EXPECTED


def test_files_left_by_killed_workers_are_removed(earlier: Settings) -> None:
    (earlier.data_dir / "compilations" / "5.mp4.segments").mkdir()
    (earlier.data_dir / "compilations" / "5.mp4.segments" / "0.mp4").touch()

    adopt_media(earlier)

    assert files_in(earlier.media_dir) == EXPECTED


def test_files_on_another_disk_stay_and_are_named(
    earlier: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rename(path: Path, target: Path) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(Path, "rename", rename)

    with pytest.raises(SettingError, match=r"MEDIA_DIR .* is on another disk than .*clips"):
        adopt_media(earlier)
    assert (earlier.data_dir / "clips" / "0123").exists()


def test_the_media_folder_may_be_the_data_folder(earlier: Settings) -> None:
    adopt_media(replace(earlier, media_dir=earlier.data_dir))

    assert (earlier.data_dir / "clips" / "0123").exists()
