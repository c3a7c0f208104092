"""From a fresh clone to a running program, with nothing but Python's standard library.

Makes the environment in `.venv` and installs what `pyproject.toml` asks for; once, and again
only when that file changes. Then hands over to the Python in there.
"""

import hashlib
import os
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]

ROOT = Path(__file__).resolve().parent.parent.parent
HOME = ROOT / ".venv"
PYTHON = HOME / ("Scripts" if os.name == "nt" else "bin") / "python"


def enter(extras: str = "") -> None:
    """Make sure of the environment with these extras, and go on in it."""
    if sys.version_info < (3, 11):  # noqa: UP036 - an older Python is told, not shown a traceback
        sys.exit("ClippyFront needs Python 3.11 or newer.")
    if not _is_installed(extras):
        with _alone():
            if not _is_installed(extras):  # nobody has done it meanwhile
                _install(extras)
    if Path(sys.prefix).resolve() != HOME.resolve():
        os.chdir(ROOT)
        os.execv(PYTHON, [str(PYTHON), "-m", "app", *sys.argv[1:]])  # noqa: S606


def _is_installed(extras: str) -> bool:
    """With extras is more than without: what the tests start must not install again."""
    stamps = [_stamp(extras)] if extras else sorted(HOME.glob("installed*"))
    return any(stamp.exists() and stamp.read_text() == _wanted() for stamp in stamps)


def _stamp(extras: str) -> Path:
    return HOME / f"installed{'-' + extras if extras else ''}"


def _wanted() -> str:
    return hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()


@contextmanager
def _alone() -> Iterator[None]:
    """Web and worker may start at the same moment: one installs, the other waits."""
    HOME.mkdir(exist_ok=True)
    with (HOME / ".installing").open("w") as file:
        if fcntl:
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _install(extras: str) -> None:
    if not PYTHON.exists():
        print("Making the environment …", flush=True)
        venv.create(HOME, with_pip=True)
    print("Installing what ClippyFront needs; this happens once …", flush=True)
    target = f".[{extras}]" if extras else "."
    pip = [
        str(PYTHON),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--editable",
        target,
    ]
    if subprocess.run(pip, cwd=ROOT, check=False).returncode:  # noqa: S603
        sys.exit("Not everything could be installed; what pip says above tells why.")
    _stamp(extras).write_text(_wanted())
