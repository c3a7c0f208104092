"""Processes die, machines go offline: open pages end in the true state by themselves."""

import asyncio
from datetime import timedelta
from typing import Any, cast

from playwright.async_api import Page, expect
from sqlalchemy import CursorResult, delete, select, update

from app import clock
from app.models import Compilation, Project, Team, User, WebSession
from app.notifications.inbox import acts
from app.projects.compilations import SILENT_SECONDS
from app.projects.projects import create_project
from app.teams.membership import change_role
from tests.factories import make_team
from tests.journeys.browsing import (
    DEADLINE,
    SERVER_IS_AWAY,
    Visitor,
    open_panel,
    panel,
    sees,
    shows,
    wait_for,
    without_reload,
)
from tests.journeys.conftest import Arrive
from tests.journeys.running import Site, post_as
from tests.journeys.steps import inbox_of, start_project, upload

SHARED = "Project 'Highlight Reel' was shared with team 'Video Squad'"
PROMOTED = "Your role in team 'Video Squad' changed from viewer to editor"
COMPLETE = "Compilation of 'Highlight Reel' is complete"
DEMOTED = "Your role in team 'Video Squad' changed from editor to viewer"
FAILED = "Compilation of 'Highlight Reel' failed"


async def test_a_web_process_killed_between_commit_and_delivery_has_lost_nothing(
    site: Site, arrive: Arrive, alice: User, bob: User
) -> None:
    team, project = await squad_and_reel(site, alice, bob)
    other = site.program("web")
    await other.start()
    owner, member = await arrive(alice), await arrive(bob, at=other.url)
    member.watch.expect(SERVER_IS_AWAY)
    owning, watching = await owner.open(f"/projects/{project.id}"), await inbox_of(member)

    async with without_reload(watching):
        other.freeze()
        await owning.get_by_role("button", name="Share", exact=True).click()
        await expect(owning.get_by_role("button", name="End sharing")).to_be_visible()
        await promote(site, team, alice, bob)
        await other.kill()
        await other.start()
        await shows(watching, SHARED, unread=2).wait()
        await shows(watching, PROMOTED, unread=2).wait()
        await is_live(site, watching, team, alice, bob, unread=3)


async def test_a_server_that_was_away_comes_back_into_open_pages(
    site: Site, arrive: Arrive, alice: User, bob: User
) -> None:
    """Stopped as an update stops it; meanwhile the worker goes on, and a notice is read."""
    team, project = await squad_and_reel(site, alice, bob)
    member = await arrive(bob)
    member.watch.expect(SERVER_IS_AWAY)
    watching = await inbox_of(member)
    await share(site, alice, project, team)
    await sees(watching, 1)

    async with without_reload(watching):
        await site.web.stop()
        await read_everything(site, bob)
        await promote(site, team, alice, bob)
        await site.web.start()
        await shows(watching, PROMOTED, unread=1).wait()
        await is_live(site, watching, team, alice, bob, unread=2)


async def test_a_machine_that_was_offline_shows_it_and_ends_in_the_true_state(
    site: Site, arrive: Arrive, alice: User, bob: User
) -> None:
    team, project = await squad_and_reel(site, alice, bob)
    member = await arrive(bob)
    member.watch.expect(SERVER_IS_AWAY)
    watching = await inbox_of(member)
    await share(site, alice, project, team)
    await sees(watching, 1)

    async with without_reload(watching):
        await member.context.set_offline(True)
        await read_everything(site, bob)
        await promote(site, team, alice, bob)
        await expect(watching.get_by_text("Live updates paused")).to_be_visible(timeout=30_000)
        await member.context.set_offline(False)
        await shows(watching, PROMOTED, unread=1).wait()
        await expect(watching.get_by_text("Live updates paused")).to_be_hidden()
        await is_live(site, watching, team, alice, bob, unread=2)


