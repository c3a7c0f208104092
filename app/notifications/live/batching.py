"""One query for many concurrent lookups (a dataloader)."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Batcher(Generic[Key, Value]):
    """Batches concurrent lookups: while one `answer(keys)` runs, new keys wait for the next call.

    A call gets at most `most` keys. A single caller is served at once.
    """

    def __init__(
        self, answer: Callable[[Sequence[Key]], Awaitable[Mapping[Key, Value]]], most: int
    ) -> None:
        self._answer = answer
        self._most = most
        self._waiting: deque[tuple[Key, asyncio.Future[Value | None]]] = deque()
        self._answering: asyncio.Task[None] | None = None

    async def load(self, key: Key) -> Value | None:
        """The value as `answer` finds it after this call; None if it has none for this key."""
        answered = asyncio.get_running_loop().create_future()
        self._waiting.append((key, answered))
        if self._answering is None:
            self._answering = asyncio.create_task(self._answer_all())
        return await answered  # type: ignore[no-any-return]

    async def _answer_all(self) -> None:
        try:
            while self._waiting:
                count = min(self._most, len(self._waiting))
                await self._answer_batch([self._waiting.popleft() for _ in range(count)])
                await asyncio.sleep(0)
        finally:
            self._answering = None

    async def _answer_batch(
        self, batch: Sequence[tuple[Key, "asyncio.Future[Value | None]"]]
    ) -> None:
        try:
            values = await self._answer(list({key for key, _ in batch}))
        except Exception as error:
            for _key, answered in batch:
                if not answered.done():  # the caller may have been cancelled
                    answered.set_exception(error)
            return
        for key, answered in batch:
            if not answered.done():
                answered.set_result(values.get(key))
