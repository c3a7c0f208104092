"""Pokes between the processes of one machine: "something changed, look for yourself".

A poke is a topic without data. It may come twice or, rarely, get lost; whoever listens
reads the database, and looks there now and then even when nothing was heard.
"""

import asyncio
import errno
import logging
import os
import socket
import sqlite3
from collections import defaultdict, deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from typing import Protocol

from app.broker.directory import bound_socket, make_private

CHANGES = "changes"
SESSIONS = "sessions"

Listener = Callable[[], None]

_FULL = {errno.EAGAIN, errno.ENOBUFS}

logger = logging.getLogger(__name__)


class Relay(Protocol):
    @property
    def is_connected(self) -> bool: ...

    async def connect(self) -> None:
        """Start hearing and being heard; connecting twice does no harm."""

    async def disconnect(self) -> None:
        """Send what is still to be sent, and leave."""

    def poke(self, topic: str) -> None:
        """Tell every listener in every process, this one included. Never blocks, never raises.

        May be called from any thread; while not connected it reaches nobody.
        """

    def listen(self, topic: str, listener: Listener) -> Callable[[], None]:
        """Call `listener` on the event loop after pokes of `topic`; returns "stop listening"."""


class ProcessRelay:
    """A relay that ends at the walls of this process."""

    def __init__(self) -> None:
        self._listeners: defaultdict[str, dict[object, Listener]] = defaultdict(dict)
        self._poked: deque[str] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def is_connected(self) -> bool:
        return self._loop is not None

    async def connect(self) -> None:
        self._loop = asyncio.get_running_loop()

    async def disconnect(self) -> None:
        self._flush()
        self._loop = None

    def poke(self, topic: str) -> None:
        if self._loop:
            self._poked.append(topic)
            with suppress(RuntimeError):  # the loop is closed: nobody is left to listen
                self._loop.call_soon_threadsafe(self._flush)

    def listen(self, topic: str, listener: Listener) -> Callable[[], None]:
        token = object()
        self._listeners[topic][token] = listener

        def stop_listening() -> None:
            self._listeners[topic].pop(token, None)

        return stop_listening

    def _flush(self) -> None:
        """Carry what was poked since the last time; of many equal pokes one is enough."""
        topics = set()
        while self._poked:
            topics.add(self._poked.popleft())
        if topics:
            self._carry(topics)

    def _carry(self, topics: set[str]) -> None:
        self._tell(topics)

    def _tell(self, topics: set[str]) -> None:
        for topic in topics & self._listeners.keys():
            for listener in tuple(self._listeners[topic].values()):
                try:
                    listener()
                except Exception:
                    logger.exception("A listener to %r failed", topic)


class LocalRelay(ProcessRelay):
    """Joins the processes that share `directory`: each has a datagram socket there.

    The net: every `look_seconds` it asks `database`, the application's SQLite file, whether
    anybody changed it, and if so tells this process's listeners to "changes".
    """

    def __init__(
        self, directory: Path, database: Path | None, *, look_seconds: float = 1.0
    ) -> None:
        super().__init__()
        self._directory = directory
        self._address = directory / token_hex(4)
        self._socket: socket.socket | None = None
        self._owed: dict[Path, set[str]] = {}
        self._watch = DatabaseWatch(database) if database else None
        self._look_seconds = look_seconds
        self._next_look: asyncio.TimerHandle | None = None

    async def connect(self) -> None:
        """Raises `SettingError` when the directory is somebody else's."""
        if self._socket:
            return
        make_private(self._directory)
        self._socket = bound_socket(self._address)
        await super().connect()
        asyncio.get_running_loop().add_reader(self._socket, self._receive, self._socket)
        self._look()

    async def disconnect(self) -> None:
        await super().disconnect()
        if self._socket:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None
            self._address.unlink(missing_ok=True)
        if self._next_look:
            self._next_look.cancel()
        if self._watch:
            self._watch.close()

    def _receive(self, own: socket.socket) -> None:
        topics: set[str] = set()
        with suppress(BlockingIOError):
            while True:
                topics.update(own.recv(65536).decode().split("\n"))
        self._tell(topics)

    def _look(self) -> None:
        """Now and then: see what no poke has told, and send on what found a full socket."""
        self._next_look = asyncio.get_running_loop().call_later(self._look_seconds, self._look)
        if self._watch and self._watch.sees_change():
            self._tell({CHANGES})
        for peer in tuple(self._owed):
            self._send(peer, set())

    def _carry(self, topics: set[str]) -> None:
        super()._carry(topics)
        with suppress(FileNotFoundError):  # somebody tidied up: the net is left
            for name in os.listdir(self._directory):
                if name != self._address.name:
                    self._send(self._directory / name, topics)

    def _send(self, peer: Path, topics: set[str]) -> None:
        topics = topics | self._owed.pop(peer, set())
        try:
            if self._socket:
                self._socket.sendto("\n".join(topics).encode(), str(peer))
        except ConnectionRefusedError:  # the process that bound it is dead
            peer.unlink(missing_ok=True)
        except OSError as error:
            if error.errno in _FULL:
                self._owed[peer] = topics


class DatabaseWatch:
    """Notices that a SQLite file was changed, by whomever; asking costs microseconds."""

    def __init__(self, path: Path) -> None:
        self._uri = f"{path.resolve().as_uri()}?mode=ro"
        self._connection: sqlite3.Connection | None = None
        self._version = 0

    def sees_change(self) -> bool:
        """Whether anything changed since the last asking; True the first time, False without a file."""
        try:
            if not self._connection:
                self._connection = sqlite3.connect(self._uri, uri=True, timeout=0)
            [version] = self._connection.execute("PRAGMA data_version").fetchone()
        except sqlite3.Error:  # not there yet, or replaced at this moment: the next look will tell
            self.close()
            return False
        seen, self._version = self._version, version
        return bool(seen != version)

    def close(self) -> None:
        if self._connection:
            self._connection.close()
        self._connection = None
        self._version = 0
