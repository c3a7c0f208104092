"""Open pages of teams and projects follow what others do, and leave alone what their user does."""

import asyncio
import re

import pytest
from playwright.async_api import Page, expect
from sqlalchemy import func, select

from app.models import Clip, Compilation, Project, Team, User
from app.projects.projects import create_project
from app.projects.sharing import share_project
from app.teams.membership import remove_member
from tests import clips
from tests.factories import make_team
from tests.journeys.browsing import DEADLINE, SERVER_IS_AWAY, without_reload
from tests.journeys.conftest import Arrive
from tests.journeys.relay import relay_to
from tests.journeys.running import Site, post_as
from tests.journeys.steps import upload

SECONDS = DEADLINE * 1000
LOST = "There is nothing here, or you do not have access to it."
TWO_SERVERS = {"WEB_CONCURRENCY": "2"}

# Adds up how far things moved that the user did not move: "Cumulative Layout Shift".
_OBSERVE_SHIFTS = """
(isFromTheStart) => {
  window.shifted = 0;
  new PerformanceObserver((list) => {
    for (const { value, hadRecentInput } of list.getEntries()) if (!hadRecentInput) window.shifted += value;
  }).observe({ type: "layout-shift", buffered: isFromTheStart });
}
"""


async def test_a_project_s_page_follows_its_owner_until_it_is_lost(
    site: Site, arrive: Arrive, alice: User, bob: User
) -> None:
    team, project = await squad_and_reel(site, alice, bob)
    owner, member = await arrive(alice), await arrive(bob)
    member.watch.expect("status of 404")
    owning, watching = [await each.open(f"/projects/{project.id}") for each in (owner, member)]
    beside = await member.tab(f"/projects/{project.id}")

    async with without_reload(watching, beside):
        await upload(owning, "silent", "portrait")
        for page in (watching, beside):
            await sees(page, "portrait.mp4")
        [_first, second] = await clips_of(site, project)
        await post_as(site, alice, f"/projects/{project.id}/clips/{second}/move", to="up")
        await expect(watching.locator("#clip-list li").first).to_contain_text(
            "portrait.mp4", timeout=SECONDS
        )
        await post_as(site, alice, f"/projects/{project.id}/clips/{second}/delete")
        await expect(watching.locator("#clip-list")).not_to_contain_text(
            "portrait.mp4", timeout=SECONDS
        )
        await post_as(site, alice, f"/projects/{project.id}/rename", name="Best Clips")
        await expect(watching.locator("h1")).to_have_text("Best Clips", timeout=SECONDS)
        await expect(beside).to_have_title(re.compile("Best Clips · ClippyFront$"), timeout=SECONDS)
        await post_as(site, alice, f"/projects/{project.id}/unshare", team_id=team.id)
        for page in (watching, beside):
            await sees(page, LOST)


async def test_a_team_s_page_follows_and_keeps_what_is_typed(
    site: Site, arrive: Arrive, alice: User, bob: User, carol: User
) -> None:
    team = await make_team(site.db, alice, "Video Squad", admins=[bob])
    admin = await arrive(bob)
    page = await admin.open(f"/teams/{team.id}")
    email = page.get_by_label("Email address")
    await email.fill("dave@example.com")

    async with without_reload(page):
        await post_as(site, alice, f"/teams/{team.id}/rename", name="Film Squad")
        await post_as(site, alice, f"/teams/{team.id}/members/add", login="carol", role="viewer")
        await post_as(
            site, alice, f"/teams/{team.id}/invitations", email="ed@x.test", role="viewer"
        )
        await sees(page, "carol")
        await sees(page, "ed@x.test")
        await expect(page.locator("h1")).to_have_text("Film Squad", timeout=SECONDS)
        await expect(page.get_by_label("Team name")).to_have_value("Film Squad")
        await expect(email).to_be_focused()
        await post_as(site, alice, f"/teams/{team.id}/members/{bob.id}/role", role="viewer")
        await expect(page.get_by_label("Team name")).to_have_count(0, timeout=SECONDS)

        await expect(email).to_have_value("dave@example.com")


