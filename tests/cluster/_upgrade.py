"""An older version beside a newer one on the same database, while the newer one upgrades it: an older
web process with a newer worker, and the other way. The older version is a commit, checked out
beside this one.
"""

import asyncio
from argparse import Namespace
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from app.notifications.channels.push.vapid_keys import fresh_pair
from app.settings import ROOT
from tests.cluster._acting import Load, compare, settle
from tests.cluster._ledger import Findings
from tests.cluster._listening import Audience
from tests.cluster._site import RUNNER, SQLITE, Site, prepared_site
from tests.cluster._world import make_world, streams_of
from tests.journeys.running import Program
from tests.servers import run as run_command

TEAMS, MEMBERS, WATCHERS = 3, 10, 2
SECONDS_TOGETHER = 20
NEWEST_MIGRATION = ("log", "-1", "--diff-filter=A", "--format=%H", "--", "migrations/versions")


async def run(setup: str, folder: Path, given: Namespace) -> Findings:
    if setup == SQLITE:
        print("On one host all processes are of one version.", flush=True)
        return Findings()
    async with _older(given.older, folder) as older:
        return await _upgrade(setup, folder, older, given)


@asynccontextmanager
async def _older(commit: str, folder: Path) -> AsyncIterator[Path]:
    """A checkout of `commit`, by default of what came before the newest migration."""
    if not commit:
        commit = (await _git(*NEWEST_MIGRATION)).strip() + "^"
    checkout = folder / "older"
    await _git("worktree", "add", "--detach", str(checkout), commit)
    print(f"the older version is {(await _git('log', '-1', '--oneline', commit)).strip()}")
    try:
        yield checkout
    finally:
        await _git("worktree", "remove", "--force", str(checkout))


async def _git(*arguments: str) -> str:
    return await run_command("git", *arguments, cwd=ROOT)


async def _upgrade(setup: str, folder: Path, older: Path, given: Namespace) -> Findings:
    findings = Findings()
    public, private = fresh_pair()
    keys = {"VAPID_PUBLIC_KEY": public, "VAPID_PRIVATE_KEY": private}
    async with prepared_site(setup, folder, environ=keys, root=older) as site:
        old_web, old_worker = (_older_program(site, name, older) for name in ("web", "worker"))
        await asyncio.gather(old_web.start(), old_worker.start())
        new_web, new_worker = site.program("web"), site.program("worker")
        await new_web.start()  # and with it the newer schema
        squads = await make_world(site, teams=TEAMS, members=MEMBERS, watchers=WATCHERS)
        audience = Audience(streams_of(squads, site.urls, given.streams))
        async with audience.listening():
            async with Load(site, squads).under_way() as ledger:
                print("web processes of both versions, an older worker", flush=True)
                await asyncio.sleep(SECONDS_TOGETHER)
                await new_worker.start()
                findings.require("an older worker outlives the migration", old_worker.is_running)
                await old_worker.stop()
                print("web processes of both versions, a newer worker", flush=True)
                await asyncio.sleep(SECONDS_TOGETHER)
            await settle(site, squads, audience, ledger)
            compared = await compare(site, squads, audience, ledger)
        findings.held |= compared.held
        findings.require("no answer is an error of ours", not ledger.statuses[500])
        findings.require("an older web process outlives the migration", old_web.is_running)
        findings.add("no traceback", site.failures())
        return findings


def _older_program(site: Site, command: str, older: Path) -> Program:
    program = site.program(command)
    program.root, program.module = older, RUNNER
    return program
