"""Answering many with one question: those who ask meanwhile are answered together, next."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Together(Generic[Key, Value]):
    """`answer` is asked by one at a time, for at most `most` keys; who asks alone waits for nobody."""

    def __init__(
        self, answer: Callable[[Sequence[Key]], Awaitable[Mapping[Key, Value]]], most: int
    ) -> None:
        self._answer = answer
        self._most = most
        self._asking: deque[tuple[Key, asyncio.Future[Value | None]]] = deque()
        self._answering: asyncio.Task[None] | None = None

    async def ask(self, key: Key) -> Value | None:
        """The answer as it is found after this call; None where there is none for this key."""
        answered = asyncio.get_running_loop().create_future()
        self._asking.append((key, answered))
        if self._answering is None:
            self._answering = asyncio.create_task(self._answer_all())
        return await answered  # type: ignore[no-any-return]

    async def _answer_all(self) -> None:
        try:
            while self._asking:
                count = min(self._most, len(self._asking))
                await self._answer_some([self._asking.popleft() for _ in range(count)])
                await asyncio.sleep(0)
        finally:
            self._answering = None

    async def _answer_some(
        self, asking: Sequence[tuple[Key, "asyncio.Future[Value | None]"]]
    ) -> None:
        try:
            answers = await self._answer(list({key for key, _ in asking}))
        except Exception as error:
            for _key, answered in asking:
                if not answered.done():  # whoever asked may be gone
                    answered.set_exception(error)
            return
        for key, answered in asking:
            if not answered.done():
                answered.set_result(answers.get(key))
