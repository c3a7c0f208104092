"""Shows how far a long command is: a line for each part, and on a terminal a count that runs."""

import sys
from collections.abc import AsyncIterable, Iterable, Iterator
from time import monotonic
from typing import TextIO, TypeVar

SHOWN_EVERY = 0.5  # seconds

T = TypeVar("T")


class Progress:
    def __init__(self, output: TextIO | None = None) -> None:
        self._output = output or sys.stdout
        self._shown_at = 0.0

    def counting(self, name: str, items: Iterable[T], *, unit: str = "rows") -> Iterator[T]:
        number = 0
        for number, item in enumerate(items, 1):
            yield item
            self._count(_line(name, number, unit))
        self.say(_line(name, number, unit))

    async def adding(self, name: str, numbers: AsyncIterable[int], *, unit: str = "rows") -> None:
        """Counts what is done in batches, each of so many."""
        total = 0
        async for number in numbers:
            total += number
            self._count(_line(name, total, unit))
        self.say(_line(name, total, unit))

    def _count(self, line: str) -> None:
        if self._output.isatty() and monotonic() - self._shown_at > SHOWN_EVERY:
            self._shown_at = monotonic()
            print(f"\r{line} …", end="", file=self._output, flush=True)

    def say(self, sentence: str) -> None:
        start = "\r\033[K" if self._output.isatty() else ""
        print(f"{start}{sentence}", file=self._output, flush=True)


def _line(name: str, number: int, unit: str) -> str:
    return f"  {name:<20} {number:>12,} {unit}"