async def test_lists_follow_what_is_added_and_taken_away(
    site: Site, arrive: Arrive, alice: User, bob: User
) -> None:
    team, project = await squad_and_reel(site, alice, bob)
    async with site.db.act() as session:
        await remove_member(session, alice, team.id, bob.id)
    member = await arrive(bob)
    projects, teams = await member.open("/projects"), await member.tab("/teams")

    async with without_reload(projects, teams):
        await post_as(site, alice, f"/teams/{team.id}/members/add", login="bob", role="viewer")
        await sees(teams, "Video Squad")
        await sees(projects, "Highlight Reel")
        await post_as(site, alice, f"/projects/{project.id}/rename", name="Best Clips")
        await sees(projects, "Best Clips")
        await post_as(site, alice, f"/teams/{team.id}/delete")
        await sees(teams, "No teams yet")
        await sees(projects, "No projects yet")


@pytest.mark.parametrize("width", [1280, 390])
async def test_progress_and_the_new_video_arrive_and_nothing_moves(
    site: Site, arrive: Arrive, alice: User, bob: User, width: int
) -> None:
    _team, project = await squad_and_reel(site, alice, bob)
    owner, member = await arrive(alice), await arrive(bob, viewport={"width": width, "height": 900})
    owning, watching = [await each.open(f"/projects/{project.id}") for each in (owner, member)]
    await upload(owning, "long", "long")
    await expect(watching.locator("#clip-list li")).to_have_count(2, timeout=SECONDS)
    await watching.evaluate(_OBSERVE_SHIFTS, False)

    async with without_reload(watching):
        await owning.get_by_role("button", name="Compile").click()
        await expect(watching.locator("#compilation progress")).to_be_visible(timeout=SECONDS)
        await expect(watching.locator("#player video")).to_be_visible(timeout=2 * SECONDS)
        await expect(watching.get_by_role("link", name="Download")).to_be_visible()

    shifted = await watching.evaluate("window.shifted")
    await watching.reload()
    await watching.evaluate(_OBSERVE_SHIFTS, True)
    await expect(watching.locator("#player video")).to_be_visible()
    assert (shifted, await watching.evaluate("window.shifted")) == (0, 0)


@pytest.mark.parametrize("site", [{"ALLOWED_HOSTS": "*"}], ids=[""], indirect=True)
async def test_a_page_that_arrives_in_pieces_is_painted_once_it_is_whole(
    site: Site, arrive: Arrive, alice: User, bob: User
) -> None:
    _team, project = await squad_and_reel(site, alice, bob)
    async with relay_to(site.url) as relay:
        page = (await arrive(bob, at=relay.url, viewport={"width": 390, "height": 900})).page
        await page.goto(relay.url)  # scripts and styles are here from now on
        relay.trickle(200, 0.02)

        shifted = {}
        for path in ("/", "/notifications", "/teams", f"/projects/{project.id}"):
            await page.goto(relay.url + path)
            await page.evaluate(_OBSERVE_SHIFTS, True)
            shifted[path] = await page.evaluate("window.shifted")
        await page.goto("about:blank")  # before the relay, and with it the page's stream, ends

    assert shifted == dict.fromkeys(shifted, 0)


async def test_a_video_that_plays_goes_on_and_is_followed_by_the_new_one(
    site: Site, arrive: Arrive, alice: User, bob: User
) -> None:
    _team, project = await squad_and_reel(site, alice, bob)
    owner, member = await arrive(alice), await arrive(bob)
    owning, watching = [await each.open(f"/projects/{project.id}") for each in (owner, member)]
    await upload(owning, "silent")
    first = watching.locator(f"#video-{await compile_once(site, owning)}")
    await expect(first).to_be_visible(timeout=SECONDS)
    await first.evaluate("async (video) => { video.muted = video.loop = true; await video.play() }")

    async with without_reload(watching):
        second = watching.locator(f"#video-{await compile_once(site, owning)}")
        await asyncio.sleep(2)
        await expect(first).to_be_visible()
        assert not await first.evaluate("(video) => video.paused")
        await first.evaluate("(video) => video.pause()")

        await expect(second).to_be_visible(timeout=SECONDS)


async def test_without_a_stream_the_video_arrives_nevertheless(
    site: Site, arrive: Arrive, alice: User, bob: User
) -> None:
    _team, project = await squad_and_reel(site, alice, bob)
    owner = await arrive(alice)
    owner.watch.expect(SERVER_IS_AWAY)
    owner.has_stream = False
    await owner.context.route("**/notifications/stream?*", lambda route: route.abort())
    page = await owner.open(f"/projects/{project.id}")
    await upload(page, "silent")

    async with without_reload(page):
        await page.get_by_role("button", name="Compile").click()
        await expect(page.locator("#player video")).to_be_visible(timeout=2 * SECONDS)