async def test_a_user_signed_out_meanwhile_is_led_to_the_login(
    site: Site, arrive: Arrive, bob: User
) -> None:
    member = await arrive(bob)
    member.watch.expect(SERVER_IS_AWAY)
    member.watch.expect("SSE reconnect failed with status 401")
    watching = await member.open("/notifications")
    await site.web.stop()
    async with site.db.write() as session:
        await session.execute(delete(WebSession))
    await site.web.start()
    await expect(watching.get_by_label("Email or username")).to_be_visible(timeout=30_000)


async def test_a_killed_workers_compilation_is_taken_up_again(
    site: Site, arrive: Arrive, alice: User
) -> None:
    maker = await arrive(alice)
    making = await compiling(maker)
    async with without_reload(making):
        await kill_while_it_compiles(site)
        await site.worker.start()
        await shows(making, COMPLETE, unread=1, where=["panel"]).wait()
        await expect(making.locator("#compilation video")).to_be_visible()
    assert await compilations(site) == [("completed", 2)]


async def test_a_compilation_that_killed_two_workers_is_declared_failed(
    site: Site, arrive: Arrive, alice: User
) -> None:
    maker = await arrive(alice)
    making = await compiling(maker)
    async with without_reload(making):
        for attempt in (1, 2):
            await kill_while_it_compiles(site, attempt)
            await site.worker.start()
        await shows(making, FAILED, unread=1, where=["panel"]).wait()
        await expect(making.get_by_role("main").get_by_text("interrupted")).to_be_visible()
    assert await compilations(site) == [("failed", 2)]

    await panel(making).get_by_role("button", name="Retry").click()
    await expect(making.locator("#compilation video")).to_be_visible(timeout=30_000)
    assert await compilations(site) == [("failed", 2), ("completed", 1)]


async def squad_and_reel(site: Site, alice: User, bob: User) -> tuple[Team, Project]:
    team = await make_team(site.db, alice, "Video Squad", viewers=[bob])
    async with site.db.act() as session:
        return team, await create_project(session, alice, "Highlight Reel")


async def share(site: Site, alice: User, project: Project, team: Team) -> None:
    await post_as(site, alice, f"/projects/{project.id}/share", team_id=team.id)


async def promote(site: Site, team: Team, alice: User, bob: User) -> None:
    """Acts in a process without a relay, so that nobody is poked."""
    async with site.db.act() as session:
        await change_role(session, alice, team.id, bob.id, "editor")


async def read_everything(site: Site, user: User) -> None:
    async with site.db.act() as session:
        await acts.read_all(session, user.id)


async def is_live(
    site: Site, page: Page, team: Team, alice: User, bob: User, *, unread: int
) -> None:
    """The next change shows in the page."""
    await post_as(site, alice, f"/teams/{team.id}/members/{bob.id}/role", role="viewer")
    await wait_for(shows(page, DEMOTED, unread=unread))


async def compiling(visitor: Visitor) -> Page:
    """A project page whose compilation takes some seconds, with the bell's panel open."""
    page = await start_project(visitor, "Highlight Reel")
    await upload(page, "long", "webm", "portrait", "odd size")
    await page.get_by_role("button", name="Compile").click()
    await open_panel(page)
    return page


async def kill_while_it_compiles(site: Site, attempt: int = 1) -> None:
    """Kill the worker, and let as much time go by as it takes to be thought dead."""
    async with asyncio.timeout(DEADLINE):
        while await compilations(site) != [("running", attempt)]:  # noqa: ASYNC110 - other processes
            await asyncio.sleep(0.02)
    await site.worker.kill()
    long_ago = clock.now() - timedelta(seconds=SILENT_SECONDS + 1)
    async with site.db.write() as session:
        running = update(Compilation).where(Compilation.status == "running")
        result = await session.execute(running.values(touched_at=long_ago))
    assert cast(CursorResult[Any], result).rowcount == 1, "it had ended before the worker died"


async def compilations(site: Site) -> list[tuple[str, int]]:
    """Status and attempts of each, the oldest first."""
    rows = select(Compilation.status, Compilation.attempts).order_by(Compilation.id)
    async with site.db.read() as session:
        return [(row.status, row.attempts) for row in await session.execute(rows)]
