"""Open streams: what one costs, and how soon all hear of an event.

    python -m tests.benchmarks.stream [--streams 1000 10000]

The hub beside sse-starlette as its README would write it, each in uvicorn with uvloop and
httptools, readers in a process of their own. Another server is measured by another `Target`.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from random import Random
from statistics import median, quantiles
from typing import Protocol

import httpx

from tests.benchmarks._readers import Person, Readers, reading
from tests.benchmarks._server import Server, raise_file_limit, serving

EVENT_BYTES = 600
ROUNDS = 15
SINGLE_EVENTS = 300


class Publisher(Protocol):
    """How a server is made to publish; all answer the monotonic moment of the act."""

    everyone_mark: bytes

    async def tell_everyone_the_same(self) -> float: ...
    async def tell_everyone_their_own(self) -> float: ...
    async def tell_one(self, number: int) -> float: ...


class Target(Protocol):
    """A server to measure: how it starts, who opens streams there, how it publishes."""

    name: str

    def serving(self, streams: int) -> AbstractAsyncContextManager[Server]: ...
    def people(self, streams: int) -> list[Person]: ...
    def publishing(self, server: Server) -> AbstractAsyncContextManager[Publisher]: ...


@dataclass
class SmallApp:
    """One of the two small applications beside this file: they have the same routes."""

    name: str
    app: str

    def serving(self, streams: int) -> AbstractAsyncContextManager[Server]:
        return serving(f"tests.benchmarks.{self.app}:app")

    def people(self, streams: int) -> list[Person]:
        request = "GET /streams/{} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n"
        return [Person(request.format(n).encode(), f" for {n}.".encode()) for n in range(streams)]

    @asynccontextmanager
    async def publishing(self, server: Server) -> AsyncIterator[Publisher]:
        async with httpx.AsyncClient(base_url=server.base_url, timeout=60) as client:
            yield SmallAppPublisher(client)


@dataclass
class SmallAppPublisher:
    client: httpx.AsyncClient
    everyone_mark: bytes = b" for everyone."

    async def tell_everyone_the_same(self) -> float:
        return await self._post("/everyone", own="false")

    async def tell_everyone_their_own(self) -> float:
        return await self._post("/everyone", own="true")

    async def tell_one(self, number: int) -> float:
        return await self._post(f"/people/{number}")

    async def _post(self, path: str, **values: str) -> float:
        answer = await self.client.post(path, params={"size": str(EVENT_BYTES), **values})
        return float(answer.raise_for_status().json())


@dataclass(frozen=True)
class Result:
    name: str
    bytes_per_stream: float
    opened_per_second: float
    same_to_all: list[float]
    own_to_all: list[float]
    to_one: list[float]
    seconds_to_end: float


async def measure(target: Target, streams: int) -> Result:
    """Measure one server with so many open streams, one to a person. Times are seconds."""
    people = target.people(streams)
    async with target.serving(streams) as server, target.publishing(server) as publisher:
        with reading() as readers:
            await readers.open(server.port, people[:1])
            memory = server.memory()
            seconds = await readers.open(server.port, people[1:])
            memory = server.memory() - memory
            everyone, mark = publisher.tell_everyone_the_same, publisher.everyone_mark
            return Result(
                target.name,
                memory / (streams - 1),
                (streams - 1) / seconds,
                [await _delay(readers, everyone, streams, mark) for _ in range(ROUNDS)],
                [
                    await _delay(readers, publisher.tell_everyone_their_own, streams)
                    for _ in range(ROUNDS)
                ],
                [await _delay_to_one(readers, publisher, streams, n) for n in range(SINGLE_EVENTS)],
                await server.stop(),
            )


async def _delay(
    readers: Readers, tell: Callable[[], Awaitable[float]], frames: int, mark: bytes | None = None
) -> float:
    """From the act to the last byte of the last reader."""
    await readers.listen(frames, mark)
    told_at = await tell()
    return await readers.heard() - told_at


async def _delay_to_one(readers: Readers, publisher: Publisher, streams: int, seed: int) -> float:
    number = Random(seed).randrange(streams)
    return await _delay(readers, lambda: publisher.tell_one(number), 1)


def table(results: list[Result]) -> str:
    """The results as lines of text; below each server its ratio to the first."""
    heads = (
        "server",
        "KiB/stream",
        "opened/s",
        "same to all",
        "own to all",
        "to one",
        "p99",
        "end s",
    )
    rows = [heads, *(_row(_numbers(result), result.name) for result in results)]
    first = _numbers(results[0])
    for result in results[1:]:
        ratios = [number / one for number, one in zip(_numbers(result), first, strict=True)]
        rows.append(_row(ratios, f"  {result.name} : {results[0].name}"))
    return "\n".join(f"{row[0]:30}" + "".join(f"{cell:>13}" for cell in row[1:]) for row in rows)


def _numbers(result: Result) -> list[float]:
    """As the columns have them: KiB, a second, then milliseconds (medians, p99), seconds."""
    times = median(result.same_to_all), median(result.own_to_all), median(result.to_one)
    slowest = quantiles(result.to_one, n=100)[98]
    milliseconds = [1000 * seconds for seconds in (*times, slowest)]
    memory = result.bytes_per_stream / 1024
    return [memory, result.opened_per_second, *milliseconds, result.seconds_to_end]


def _row(numbers: list[float], name: str) -> tuple[str, ...]:
    return name, *(f"{number:,.2f}" for number in numbers)


async def main(sizes: list[int]) -> None:
    raise_file_limit()
    targets = SmallApp("hub", "_hub_app"), SmallApp("sse-starlette", "_peer_app")
    for streams in sizes:
        results = [await measure(target, streams) for target in targets]
        print(f"\n{streams:,} open streams, times in milliseconds\n{table(results)}")
        own, same = _numbers(results[0])[3], _numbers(results[0])[2]
        print(f"The hub: own to all is {own / same:.2f} times the same to all.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, nargs="+", default=[1_000, 10_000])
    asyncio.run(main(parser.parse_args().streams))
