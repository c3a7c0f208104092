"""A relay through a server that may be unreachable: it reconnects by itself, and pokes wait until
then.

The database is watched as well, once a second, so that a lost poke costs about a second. After each
reconnection every listener is called, since pokes may have been missed.
"""

import asyncio
import logging
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from random import uniform
from secrets import token_hex

from app.broker.relay import CHANGES, ProcessRelay
from app.faults import pauses
from app.process.cancellation import end

SHORTEST_PAUSE, LONGEST_PAUSE = 0.1, 2.0
# Pokes kept while the server is unreachable. More are dropped, since every listener is called
# anyway once it is back.
MOST_UNSENT = 10_000
# A connection that does not respond for this long counts as lost.
SILENT_SECONDS = 5.0
CLOSING_SECONDS = 1.0
# For a connection to close.
AGAIN_SECONDS = 0.5

Loop = Callable[[], Awaitable[None]]

_log = logging.getLogger(__name__)


class ServerRelay(ProcessRelay):
    """Sends pokes as messages of at most `most_bytes`: the sender's name, then one topic per line."""

    most_bytes: int

    def __init__(self) -> None:
        super().__init__()
        self._name = token_hex(8)
        self._unsent: set[str] = set()
        self._has_unsent = asyncio.Event()
        self._all_sent = asyncio.Event()
        self._all_sent.set()
        self._heard = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def is_connected(self) -> bool:
        """Whether pokes of others can be heard."""
        return self._heard.is_set()

    @abstractmethod
    def _loops(self) -> list[tuple[str, Loop]]:
        """(server, loop) pairs. Each loop runs until it fails, and is then started again."""

    async def connect(self) -> None:
        """Waits until pokes can be heard, but not for long: the server may be restarting."""
        if self._tasks:
            return
        await super().connect()
        self._tasks = [asyncio.create_task(self._keep(*each)) for each in self._loops()]
        with suppress(TimeoutError):
            async with asyncio.timeout(SILENT_SECONDS):
                await self._heard.wait()

    async def disconnect(self) -> None:
        await super().disconnect()
        if self.is_connected:
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSING_SECONDS):
                    await self._all_sent.wait()
        tasks, self._tasks = self._tasks, []
        await end(*tasks, again_after=AGAIN_SECONDS)
        self._heard.clear()
        self._unsent.clear()
        self._all_sent.set()

    async def _keep(self, server: str, run: Loop) -> None:
        until_retry, loop = pauses(SHORTEST_PAUSE, LONGEST_PAUSE), asyncio.get_running_loop()
        while True:
            begun = loop.time()
            try:
                await run()
            except Exception as error:
                _log.warning("The relay has no connection to %s: %s", server, _reason(error))
            if loop.time() - begun > LONGEST_PAUSE:
                until_retry = pauses(SHORTEST_PAUSE, LONGEST_PAUSE)
            # At random, so that not all processes reconnect at the same moment.
            await asyncio.sleep(next(until_retry) * uniform(0.5, 1))  # noqa: S311

    def _begin_hearing(self) -> None:
        """Pokes are received from now on. Earlier ones may have been missed, so call every
        listener.
        """
        self._heard.set()
        self._call_listeners(set(self._listeners))

    def _stop_hearing(self) -> None:
        self._heard.clear()

    def _deliver(self, topics: set[str]) -> None:
        super()._deliver(topics)
        if len(self._unsent) < MOST_UNSENT:
            self._unsent |= topics
        self._all_sent.clear()
        self._has_unsent.set()

    def _receive(self, message: str) -> None:
        sender, *topics = message.split("\n")
        if sender != self._name:
            self._call_listeners(set(topics))

    async def _send_waiting(self, send: Callable[[list[str]], Awaitable[object]]) -> None:
        """Passes the waiting pokes to `send`. If that fails, they keep waiting."""
        self._has_unsent.clear()
        topics, self._unsent = self._unsent, set()
        try:
            if topics:
                await send(list(self._messages(topics)))
        except BaseException:
            self._unsent |= topics
            self._has_unsent.set()
            raise
        if not self._unsent:
            self._all_sent.set()

    def _messages(self, topics: set[str]) -> Iterator[str]:
        message = self._name
        for topic in topics:
            if len(message.encode()) + len(topic.encode()) + 1 > self.most_bytes:
                yield message
                message = self._name
            message += f"\n{topic}"
        yield message

    def _database_has_changed(self) -> None:
        self._call_listeners({CHANGES})


def _reason(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
