"""Sets up the Python environment on the first start, using only the standard library.

Creates `.venv` and installs the requirements of `pyproject.toml`, once, and again only when that
file changes. Then continues with the Python in `.venv`.
"""

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

from app.cli.file_lock import locked

ROOT = Path(__file__).resolve().parent.parent.parent
HOME = ROOT / ".venv"
PYTHON = HOME / ("Scripts" if os.name == "nt" else "bin") / "python"


def enter(extras: str = "") -> None:
    """Installs the requirements and these extras if need be, and continues in `.venv`."""
    if sys.version_info < (3, 11):  # noqa: UP036 - a sentence instead of a traceback
        sys.exit("ClippyFront needs Python 3.11 or newer.")
    if not _is_installed(extras):
        HOME.mkdir(exist_ok=True)
        # Web and worker may start at the same moment: one installs, the other waits.
        with locked(HOME / ".installing"):
            if not _is_installed(extras):  # another process may have installed it meanwhile
                _install(extras)
    if Path(sys.prefix).resolve() != HOME.resolve():
        os.chdir(ROOT)
        os.execv(PYTHON, [str(PYTHON), "-m", "app", *sys.argv[1:]])  # noqa: S606


def _is_installed(extras: str) -> bool:
    """An installation with extras also serves without: processes started by tests rely on that."""
    stamps = [_stamp(extras)] if extras else sorted(HOME.glob("installed*"))
    return any(stamp.exists() and stamp.read_text() == _fingerprint() for stamp in stamps)


def _stamp(extras: str) -> Path:
    return HOME / f"installed{'-' + extras if extras else ''}"


def _fingerprint() -> str:
    return hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()


def _install(extras: str) -> None:
    if not PYTHON.exists():
        print("Creating the Python environment …", flush=True)
        venv.create(HOME, with_pip=True)
    print("Installing the requirements; this happens only once …", flush=True)
    options = ["--quiet", "--disable-pip-version-check"]
    target = f".[{extras}]" if extras else "."
    pip = [str(PYTHON), "-m", "pip", "install", *options, "--editable", target]
    if subprocess.run(pip, cwd=ROOT, check=False).returncode:  # noqa: S603
        sys.exit("The installation failed. The messages of pip above say why.")
    _stamp(extras).write_text(_fingerprint())
