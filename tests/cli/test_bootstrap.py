"""What the first start installs, which process does it, and what the lists of requirements say."""

import os
import re
import subprocess
import time
import tomllib
import venv
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from app.cli import bootstrap


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The list of each call of pip, which is replaced."""
    done: list[str] = []

    def install(command: list[str], **_options: object) -> subprocess.CompletedProcess[bytes]:
        time.sleep(0.05)  # long enough for the other threads to arrive
        done.append(Path(command[-1]).stem)
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

    assert installed == ["build", "app"]


def test_an_installation_with_the_test_extra_serves_every_command(
    installed: list[str],
) -> None:
    for chosen in ("app", "test", "test", "app"):
        bootstrap.enter(chosen)

    assert installed == ["build", "app", "build", "test"]


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A checkout without settings."""
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    for name in ("DATABASE_URL", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_a_start_without_settings_needs_no_driver(root: Path) -> None:
    (root / ".env").write_text("DATABASE_URL=sqlite+aiosqlite:////srv/clips.db\nREDIS_URL=\n")

    assert bootstrap.list_for("run", []) == "app"
    assert bootstrap.list_for("test", []) == "test"


@pytest.mark.parametrize(
    "line",
    [
        "DATABASE_URL=postgresql+psycopg://db/clips",
        "export DATABASE_URL = 'postgresql+psycopg://db/clips'",
        'PORT=8000\nREDIS_URL="redis://cache"',
    ],
)
def test_the_drivers_are_installed_where_the_settings_name_a_server(root: Path, line: str) -> None:
    (root / ".env").write_text(f"{line}\n")

    assert bootstrap.list_for("web", []) == "servers"


def test_the_environment_overrides_the_file(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / ".env").write_text("DATABASE_URL=postgresql+psycopg://db/clips\n")
    monkeypatch.setenv("DATABASE_URL", "sqlite+aiosqlite:////srv/clips.db")

    assert bootstrap.list_for("run", []) == "app"


def test_to_move_to_a_server_needs_its_driver(root: Path) -> None:
    assert bootstrap.list_for("move", ["postgresql+psycopg://db/clips"]) == "servers"


def test_an_installation_that_moves_to_a_server_gets_the_drivers_once(installed: list[str]) -> None:
    for chosen in ("app", "servers", "app", "servers"):
        bootstrap.enter(chosen)

    assert installed == ["build", "app", "build", "servers"]


def test_the_requirements_of_tests_include_the_drivers(installed: list[str]) -> None:
    for chosen in ("test", "servers", "app"):
        bootstrap.enter(chosen)

    assert installed == ["build", "test"]


def test_changed_requirements_are_installed_again(
    installed: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(bootstrap, "LISTS", tmp_path)
    for needed in ("one", "one", "another"):
        (tmp_path / "app.txt").write_text(needed)
        bootstrap.enter()

    assert installed == ["build", "app", "build", "app"]


def test_an_existing_installation_is_not_written_to(installed: list[str]) -> None:
    bootstrap.enter()
    (bootstrap.HOME / ".installing").unlink()

    bootstrap.enter()

    assert not (bootstrap.HOME / ".installing").exists()
    assert installed == ["build", "app"]


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

    assert installed == ["build", "app"]


def test_pip_accepts_nothing_whose_hash_is_not_listed(
    installed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[str]] = []

    def run(command: list[str], **_options: object) -> subprocess.CompletedProcess[bytes]:
        commands.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", run)

    bootstrap.enter()

    assert [command[4:] for command in commands] == [
        [
            "--quiet",
            "--disable-pip-version-check",
            "--require-hashes",
            "--requirement",
            str(bootstrap.LISTS / "build.txt"),
        ],
        [
            "--quiet",
            "--disable-pip-version-check",
            "--no-build-isolation",
            "--require-hashes",
            "--requirement",
            str(bootstrap.LISTS / "app.txt"),
        ],
    ]


@pytest.mark.parametrize(
    ("name", "extras"), [("app", []), ("test", ["test"]), ("mutation", ["test", "mutation"])]
)
def test_a_list_names_an_exact_version_in_the_range_of_every_requirement(
    name: str, extras: list[str]
) -> None:
    project = tomllib.loads((bootstrap.ROOT / "pyproject.toml").read_text())["project"]
    optional = [project["optional-dependencies"][extra] for extra in extras]
    required = map(Requirement, sum(optional, project["dependencies"]))
    exact = _versions(name)

    outside = [one for one in required if not one.specifier.contains(exact.get(one.name, "0"))]

    assert outside == []


@pytest.mark.parametrize("name", ["build", "app", "test", "mutation"])
def test_a_list_has_hashes_for_every_package_and_names_no_server(name: str) -> None:
    text = (bootstrap.LISTS / f"{name}.txt").read_text()
    entries = text.replace("\\\n", " ").splitlines()

    assert entries
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []
    assert "://" not in text


def _versions(name: str) -> dict[str, str]:
    text = (bootstrap.LISTS / f"{name}.txt").read_text()
    return dict(re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE))
