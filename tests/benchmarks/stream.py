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
from dataclasses import dataclass, field
from random import Random
from statistics import median, quantiles

from tests.benchmarks._clippyfront import ClippyFront
from tests.benchmarks._nchan import Channels, is_installed, nchan, one_channel, own_channels
from tests.benchmarks._readers import Readers, reading
from tests.benchmarks._server import raise_file_limit
from tests.benchmarks._table import Line, at_most, at_most_times
from tests.benchmarks._target import EVERYONE, Publisher, Running, SmallApp, Target

ROUNDS = 9
SINGLE_EVENTS = 300
# Opened first and not counted: what a server sets up once.
FIRST_STREAMS = 100
STORM = 5_000


@dataclass
class Result:
    """One server's numbers; times in seconds, of the acts one by one."""

    bytes_per_stream: float = 0
    bytes_per_opening: float = 0
    opened_per_second: float = 0
    processor_per_opening: float = 0
    same_to_all: list[float] = field(default_factory=list)
    own_to_all: list[float] = field(default_factory=list)
    processor_per_event: float = 0
    worst_while_telling: float = 0
    to_one: list[float] = field(default_factory=list)
    bells_anew: float | None = None
    worst_while_bells: float | None = None
    worst_while_vanishing: float = 0
    seconds_to_return: float = 0
    worst_while_returning: float = 0
    seconds_to_end: float = 0


async def measure_server(target: Target, streams: int) -> Result:
    """Measure one server with so many open streams, one to a person."""
    result = Result()
    async with target.running(streams) as running:
        with reading() as readers:
            await _open(result, running, readers)
            await _tell(result, running, readers)
            await _change_bells(result, running, readers)
            await _storm(result, running, readers)
            result.seconds_to_end = await running.server.stop()
    return result


async def measure_openings(target: Target, streams: int) -> Result:
    """How one server opens streams, and opens many again at once."""
    result = Result()
    async with target.running(streams) as running:
        with reading() as readers:
            await _open(result, running, readers)
            await _storm(result, running, readers)
    return result


async def measure_nchan(streams: int) -> Result:
    """nchan's plain broadcast, over one channel for all, and what it takes over one for each."""
    result = Result()
    async with nchan() as server:
        channels = await Channels.of(server)
        with reading() as readers:
            await readers.open(server.port, one_channel(streams))
            told = channels.tell_everyone_the_same
            result.same_to_all = await _rounds(readers, told, streams, EVERYONE)
    async with nchan() as server:
        channels = await Channels.of(server)
        with reading() as readers:
            await readers.open(server.port, own_channels(streams))
            result.to_one = [
                await _delay_to_one(readers, channels, streams, number)
                for number in range(SINGLE_EVENTS)
            ]
    return result


async def _open(result: Result, running: Running, readers: Readers) -> None:
    server, people = running.server, running.people
    await readers.open(server.port, people[:FIRST_STREAMS])
    memory, used, received = server.memory(), server.processor_seconds(), await readers.volume()
    seconds = await readers.open(server.port, people[FIRST_STREAMS:])
    counted = len(people) - FIRST_STREAMS
    result.bytes_per_stream = (server.memory() - memory) / counted
    result.opened_per_second = counted / seconds
    result.processor_per_opening = (server.processor_seconds() - used) / counted
    result.bytes_per_opening = (await readers.volume() - received) / counted


async def _tell(result: Result, running: Running, readers: Readers) -> None:
    server, act, streams = running.server, running.publisher, len(running.people)
    result.same_to_all = await _rounds(readers, act.tell_everyone_the_same, streams, EVERYONE)
    used = server.processor_seconds()
    result.own_to_all = await _rounds(readers, act.tell_everyone_their_own, streams)
    result.processor_per_event = (server.processor_seconds() - used) / (streams * ROUNDS)
    async with running.probing() as probe:
        await _delay(readers, act.tell_everyone_their_own, streams)
    result.worst_while_telling = probe.worst
    result.to_one = [
        await _delay_to_one(readers, act, streams, number) for number in range(SINGLE_EVENTS)
    ]


async def _change_bells(result: Result, running: Running, readers: Readers) -> None:
    act = running.publisher
    async with running.probing() as probe:
        changed = await _delay(readers, act.change_everyones_bell, len(running.people))
    if changed is not None:
        result.bells_anew, result.worst_while_bells = changed, probe.worst


async def _storm(result: Result, running: Running, readers: Readers) -> None:
    """So many vanish at once, and so many come back at once."""
    most, port = min(STORM, len(running.people)), running.server.port
    async with running.probing() as probe:
        await readers.vanish(most)
        await asyncio.sleep(2)
    result.worst_while_vanishing = probe.worst
    async with running.probing() as probe:
        result.seconds_to_return = await readers.open(port, running.people[:most])
    result.worst_while_returning = probe.worst


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
    """Seconds from the act to the last byte of the last reader; None if the target has no such act."""
    await readers.listen(frames, mark)
    told_at = await tell()
    return None if told_at is None else await readers.heard() - told_at


