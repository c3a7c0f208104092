import os
import stat
from pathlib import Path

import pytest

from app.broker.runtime_directory import bound_socket, create_private_directory, runtime_directory
from app.settings import SettingError


def test_the_directory_is_inside_the_data_directory(tmp_path: Path) -> None:
    directory = runtime_directory(tmp_path)
    assert directory == runtime_directory(tmp_path)
    assert list(directory.iterdir()) == []
    bound_socket(directory / "alice").close()


def test_a_data_directory_with_a_long_path_gets_a_temporary_one(tmp_path: Path) -> None:
    deep, deeper = tmp_path / ("d" * 100), tmp_path / ("d" * 101)
    directory = runtime_directory(deep)
    assert directory == runtime_directory(deep)
    assert directory != runtime_directory(deeper)
    assert len(os.fsencode(directory)) < 90


def test_other_users_have_no_access(tmp_path: Path) -> None:
    directory = tmp_path / "relay"
    directory.mkdir(mode=0o755)
    create_private_directory(directory)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_a_symbolic_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "relay").symlink_to(tmp_path)
    with pytest.raises(SettingError, match="must be a directory of the user"):
        create_private_directory(tmp_path / "relay")


def test_a_directory_of_another_user_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    me = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: me + 1)
    with pytest.raises(SettingError, match="must be a directory of the user"):
        create_private_directory(tmp_path)
