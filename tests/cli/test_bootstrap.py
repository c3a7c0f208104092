"""What the first start installs, and which process does it."""

import os
import subprocess
import time
import venv
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.cli import bootstrap


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The target of each call of pip, which is replaced."""
    done: list[str] = []

    def install(command: list[str], **_options: object) -> subprocess.CompletedProcess[bytes]:
        time.sleep(0.05)  # long enough for the other threads to arrive
        done.append(command[-1])
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(bootstrap, "HOME", tmp_path / ".venv")
    monkeypatch.setattr(venv, "create", lambda *_, **__: None)
    monkeypatch.setattr(subprocess, "run", install)
    monkeypatch.setattr(os, "execv", lambda *_: None)
    monkeypatch.setattr(os, "chdir", lambda _: None)
    return done


def test_of_web_and_worker_started_at_once_only_one_installs(installed: list[str]) -> None:
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda _: bootstrap.enter(), range(4)))

    assert installed == ["."]


def test_an_installation_with_the_test_extra_serves_every_command(
    installed: list[str],
) -> None:
    for extras in ("", "test", "test", ""):
        bootstrap.enter(extras)

    assert installed == [".", ".[test]"]


def test_changed_requirements_are_installed_again(
    installed: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    for needed in ("one", "one", "another"):
        (tmp_path / "pyproject.toml").write_text(needed)
        bootstrap.enter()

    assert installed == [".", "."]


def test_an_existing_installation_is_not_written_to(installed: list[str]) -> None:
    bootstrap.enter()
    (bootstrap.HOME / ".installing").unlink()

    bootstrap.enter()

    assert not (bootstrap.HOME / ".installing").exists()
    assert installed == ["."]


def test_a_failed_installation_is_tried_again(
    installed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(
            subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 1)
        )
        with pytest.raises(SystemExit, match="installation failed"):
            bootstrap.enter()

    bootstrap.enter()

    assert installed == ["."]