@pytest.mark.parametrize("site", [TWO_SERVERS], indirect=True)
async def test_with_two_servers_a_page_follows_what_happens_at_the_other(
    site: Site, arrive: Arrive, alice: User, bob: User
) -> None:
    _team, project = await squad_and_reel(site, alice, bob)
    watching = await (await arrive(bob)).open(f"/projects/{project.id}")

    async with without_reload(watching):
        for name in ("One", "Two", "Three", "Four"):
            await post_as(site, alice, f"/projects/{project.id}/rename", name=name)
            await expect(watching.locator("h1")).to_have_text(name, timeout=SECONDS)


async def test_after_its_server_was_killed_a_page_shows_what_it_missed(
    site: Site, arrive: Arrive, alice: User, bob: User
) -> None:
    _team, project = await squad_and_reel(site, alice, bob)
    other = site.program("web")
    await other.start()
    member = await arrive(bob, at=other.url)
    member.watch.expect(SERVER_IS_AWAY)
    watching = await member.open(f"/projects/{project.id}")

    async with without_reload(watching):
        await other.kill()
        await post_as(site, alice, f"/projects/{project.id}/rename", name="Best Clips")
        await other.start()
        await expect(watching.locator("h1")).to_have_text("Best Clips", timeout=SECONDS)


async def test_what_cannot_be_undone_asks_in_a_dialog(
    site: Site, arrive: Arrive, alice: User, bob: User
) -> None:
    _team, project = await squad_and_reel(site, alice, bob)
    page = await (await arrive(alice)).open(f"/projects/{project.id}")
    end = page.get_by_role("button", name="End sharing (Video Squad)")
    dialog = page.get_by_role("dialog")

    await end.click()
    await expect(dialog).to_contain_text("End sharing with 'Video Squad'?")
    await expect(dialog).to_contain_text("1 other person will be notified.")
    await dialog.get_by_role("link", name="Cancel").click()
    await expect(dialog).to_be_hidden()
    await expect(end).to_be_focused()
    await end.click()
    await dialog.get_by_role("button", name="End sharing").click()

    await expect(page.get_by_text("No longer shared with Video Squad.")).to_be_visible()


async def test_without_scripts_the_progress_says_how_to_see_more(
    site: Site, arrive: Arrive, alice: User, bob: User
) -> None:
    _team, project = await squad_and_reel(site, alice, bob)
    await site.worker.stop()
    visitor = await arrive(alice, java_script_enabled=False)
    page = await visitor.open(f"/projects/{project.id}")
    await page.get_by_label("Clips").set_input_files(clips.make("silent"))
    await page.get_by_role("button", name="Upload").click()
    await page.get_by_role("button", name="Compile").click()

    async with page.expect_response(f"**/projects/{project.id}"):
        await page.get_by_role("link", name="Reload").click()

    await expect(page.get_by_role("button", name="Cancel")).to_be_visible()


async def squad_and_reel(site: Site, owner: User, viewer: User) -> tuple[Team, Project]:
    """A team, and a project of its owner that is shared with it."""
    team = await make_team(site.db, owner, "Video Squad", viewers=[viewer])
    async with site.db.act() as session:
        project = await create_project(session, owner, "Highlight Reel")
        await share_project(session, owner, project.id, team.id)
    return team, project


async def clips_of(site: Site, project: Project) -> list[int]:
    async with site.db.read() as session:
        ordered = select(Clip.id).where(Clip.project_id == project.id).order_by(Clip.position)
        return list(await session.scalars(ordered))


async def compile_once(site: Site, page: Page) -> int:
    """Compiles, and waits until the page shows the new video. Returns its id."""
    await page.get_by_role("button", name="Compile").click()
    await expect(page.get_by_role("button", name="Cancel")).to_be_visible(timeout=SECONDS)
    async with site.db.read() as session:
        newest = await session.scalar(select(func.max(Compilation.id)))
    assert newest
    await expect(page.locator(f"#video-{newest}")).to_be_visible(timeout=2 * SECONDS)
    return int(newest)


async def sees(page: Page, text: str) -> None:
    await expect(page.locator("#live").get_by_text(text).first).to_be_visible(timeout=SECONDS)
