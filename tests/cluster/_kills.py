"""Processes killed at random under load, again and again, and started again."""

import asyncio
import random
from argparse import Namespace
from pathlib import Path

from tests.cluster._acting import Load, compare, settle
from tests.cluster._ledger import Findings
from tests.cluster._listening import Audience
from tests.cluster._site import Site, site_on
from tests.cluster._world import make_world, streams_of
from tests.journeys.running import Program

WEBS, WORKERS = 3, 2
TEAMS, MEMBERS, WATCHERS = 3, 10, 2
PAUSE = 0.3, 1.5


async def run(setup: str, folder: Path, given: Namespace) -> Findings:
    async with site_on(setup, folder, webs=WEBS, workers=WORKERS) as site:
        squads = await make_world(site, teams=TEAMS, members=MEMBERS, watchers=WATCHERS)
        audience = Audience(streams_of(squads, site.urls, given.streams))
        load = Load(site, squads, rate=given.rate)
        async with audience.listening():
            async with load.under_way() as ledger:
                await _kill(site, given.kills)
            await settle(site, squads, audience, ledger)
            # Each kill may send one again, and two may meet the same one: `_compare_doubles` counts them.
            findings = await compare(site, squads, audience, ledger, most_doubles=given.kills)
        print(f"{len(ledger.acknowledged)} acts acknowledged, {len(ledger.doubtful)} in doubt")
        print(f"answers {dict(ledger.statuses)}, streams opened {audience.connections} times")
        print(f"streams were refused {dict(audience.refusals)}, ended by {dict(audience.ends)}")
        _compare_doubles(site, given.kills, findings)
        findings.require("no answer is an error of ours", not ledger.statuses[500])
        findings.add("no traceback", site.failures())
        return findings


async def _kill(site: Site, times: int) -> None:
    """At most one is away at a time, chosen at random; it is back before the next one dies."""
    for number in range(1, times + 1):
        await asyncio.sleep(random.uniform(*PAUSE))
        await _kill_one(random.choice(site.programs))
        if number % 20 == 0:
            print(f"{number} killed", flush=True)


async def _kill_one(program: Program) -> None:
    await program.kill()
    await program.start()


def _compare_doubles(site: Site, kills: int, findings: Findings) -> None:
    ids = [id for id, *_rest in site.sent_mails()]
    findings.require("not more mails again than kills", len(ids) - len(set(ids)) <= kills)
