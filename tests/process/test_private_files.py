"""Stored files are private to the user who runs ClippyFront, whatever the umask."""

import logging
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from app.process.private_files import make_private
from app.settings import ROOT


def modes_in(folder: Path) -> set[str]:
    """Of the folder and everything in it, but for sockets, on which modes say nothing."""
    paths = [folder, *folder.rglob("*")]
    return {stat.filemode(path.lstat().st_mode) for path in paths if not path.is_socket()}


def run_command(folder: Path, *words: str, umask: int = 0) -> subprocess.CompletedProcess[str]:
    environ = {"DATA_DIR": str(folder), "PATH": os.environ["PATH"]}
    command = [sys.executable, "-m", "app", *words]
    return subprocess.run(
        command, cwd=ROOT, env=environ, umask=umask, capture_output=True, text=True, check=True
    )


@pytest.mark.parametrize("umask", [0, 0o022, 0o077])
def test_a_new_installation_is_private_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    run_command(tmp_path / "data", "migrate", umask=umask)

    assert modes_in(tmp_path / "data") == {"drwx------", "-rw-------"}
    assert (tmp_path / "data" / "clippyfront.db").exists()
    assert len(list((tmp_path / "data" / "media" / "clips").iterdir())) > 0  # drawn by ffmpeg


def test_an_installation_of_an_earlier_version_is_mended_at_the_start(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    run_command(folder, "migrate")
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)

    first, second = run_command(folder, "migrate"), run_command(folder, "migrate")

    assert modes_in(folder) == {"drwx------", "-rw-------"}
    assert f"files and folders in {folder} private to their owner" in first.stderr
    assert second.stderr == ""


def test_targets_of_symbolic_links_are_left_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    folder, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    folder.mkdir(0o700)
    elsewhere.mkdir()
    elsewhere.chmod(0o755)
    (elsewhere / "file").write_text("")
    (elsewhere / "file").chmod(0o644)
    (folder / "link").symlink_to(elsewhere)

    make_private(folder)

    assert stat.filemode((elsewhere / "file").stat().st_mode) == "-rw-r--r--"
    assert stat.filemode(elsewhere.stat().st_mode) == "drwxr-xr-x"
    assert caplog.records == []
