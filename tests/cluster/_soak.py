"""Streams that connect, are notified and leave, for long: the memory of web and worker stays flat."""

import asyncio
import random
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from time import monotonic

from tests.cluster._acting import Load, compare, settle
from tests.cluster._ledger import Findings
from tests.cluster._listening import Audience
from tests.cluster._site import Site, own_memory, processor_seconds, site_on
from tests.cluster._world import make_world, streams_of

TEAMS, MEMBERS, WATCHERS = 10, 20, 1
# Of all streams, each second.
LEAVING = 0.01
SECONDS_BETWEEN_LOOKS = 15
# Of the last quarter's mean over that of the second.
GROWTH_AT_MOST = 1.05


async def run(setup: str, folder: Path, given: Namespace) -> Findings:
    async with site_on(setup, folder, webs=1, workers=1) as site:
        squads = await make_world(site, teams=TEAMS, members=MEMBERS, watchers=WATCHERS)
        audience = Audience(streams_of(squads, site.urls, given.streams))
        load = Load(site, squads, rate=given.rate)
        [web] = site.webs
        assert web.process
        pid = web.process.pid
        before = own_memory(pid), processor_seconds(pid)
        async with audience.listening():
            _print_costs(given.streams, before, (own_memory(pid), processor_seconds(pid)))
            async with load.under_way() as ledger:
                samples = await _watch(site, audience, given.minutes * 60)
            await settle(site, squads, audience, ledger)
            findings = await compare(site, squads, audience, ledger)
        print(f"{len(ledger.acknowledged)} acts, streams opened {audience.connections} times")
        for name, megabytes in samples.items():
            _compare(name, megabytes, findings)
        findings.add("no traceback", site.failures())
        return findings


def _print_costs(streams: int, before: tuple[float, float], after: tuple[float, float]) -> None:
    """What it cost to open them, in MB and seconds of a core; buffers and caches are in it."""
    memory, seconds = (late - early for early, late in zip(before, after, strict=True))
    print(
        f"a stream: {memory / streams * 1024:.1f} KiB, opened in {seconds / streams * 1000:.2f} ms",
        flush=True,
    )


async def _watch(site: Site, audience: Audience, seconds: float) -> dict[str, list[float]]:
    """The MB of each process, every few seconds, while streams come and go."""
    samples: dict[str, list[float]] = {one.command: [] for one in site.programs}
    begun, looked = monotonic(), 0.0
    while monotonic() - begun < seconds:
        await asyncio.sleep(1)
        audience.leave(random.sample(audience.members, round(LEAVING * len(audience.members))))
        if monotonic() - looked >= SECONDS_BETWEEN_LOOKS:
            looked = monotonic()
            for one in site.programs:
                assert one.process
                samples[one.command].append(own_memory(one.process.pid))
    return samples


def _compare(name: str, megabytes: Sequence[float], findings: Findings) -> None:
    quarter = max(1, len(megabytes) // 4)
    means = [fmean(megabytes[n * quarter : (n + 1) * quarter]) for n in range(4)]
    growth = means[3] / means[1]
    print(
        f"{name}: {', '.join(f'{one:.1f}' for one in means)} MB in the quarters, {growth:.3f}×",
        flush=True,
    )
    findings.require(f"the memory of {name} is flat", growth <= GROWTH_AT_MOST)
