"""Checks that HOST and PORT can be listened on, before anything is prepared."""

import socket
from errno import EACCES, EADDRINUSE

from app.settings import SettingError, Settings


def check_listening(settings: Settings) -> None:
    """Raises SettingError if HOST is not an address of this machine, or PORT is not free."""
    host, port = settings.host, settings.port
    try:
        family, kind, protocol, _name, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen()
    except OSError as error:
        raise SettingError(_sentence(error, host, port)) from None


def _sentence(error: OSError, host: str, port: int) -> str:
    if error.errno == EADDRINUSE:
        return f"PORT {port} is in use on {host}: another program listens there."
    if error.errno == EACCES:
        return f"PORT {port} must not be opened by this user; ports from 1024 on can."
    return f"HOST must be an address of this machine, not {host!r} ({error.strerror})."