async def _delay_to_one(
    readers: Readers, act: Publisher | Channels, streams: int, seed: int
) -> float:
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
    "one to one, p99 ms": lambda one: _p99(one) * 1000,
    "another request meanwhile, worst ms": lambda one: one.worst_while_telling * 1000,
    "everybody's bell anew, ms": lambda one: _thousand(one.bells_anew),
    "· another request, worst ms": lambda one: _thousand(one.worst_while_bells),
    "5,000 vanish: another request, worst ms": lambda one: one.worst_while_vanishing * 1000,
    "5,000 return: all back after ms": lambda one: one.seconds_to_return * 1000,
    "· another request, worst ms ": lambda one: one.worst_while_returning * 1000,
    "SIGTERM to the end, s": lambda one: one.seconds_to_end,
}


def _thousand(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1000


def _milliseconds(seconds: list[float]) -> float | None:
    return median(seconds) * 1000 if seconds else None


def table(results: dict[str, Result]) -> str:
    """A line for each row; after the first server, the ratio of each other to it."""
    ours, *peers = results
    lines = [f"{'':42}{ours:>14}" + "".join(f"{name:>16}{'×':>8}" for name in peers)]
    for name, number in ROWS.items():
        own = number(results[ours])
        cells = [f"{_written(own):>14}"]
        for peer in peers:
            theirs = number(results[peer])
            ratio = theirs / own if own and theirs else None
            cells.append(f"{_written(theirs):>16}{_written(ratio):>8}")
        lines.append(f"{name:42}" + "".join(cells))
    return "\n".join(lines)


def _written(number: float | None) -> str:
    return "–" if number is None else f"{number:,.2f}"


async def measure(streams: int = 10_000) -> list[Line]:
    """The lines of the table; run alone, this module prints every row."""
    raise_file_limit()
    ours, bare, hub = (await _measure_each(streams)).values()
    as_long = await measure_openings(
        SmallApp("sse-starlette", "_peer_app", round(ours.bytes_per_opening)), streams
    )
    peer = await measure_nchan(streams) if is_installed() else None
    told = median(ours.own_to_all) * 1000
    worst = max(
        ours.worst_while_telling,
        ours.worst_while_bells or 0,
        ours.worst_while_vanishing,
        ours.worst_while_returning,
    )
    return [
        Line(
            f"one event to one of {streams:,}, p50",
            median(ours.to_one) * 1000,
            peer="nchan",
            theirs=median(peer.to_one) * 1000 if peer else None,
            aim=at_most_times(3),
        ),
        Line(
            f"one event to one of {streams:,}, p99",
            _p99(ours) * 1000,
            peer="nchan",
            theirs=_p99(peer) * 1000 if peer else None,
            aim=at_most_times(3),
        ),
        Line(
            f"one event to all {streams:,}, each personal",
            told,
            peer="nchan's plain broadcast",
            theirs=median(peer.same_to_all) * 1000 if peer else None,
            aim=at_most_times(1.3),
        ),
        Line(
            f"one event to all {streams:,}, each personal",
            told,
            peer="the hub alone, each personal",
            theirs=median(hub.own_to_all) * 1000,
        ),
        Line(
            "processor time to open a stream",
            ours.processor_per_opening * 1000,
            peer="bare sse-starlette",
            theirs=bare.processor_per_opening * 1000,
            aim=at_most_times(1),
        ),
        Line(
            f"{STORM:,} streams return at once",
            ours.seconds_to_return,
            "s",
            f"sse-starlette, {ours.bytes_per_opening:,.0f} bytes each",
            as_long.seconds_to_return,
            at_most_times(1),
        ),
        Line(
            "another request during all that, worst",
            worst * 1000,
            peer="sse-starlette, while they return",
            theirs=as_long.worst_while_returning * 1000,
            aim=at_most(50),
        ),
        Line(
            "everybody's bell anew",
            (ours.bells_anew or 0) * 1000,
            peer="one event to all",
            theirs=told,
            aim=at_most_times(3),
        ),
        Line("memory of an idle stream", ours.bytes_per_stream / 1024, "KiB", aim=at_most(20)),
    ]


def _p99(result: Result) -> float:
    return quantiles(result.to_one, n=100)[98]


async def _measure_each(streams: int) -> dict[str, Result]:
    targets: list[Target] = [
        ClippyFront(),
        SmallApp("sse-starlette", "_peer_app"),
        SmallApp("the hub alone", "_hub_app"),
    ]
    return {target.name: await measure_server(target, streams) for target in targets}


async def main(sizes: list[int]) -> None:
    raise_file_limit()
    for streams in sizes:
        results = await _measure_each(streams)
        print(f"\n{streams:,} open streams\n{table(results)}", flush=True)
        limit = median(results["the hub alone"].same_to_all)
        all_told = median(results["ClippyFront"].own_to_all) / limit
        print(f"ClippyFront's own to all is {all_told:.2f} times the plain broadcast.", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, nargs="+", default=[1_000, 10_000])
    asyncio.run(main(parser.parse_args().streams))
