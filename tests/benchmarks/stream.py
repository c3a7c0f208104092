"""Open streams: what one costs, and how soon all hear of an event.

    python -m tests.benchmarks.stream [--streams 1000 10000]

The application as it is shipped, with its whole middleware, sessions and database, told by
another process; beside it sse-starlette as its README would write it, and the hub alone, whose
plain broadcast is the limit. Each in uvicorn with uvloop and httptools, the readers in a process
of their own. Ratios hold from machine to machine, times do not.
"""

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random
from statistics import median, quantiles

from tests.benchmarks._clippyfront import ClippyFront
from tests.benchmarks._readers import Readers, reading
from tests.benchmarks._server import raise_file_limit
from tests.benchmarks._target import EVERYONE, Publisher, SmallApp, Target

ROUNDS = 9
SINGLE_EVENTS = 300
# Opened first and not counted: what a server sets up once.
FIRST_STREAMS = 100


@dataclass(frozen=True)
class Result:
    """One server's numbers; times in seconds, of the acts one by one."""

    bytes_per_stream: float
    opened_per_second: float
    processor_per_opening: float
    same_to_all: list[float]
    own_to_all: list[float]
    processor_per_event: float
    to_one: list[float]
    seconds_to_end: float


async def measure(target: Target, streams: int) -> Result:
    """Measure one server with so many open streams, one to a person."""
    async with target.running(streams) as running:
        server, people, act = running.server, running.people, running.publisher
        with reading() as readers:
            await readers.open(server.port, people[:FIRST_STREAMS])
            memory, opening = server.memory(), server.processor_seconds()
            seconds = await readers.open(server.port, people[FIRST_STREAMS:])
            memory = server.memory() - memory
            opening = server.processor_seconds() - opening
            counted = streams - FIRST_STREAMS
            same = await _rounds(readers, act.tell_everyone_the_same, streams, EVERYONE)
            used = server.processor_seconds()
            own = await _rounds(readers, act.tell_everyone_their_own, streams)
            used = server.processor_seconds() - used
            return Result(
                memory / counted,
                counted / seconds,
                opening / counted,
                same,
                own,
                used / (streams * ROUNDS),
                [await _delay_to_one(readers, act, streams, n) for n in range(SINGLE_EVENTS)],
                await server.stop(),
            )


async def _rounds(
    readers: Readers,
    tell: Callable[[], Awaitable[float | None]],
    frames: int,
    mark: bytes | None = None,
) -> list[float]:
    delays = [await _delay(readers, tell, frames, mark) for _ in range(ROUNDS)]
    return [delay for delay in delays if delay is not None]


async def _delay(
    readers: Readers,
    tell: Callable[[], Awaitable[float | None]],
    frames: int,
    mark: bytes | None = None,
) -> float | None:
    """From the act to the last byte of the last reader; None where there is no such act."""
    await readers.listen(frames, mark)
    told_at = await tell()
    return None if told_at is None else await readers.heard() - told_at


async def _delay_to_one(readers: Readers, act: Publisher, streams: int, seed: int) -> float:
    number = Random(seed).randrange(streams)
    return await _delay(readers, lambda: act.tell_one(number), 1) or 0


ROWS: dict[str, Callable[[Result], float | None]] = {
    "KiB per idle stream": lambda one: one.bytes_per_stream / 1024,
    "streams opened per second": lambda one: one.opened_per_second,
    "processor per opening, ms": lambda one: one.processor_per_opening * 1000,
    "the same to all, ms": lambda one: _milliseconds(one.same_to_all),
    "their own to all, ms": lambda one: _milliseconds(one.own_to_all),
    "their own to all, worst ms": lambda one: max(one.own_to_all) * 1000,
    "processor per event, µs": lambda one: one.processor_per_event * 1_000_000,
    "one to one, p50 ms": lambda one: _milliseconds(one.to_one),
    "one to one, p99 ms": lambda one: quantiles(one.to_one, n=100)[98] * 1000,
    "SIGTERM to the end, s": lambda one: one.seconds_to_end,
}


def _milliseconds(seconds: list[float]) -> float | None:
    return median(seconds) * 1000 if seconds else None


def table(results: dict[str, Result]) -> str:
    """A line for each row; after the first server, the ratio of each other to it."""
    ours, *peers = results
    lines = [f"{'':30}{ours:>14}" + "".join(f"{name:>16}{'×':>8}" for name in peers)]
    for name, number in ROWS.items():
        own = number(results[ours])
        cells = [f"{_written(own):>14}"]
        for peer in peers:
            theirs = number(results[peer])
            ratio = theirs / own if own and theirs else None
            cells.append(f"{_written(theirs):>16}{_written(ratio):>8}")
        lines.append(f"{name:30}" + "".join(cells))
    return "\n".join(lines)


def _written(number: float | None) -> str:
    return "–" if number is None else f"{number:,.2f}"


async def main(sizes: list[int]) -> None:
    raise_file_limit()
    targets: list[Target] = [
        ClippyFront(),
        SmallApp("sse-starlette", "_peer_app"),
        SmallApp("the hub alone", "_hub_app"),
    ]
    for streams in sizes:
        results = {target.name: await measure(target, streams) for target in targets}
        print(f"\n{streams:,} open streams\n{table(results)}", flush=True)
        limit = median(results["the hub alone"].same_to_all)
        all_told = median(results["ClippyFront"].own_to_all) / limit
        print(f"ClippyFront's own to all is {all_told:.2f} times the plain broadcast.", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, nargs="+", default=[1_000, 10_000])
    asyncio.run(main(parser.parse_args().streams))
