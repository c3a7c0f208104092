"""Runs ffmpeg for users in fair turns, and as many at a time as the machine has room for.

The user whose last turn was longest ago is next, however much others have queued. Each process
keeps this order in memory. The processes of a machine share its slots through locked files: a
process that frees a slot lets a waiting process take it first.
"""

import asyncio
import fcntl
import os
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, nullcontext
from contextvars import ContextVar
from functools import partial
from itertools import count
from pathlib import Path

from app.database import Database

SMALL_MACHINE = 4 * 1024**3
POLL_SECONDS = 0.05
CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")

_turn: ContextVar[Callable[[], AbstractAsyncContextManager[None]]] = ContextVar(
    "turn", default=nullcontext
)


def turn() -> AbstractAsyncContextManager[None]:
    """Waits for a slot on entry, on behalf of the user that `Turns.of` names, if any."""
    return _turn.get()()


def turns_of(db: Database) -> "Turns":
    turns: Turns = db.info["turns"]
    return turns


def number_of_slots() -> int:
    """One below 4 GiB of memory, else one for each core and at least two."""
    return 1 if _memory() < SMALL_MACHINE else max(2, os.cpu_count() or 1)


def _memory() -> int:
    """In bytes, of the machine or of the container that this process is in."""
    physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        limit = CGROUP_LIMIT.read_text().strip()
    except OSError:
        return physical
    return min(physical, int(limit)) if limit.isdigit() else physical


class Turns:
    """`slots` for ffmpeg on this machine, shared by the processes that use the same `folder`."""

    def __init__(self, folder: Path, slots: int) -> None:
        self._folder, self._slots, self._free = folder, slots, slots
        self._waiting: dict[int, deque[asyncio.Future[None]]] = {}
        # The number of each user's last turn; kept while there is a queue.
        self._last_turns: dict[int, int] = {}
        self._numbers = count()

    @contextmanager
    def of(self, user_id: int) -> Iterator[None]:
        """Every ffmpeg that is run in this block is a turn of that user."""
        token = _turn.set(partial(self.take, user_id))
        try:
            yield
        finally:
            _turn.reset(token)

    @asynccontextmanager
    async def take(self, user_id: int) -> AsyncIterator[None]:
        await self._wait(user_id)
        try:
            async with self._slot_on_machine():
                yield
        finally:
            self._free += 1
            self._serve()

    async def _wait(self, user_id: int) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(user_id, deque()).append(waiter)
        self._serve()
        try:
            await waiter
        except asyncio.CancelledError:
            if not waiter.cancelled():  # got its turn at the same moment
                self._free += 1
                self._serve()
            raise

    def _serve(self) -> None:
        while self._free and self._waiting:
            user_id = min(self._waiting, key=lambda one: self._last_turns.get(one, -1))
            waiter = self._waiting[user_id].popleft()
            if not self._waiting[user_id]:
                del self._waiting[user_id]
            if not waiter.done():
                self._free -= 1
                self._last_turns[user_id] = next(self._numbers)
                waiter.set_result(None)
        if self._free == self._slots:
            self._last_turns.clear()

    @asynccontextmanager
    async def _slot_on_machine(self) -> AsyncIterator[None]:
        await asyncio.to_thread(self._folder.mkdir, parents=True, exist_ok=True)
        next_in_line = await _lock_one([self._folder / "next"])
        try:
            slot = await _lock_one([self._folder / str(n) for n in range(self._slots)])
        finally:
            os.close(next_in_line)
        try:
            yield
        finally:
            os.close(slot)


async def _lock_one(paths: Sequence[Path]) -> int:
    """Waits until one of the files can be locked. Returns its descriptor; closing it unlocks it."""
    while True:
        for path in paths:
            if (descriptor := _locked(path)) is not None:
                return descriptor
        await asyncio.sleep(POLL_SECONDS)


def _locked(path: Path) -> int | None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor
