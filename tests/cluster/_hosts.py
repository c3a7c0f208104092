"""Three hosts on one PostgreSQL, whose clocks differ, with acts through any and streams on all; one
host dies and comes back. Needs the rights of root (network namespaces) and libfaketime.
"""

import asyncio
import re
from argparse import Namespace
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from tests.cluster._acting import Load, compare, settle
from tests.cluster._ledger import Findings
from tests.cluster._listening import Audience
from tests.cluster._network import ADDRESSES, GATEWAY, NETWORK, Host, hosts
from tests.cluster._site import RUNNER, SQLITE, Site, prepared_site
from tests.cluster._together import hold_together
from tests.cluster._world import make_world, streams_of
from tests.journeys.running import Program

# Those of any two differ by at most 3 s.
SECONDS_AHEAD = (0, 3, 1)
TEAMS, MEMBERS, WATCHERS = 3, 10, 2
PORT = "8000"
# Longer than a stream without a word is believed in, and than the lease of a dead worker's mail.
SECONDS_AWAY, SECONDS_BEFORE, SECONDS_AFTER = 75, 20, 20
# Of a cron line that comes each minute.
RUNS_AT_LEAST = 3


@dataclass(frozen=True)
class Placed:
    """A host with what runs on it."""

    host: Host
    web: Program
    worker: Program

    async def start(self, site: Site) -> None:
        await self.host.forward(int(site.push.host.rpartition(":")[2]))
        await asyncio.gather(self.web.start(), self.worker.start())

    async def die(self) -> None:
        """Its link first, so that no connection is closed properly."""
        await self.host.unplug()
        await self.host.kill_all()
        for program in (self.web, self.worker):
            if program.process:
                await program.process.wait()


async def run(setup: str, folder: Path, given: Namespace) -> Findings:
    if setup == SQLITE:
        print("SQLite serves one host.", flush=True)
        return Findings()
    (media := folder / "media").mkdir()
    environ = {
        # Made at the first start and kept in the database, where all hosts find them.
        "SECRET_KEY": "",
        "MEDIA_DIR": str(media),
        "BASE_URL": f"http://clippyfront.test:{PORT}",
        "ALLOWED_HOSTS": ", ".join(ADDRESSES),
        "TRUSTED_PROXIES": GATEWAY,
        "RATE_LIMITS": "1",
    }
    async with (
        hosts() as made,
        prepared_site(setup, folder, host=GATEWAY, networks=NETWORK, environ=environ) as site,
    ):
        placed = [_place(site, *one) for one in zip(made, SECONDS_AHEAD, strict=True)]
        await asyncio.gather(*(one.start(site) for one in placed))
        return await _live_through(site, placed, given)


def _place(site: Site, host: Host, ahead: int) -> Placed:
    own = {
        "HOST": host.address,
        "PORT": PORT,
        "DATA_DIR": str(site.folder / host.name),
        **(_clock(ahead) if ahead else {}),
    }
    web, worker = site.program("web", **own), site.program("worker", **own)
    web.prefix = worker.prefix = host.prefix
    worker.module = RUNNER
    return Placed(host, web, worker)


def _clock(ahead: int) -> dict[str, str]:
    library = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    dont = {"FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}
    return {"LD_PRELOAD": str(library), "FAKETIME": f"{ahead:+d}s", **dont}


async def _live_through(site: Site, placed: Sequence[Placed], given: Namespace) -> Findings:
    squads = await make_world(site, teams=TEAMS, members=MEMBERS, watchers=WATCHERS)
    audience = Audience(streams_of(squads, site.urls, given.streams))
    # The limit of POST /api/events is 60 a minute for each user.
    load = Load(site, squads, writers=3, rate=min(given.rate, 0.8))
    async with audience.listening():
        async with load.under_way() as ledger:
            together = await hold_together(site)
            await asyncio.sleep(SECONDS_BEFORE)
            returned = await _lose_one(site, placed[1], audience)
            await asyncio.sleep(SECONDS_AFTER)
        await settle(site, squads, audience, ledger)
        findings = await compare(site, squads, audience, ledger, most_doubles=1)
    print(f"{len(ledger.acknowledged)} acts acknowledged, {len(ledger.doubtful)} in doubt")
    print(f"answers {dict(ledger.statuses)}, streams opened {audience.connections} times")
    findings.held |= together.held
    findings.require("a dead host's streams come back on the others", returned)
    findings.require("no answer is an error of ours", not ledger.statuses[500])
    _compare_cron_runs(site, findings)
    findings.add("no traceback", site.failures())
    return findings


async def _lose_one(site: Site, lost: Placed, audience: Audience) -> bool:
    """Whether all streams are open while it is away."""
    print(f"{lost.host.name} dies with {audience.count_open} streams open on all", flush=True)
    await lost.die()
    begun, returned = monotonic(), False
    while monotonic() - begun < SECONDS_AWAY:
        await asyncio.sleep(1)
        if (
            not returned
            and monotonic() - begun > 5
            and audience.count_open == len(audience.members)
        ):
            returned = audience.is_off(lost.web.url)
            if returned:
                print(f"all streams are back after {monotonic() - begun:.0f} s", flush=True)
    await lost.host.plug_in()
    await lost.start(site)
    return returned


def _compare_cron_runs(site: Site, findings: Findings) -> None:
    """Each cron line has run on exactly one host each minute, although their clocks differ."""
    runs = Counter(
        found for worker in site.workers for found in re.findall(r"Ran \w+ of \d+", worker.log)
    )
    print(f"cron lines that ran: {len(runs)}", flush=True)
    findings.add("cron lines run once", [f"{what}: {n} times" for what, n in runs.items() if n > 1])
    minutes = [what for what in runs if "recover" in what]
    findings.require("cron lines run each minute", len(minutes) >= RUNS_AT_LEAST)
