"""What a web process and a worker use of a core while nothing happens."""

import asyncio
from argparse import Namespace
from pathlib import Path

from tests.cluster._ledger import Findings
from tests.cluster._site import processor_seconds, site_on

SECONDS_TO_CALM_DOWN = 30
MOST = 0.02  # of a core


async def run(setup: str, folder: Path, given: Namespace) -> Findings:
    async with site_on(setup, folder, webs=1, workers=1) as site:
        await asyncio.sleep(SECONDS_TO_CALM_DOWN)
        pids = {one.command: one.process.pid for one in site.programs if one.process}
        before = {name: processor_seconds(pid) for name, pid in pids.items()}
        await asyncio.sleep(given.seconds)
        used = {
            name: (processor_seconds(pid) - before[name]) / given.seconds
            for name, pid in pids.items()
        }
        shown = ", ".join(f"{name} {share:.2%}" for name, share in used.items())
        print(f"{shown}, together {sum(used.values()):.2%} of a core", flush=True)
        findings = Findings()
        findings.require("web and worker are idle", sum(used.values()) < MOST)
        findings.add("no traceback", site.failures())
        return findings
