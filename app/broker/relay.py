"""Pokes between the processes of one machine: "something changed".

A poke is a topic without data, such as `changes` or, with the id of what has changed, `team 5`. It
may arrive twice or, rarely, get lost. Listeners read the database after a poke, and from time to
time without one.
"""

import asyncio
import errno
import logging
import os
import socket
import sqlite3
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from itertools import islice
from pathlib import Path
from secrets import token_hex
from typing import Protocol

from app.broker.runtime_directory import bound_socket, create_private_directory

CHANGES = "changes"
SESSIONS = "sessions"

Listener = Callable[[], None]
IdListener = Callable[[int], None]
# Calls its argument after changes to the database. Ends only with an error.
Watch = Callable[[Callable[[], None]], Awaitable[None]]

# How long a lost poke can go unnoticed.
POLL_SECONDS = 1.0
# A datagram holds this many topics of 30 characters.
TOPICS_PER_DATAGRAM = 2_000
DATAGRAM_BYTES = 65_536
_FULL = {errno.EAGAIN, errno.ENOBUFS}

logger = logging.getLogger(__name__)


class Relay(Protocol):
    @property
    def is_connected(self) -> bool: ...

    async def connect(self) -> None:
        """Start to receive and send pokes. Connecting twice does no harm."""

    async def disconnect(self) -> None:
        """Send the pokes that are still waiting, and close."""

    def poke(self, topic: str) -> None:
        """Call every listener in every process, this one included. Never blocks or raises.

        May be called from any thread. Does nothing while the relay is not connected.
        """

    def listen(self, topic: str, listener: Listener) -> Callable[[], None]:
        """Call `listener` on the event loop after pokes of `topic`; returns a way to stop that."""

    def listen_for_ids(self, kind: str, listener: IdListener) -> Callable[[], None]:
        """Like `listen`, for all topics of a kind: after `team 5`, those of `team` get 5."""


class ProcessRelay:
    """A relay within this process."""

    def __init__(self) -> None:
        self._listeners: defaultdict[str, dict[object, Listener]] = defaultdict(dict)
        self._id_listeners: defaultdict[str, dict[object, IdListener]] = defaultdict(dict)
        self._waiting: deque[str] = deque()
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
            self._waiting.append(topic)
            with suppress(RuntimeError):  # the loop is closed: there are no listeners any more
                self._loop.call_soon_threadsafe(self._flush)

    def listen(self, topic: str, listener: Listener) -> Callable[[], None]:
        token = object()
        self._listeners[topic][token] = listener

        def stop_listening() -> None:
            self._listeners[topic].pop(token, None)

        return stop_listening

    def listen_for_ids(self, kind: str, listener: IdListener) -> Callable[[], None]:
        token = object()
        self._id_listeners[kind][token] = listener

        def stop_listening() -> None:
            self._id_listeners[kind].pop(token, None)

        return stop_listening

    def _flush(self) -> None:
        """Deliver the waiting pokes, one for each topic."""
        topics = set()
        while self._waiting:
            topics.add(self._waiting.popleft())
        if topics:
            self._deliver(topics)

    def _deliver(self, topics: set[str]) -> None:
        self._call_listeners(topics)

    def _call_listeners(self, topics: set[str]) -> None:
        for topic in topics:
            for listener in self._listeners_of(topic):
                try:
                    listener()
                except Exception:
                    logger.exception("A listener of %r failed.", topic)

    def _listeners_of(self, topic: str) -> list[Listener]:
        kind, _, id = topic.partition(" ")
        if id.isdecimal():
            return [partial(one, int(id)) for one in self._id_listeners.get(kind, {}).values()]
        return list(self._listeners.get(topic, {}).values())


class LocalRelay(ProcessRelay):
    """A relay between the processes that share `directory`; each has a datagram socket there.

    The safety net for lost pokes: every `poll_seconds` it checks whether `database`, the
    application's SQLite file, has changed, and if so calls this process's listeners of "changes".
    """

    def __init__(
        self, directory: Path, database: Path | None, *, poll_seconds: float = POLL_SECONDS
    ) -> None:
        super().__init__()
        self._directory = directory
        self._address = directory / token_hex(4)
        self._socket: socket.socket | None = None
        self._unsent: dict[Path, set[str]] = {}
        self._watch = DatabaseWatch(database) if database else None
        self._poll_seconds = poll_seconds
        self._next_poll: asyncio.TimerHandle | None = None

    async def connect(self) -> None:
        """Raises `SettingError` if the directory belongs to another user."""
        if self._socket:
            return
        create_private_directory(self._directory)
        self._socket = bound_socket(self._address)
        await super().connect()
        asyncio.get_running_loop().add_reader(self._socket, self._receive, self._socket)
        self._poll()

    async def disconnect(self) -> None:
        await super().disconnect()
        if self._socket:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None
            self._address.unlink(missing_ok=True)
        if self._next_poll:
            self._next_poll.cancel()
        if self._watch:
            self._watch.close()

    def _receive(self, own: socket.socket) -> None:
        topics: set[str] = set()
        with suppress(BlockingIOError):
            while True:
                topics.update(own.recv(DATAGRAM_BYTES).decode().split("\n"))
        self._call_listeners(topics)

    def _poll(self) -> None:
        """Detect changes whose poke was lost, and resend pokes for which a socket was full."""
        self._next_poll = asyncio.get_running_loop().call_later(self._poll_seconds, self._poll)
        if self._watch and self._watch.sees_change():
            self._call_listeners({CHANGES})
        for peer in tuple(self._unsent):
            self._send(peer, set())

    def _deliver(self, topics: set[str]) -> None:
        super()._deliver(topics)
        with suppress(FileNotFoundError):  # the directory was removed: polling still works
            for name in os.listdir(self._directory):
                if name != self._address.name:
                    self._send(self._directory / name, topics)

    def _send(self, peer: Path, topics: set[str]) -> None:
        unsent = topics | self._unsent.pop(peer, set())
        try:
            while unsent and self._socket:
                some = set(islice(unsent, TOPICS_PER_DATAGRAM))
                self._socket.sendto("\n".join(some).encode(), str(peer))
                unsent = unsent - some
        except ConnectionRefusedError:  # the process that bound it has died
            peer.unlink(missing_ok=True)
        except OSError as error:
            if error.errno in _FULL:
                self._unsent[peer] = unsent


class DatabaseWatch:
    """Notices changes to a SQLite file by any process; a check takes microseconds."""

    def __init__(self, path: Path) -> None:
        self._uri = f"{path.resolve().as_uri()}?mode=ro"
        self._connection: sqlite3.Connection | None = None
        self._version = 0

    def sees_change(self) -> bool:
        """Whether the file changed since the last check: at first True, without a file False."""
        try:
            if not self._connection:
                self._connection = sqlite3.connect(self._uri, uri=True, timeout=0)
            [version] = self._connection.execute("PRAGMA data_version").fetchone()
        except sqlite3.Error:  # not there yet, or just being replaced: check again next time
            self.close()
            return False
        seen, self._version = self._version, version
        return bool(seen != version)

    def close(self) -> None:
        if self._connection:
            self._connection.close()
        self._connection = None
        self._version = 0


async def watch_file(path: Path, on_change: Callable[[], None]) -> None:
    """Calls `on_change` within about a second of a change to the SQLite file; never ends."""
    watch = DatabaseWatch(path)
    try:
        while True:
            if watch.sees_change():
                on_change()
            await asyncio.sleep(POLL_SECONDS)
    finally:
        watch.close()
