"""Files that only the user who runs ClippyFront can read: password hashes, keys, clips, mail."""

import logging
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

OTHERS = stat.S_IRWXG | stat.S_IRWXO

_log = logging.getLogger(__name__)


def create_private_files() -> None:
    """From now on, only this user can access the files that this process and its children create."""
    os.umask(OTHERS)


def make_private(folder: Path) -> None:
    """Deny other users access to the folder and its contents, which earlier versions did not."""
    changed = sum(_take_from_others(path) for path in _everything(folder))
    if changed:
        _log.warning("Made %d files and folders in %s private to their owner", changed, folder)


def is_private(folder: Path) -> bool:
    return not any(_mode(path) & OTHERS for path in _everything(folder))


def _everything(folder: Path) -> Iterator[Path]:
    """The folder itself and what is in it, without following symbolic links."""
    yield folder
    for parent, folders, files in os.walk(folder):
        yield from (Path(parent, name) for name in (*folders, *files))


def _take_from_others(path: Path) -> bool:
    """Returns whether other users had access and have lost it."""
    mode = _mode(path)
    if not mode & OTHERS:
        return False
    with suppress(OSError):  # another process removed it, or another user owns it
        path.chmod(mode & ~OTHERS)
        return True
    return False


def _mode(path: Path) -> int:
    """The permission bits; 0 for a symbolic link or a file that is gone."""
    with suppress(OSError):
        mode = path.lstat().st_mode
        return 0 if stat.S_ISLNK(mode) else stat.S_IMODE(mode)
    return 0
