"""What a page says when the server does not answer: once, and no longer than it is true."""

import asyncio

from playwright.async_api import Page, Request, expect

from app import clock
from app.models import Compilation, User
from app.projects.projects import create_project
from tests.factories import make_team
from tests.journeys.browsing import DEADLINE, SERVER_IS_AWAY, inbox, toasts
from tests.journeys.conftest import Arrive
from tests.journeys.running import Site, post_as


async def test_a_page_that_keeps_asking_says_once_that_nobody_answers(
    site: Site, arrive: Arrive, alice: User
) -> None:
    project_id = await compiling(site, alice)
    maker = await arrive(alice)
    maker.watch.expect(SERVER_IS_AWAY)
    page = await maker.open(f"/projects/{project_id}")
    await expect(page.get_by_role("progressbar")).to_be_visible()
    paused = page.get_by_text("Live updates paused")

    await site.web.stop()
    await expect(paused).to_be_visible(timeout=30_000)
    await failing(page, times=3)
    await expect(toasts(page).get_by_role("alert")).to_have_count(0)
    await expect(page.get_by_role("progressbar")).to_be_visible()

    await site.web.start()
    await expect(paused).to_be_hidden(timeout=30_000)


async def test_a_page_never_waits_long_before_it_tries_the_stream_again(
    site: Site, arrive: Arrive, alice: User
) -> None:
    visitor = await arrive(alice)
    visitor.watch.expect(SERVER_IS_AWAY)
    await visitor.page.clock.install()
    page = await visitor.open("/notifications")

    await site.web.stop()

    for _attempt in range(8):
        async with page.expect_event("requestfailed", is_of_the_stream):
            await page.clock.run_for(11_000)


async def test_a_list_that_cannot_be_fetched_stays_and_says_so(
    site: Site, arrive: Arrive, alice: User, bob: User
) -> None:
    team = await make_team(site.db, alice, "Video Squad", viewers=[bob])
    await post_as(site, alice, f"/teams/{team.id}/rename", name="Film Squad")
    reader = await arrive(bob)
    reader.watch.expect(SERVER_IS_AWAY)
    page = await reader.open("/notifications")
    row = inbox(page).get_by_text("is now called 'Film Squad'")
    await expect(row.last).to_be_visible()

    await site.web.stop()
    await page.get_by_label("Status", exact=True).select_option("read")
    await expect(toasts(page).get_by_role("alert")).to_contain_text("cannot be reached")
    await expect(row.last).to_be_visible()

    await site.web.start()
    await page.get_by_label("Type", exact=True).select_option("team_updated")
    await expect(page.get_by_text("No notifications match these filters")).to_be_visible()


async def compiling(site: Site, owner: User) -> int:
    """A project whose compilation seems to run; its id."""
    async with site.db.act() as session:
        project = await create_project(session, owner, "Highlight Reel")
        now = clock.now()
        running = {"status": "running", "progress": 0.4, "started_at": now, "touched_at": now}
        session.add(Compilation(project_id=project.id, attempts=1, **running))
        return project.id


def is_of_the_stream(request: Request) -> bool:
    return "/notifications/stream" in request.url


async def failing(page: Page, *, times: int) -> None:
    """Wait until so many of the page's requests have failed to connect."""
    failed = asyncio.Semaphore(0)
    page.on("requestfailed", lambda _request: failed.release())
    async with asyncio.timeout(DEADLINE):
        for _one in range(times):
            await failed.acquire()
