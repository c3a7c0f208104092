"""PostgreSQL, and Redis where it is used, away for half a minute each, under load."""

import asyncio
from argparse import Namespace
from pathlib import Path

from tests.cluster._acting import Load, compare, settle
from tests.cluster._ledger import Findings
from tests.cluster._listening import Audience
from tests.cluster._site import SQLITE, Site, site_on
from tests.cluster._world import make_world, streams_of
from tests.servers import PostgreSQL, Redis

WEBS, WORKERS = 4, 2
TEAMS, MEMBERS, WATCHERS = 5, 20, 1
SECONDS_BETWEEN = 20
SECONDS_TO_RETURN = 60


async def run(setup: str, folder: Path, given: Namespace) -> Findings:
    if setup == SQLITE:
        print("SQLite has no server.", flush=True)
        return Findings()
    async with site_on(setup, folder, webs=WEBS, workers=WORKERS) as site:
        squads = await make_world(site, teams=TEAMS, members=MEMBERS, watchers=WATCHERS)
        audience = Audience(streams_of(squads, site.urls, given.streams))
        load, missing = Load(site, squads, rate=given.rate), list[str]()
        async with audience.listening():
            print(f"{audience.count_open} streams are open", flush=True)
            async with load.under_way() as ledger:
                for server in (site.servers.postgresql, site.servers.redis):
                    if not server:
                        continue
                    await asyncio.sleep(SECONDS_BETWEEN)
                    missing += await _away(server, given.seconds, site, audience, ledger.statuses)
                await asyncio.sleep(SECONDS_BETWEEN)
            await settle(site, squads, audience, ledger)
            findings = await compare(site, squads, audience, ledger, most_doubles=1)
        print(f"{len(ledger.acknowledged)} acts acknowledged, {len(ledger.doubtful)} in doubt")
        print(f"answers {dict(ledger.statuses)}, streams opened {audience.connections} times")
        print(f"streams were refused {dict(audience.refusals)}, ended by {dict(audience.ends)}")
        findings.add("streams stay, or come back by themselves", missing)
        findings.require("no answer is an error of ours", not ledger.statuses[500])
        findings.require("no stream's opening is", not audience.refusals[500])
        findings.require("all processes run on", all(one.is_running for one in site.programs))
        return findings


async def _away(
    server: PostgreSQL | Redis, seconds: float, site: Site, audience: Audience, statuses: object
) -> list[str]:
    """What is still missing a minute after the server is back."""
    name = type(server).__name__
    await server.stop()
    print(f"{name} stops; {audience.count_open} streams are open", flush=True)
    await asyncio.sleep(seconds)
    print(f"{name} starts; {audience.count_open} streams are open; {statuses}", flush=True)
    await server.start()
    try:
        await audience.until_open(SECONDS_TO_RETURN)
    except TimeoutError:
        missing = len(audience.members) - audience.count_open
        return [f"{missing} streams a minute after {name} is back"]
    print(f"all {audience.count_open} streams are open", flush=True)
    return []
