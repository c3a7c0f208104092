"""Sets up the Python environment on the first start, using only the standard library.

Creates `.venv` and installs the exact versions that a list in `requirements/` names, each file
checked against its hash; once, and again only when that list changes. Then continues with the
Python in `.venv`.
"""

import hashlib
import os
import re
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

from app.cli.file_lock import locked

ROOT = Path(__file__).resolve().parent.parent.parent
HOME = ROOT / ".venv"
PYTHON = HOME / ("Scripts" if os.name == "nt" else "bin") / "python"
# Made by `.ci/lock`. BUILD_TOOLS build the few requirements that are published as source only.
LISTS = ROOT / "requirements"
APP, SERVERS, TEST, BUILD_TOOLS = "app", "servers", "test", "build"
_SETTING = re.compile(r"""^\s*(?:export\s+)?(\w+)\s*=\s*['"]?([^\s'"]*)""", re.M)


def list_for(command: str, arguments: Sequence[str]) -> str:
    """The list that a command needs: SERVERS has the drivers for PostgreSQL and Redis too."""
    if command == "test":
        return TEST
    file = ROOT / ".env"
    given = dict(_SETTING.findall(file.read_text())) if file.exists() else {}
    given |= {name: value for name, value in os.environ.items() if value}
    databases = [given.get("DATABASE_URL", ""), *arguments]
    is_on_server = any(one.strip().startswith("postgresql") for one in databases)
    return SERVERS if is_on_server or given.get("REDIS_URL", "").strip() else APP


def enter(chosen: str = APP) -> None:
    """Installs the list with this name if necessary, and continues in `.venv`."""
    if sys.version_info < (3, 11):  # noqa: UP036 - a sentence instead of a traceback
        sys.exit("ClippyFront needs Python 3.11 or newer.")
    if not _is_installed(chosen):
        HOME.mkdir(exist_ok=True)
        # Web and worker may start at the same moment: one installs, the other waits.
        with locked(HOME / ".installing"):
            if not _is_installed(chosen):  # another process may have installed it meanwhile
                _install(chosen)
    if Path(sys.prefix).resolve() != HOME.resolve():
        os.chdir(ROOT)
        os.execv(PYTHON, [str(PYTHON), "-m", "app", *sys.argv[1:]])  # noqa: S606


def _is_installed(chosen: str) -> bool:
    """Whether this list, or a larger one that includes it, is installed. Every list includes the
    requirements of the app, on which processes started by tests rely; all but APP include the
    drivers of servers.
    """
    names = [chosen]
    if chosen in (APP, SERVERS):
        names += [path.stem for path in LISTS.glob("*.txt") if path.stem != APP]
    return any(_stamp(name).exists() and _is_current(name) for name in names)


def _is_current(name: str) -> bool:
    return _stamp(name).read_text() == _fingerprint(name)


def _stamp(name: str) -> Path:
    return HOME / f"installed-{name}-list"


def _fingerprint(name: str) -> str:
    return hashlib.sha256((LISTS / f"{name}.txt").read_bytes()).hexdigest()


def _install(chosen: str) -> None:
    if not PYTHON.exists():
        print("Creating the Python environment …", flush=True)
        venv.create(HOME, with_pip=True)
    print("Installing the requirements; this happens only once …", flush=True)
    _pip_install(BUILD_TOOLS)
    # Isolated builds would fetch build tools that no list names.
    _pip_install(chosen, "--no-build-isolation")
    _stamp(chosen).write_text(_fingerprint(chosen))


def _pip_install(name: str, *options: str) -> None:
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    exact = [*options, "--require-hashes", "--requirement", str(LISTS / f"{name}.txt")]
    if subprocess.run([*pip, *exact], cwd=ROOT, check=False).returncode:  # noqa: S603
        sys.exit("The installation failed. The messages of pip above say why.")
