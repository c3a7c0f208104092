"""The directory where the processes of one installation find each other's sockets.

The address of a Unix socket has room for about 100 bytes (`sun_path`), and not every file system
supports sockets. If other users could write to the directory, they could poke.
"""

import os
import socket
import stat
import tempfile
from hashlib import sha256
from pathlib import Path
from secrets import token_hex

from app.language import _
from app.settings import SettingError


def runtime_directory(data_dir: Path, purpose: str = "relay") -> Path:
    """The same for every process with this `data_dir`, and different for any other. Made private.

    It is inside `data_dir` if possible, because containers and services that share the data may
    each have a temporary directory of their own.
    """
    inside = data_dir / purpose
    if supports_sockets(inside):
        return inside
    digest = sha256(os.fsencode(data_dir.resolve())).hexdigest()[:12]
    directory = Path(tempfile.gettempdir()) / f"clippyfront-{os.getuid()}-{digest}-{purpose}"
    create_private_directory(directory)
    return directory


def supports_sockets(directory: Path) -> bool:
    trial = directory / token_hex(4)
    try:
        create_private_directory(directory)
        bound_socket(trial).close()
        trial.unlink(missing_ok=True)
    except (OSError, SettingError):
        return False
    return True


def create_private_directory(directory: Path) -> None:
    """Create it for this user alone. Raises `SettingError` if it belongs to another user."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = directory.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        sentence = _("{directory} must be a directory of the user who runs ClippyFront.")
        raise SettingError(sentence.format(directory=directory))
    directory.chmod(0o700)


def bound_socket(address: Path) -> socket.socket:
    """A datagram socket that never blocks. Raises `OSError` where it cannot be bound."""
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        bound.setblocking(False)
        bound.bind(str(address))
    except OSError:
        bound.close()
        raise
    return bound
