"""Notices in an open page: the focus stays in its row, the panel stays short, toasts stay few."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from app.models import Clip, Compilation, Project, Team, User
from app.notifications.events.catalogue import COMPILATION_FAILED, CUSTOM, TEAM_UPDATED
from app.notifications.notify import notify
from app.teams.invitations import invite
from tests.factories import make_team
from tests.journeys.browsing import bell, inbox, open_panel, panel, sees, toasts
from tests.journeys.conftest import Arrive
from tests.journeys.running import Site

DESCRIPTIONS = """
places => places.map(place => document.getElementById(place.getAttribute("aria-describedby"))
  === place.closest("li").querySelector(".notice-text"))
"""


@pytest.fixture
async def squad(site: Site, alice: User, carol: User) -> Team:
    return await make_team(site.db, carol, editors=[alice])


@pytest.mark.parametrize("where", ["inbox", "panel"])
@pytest.mark.parametrize("answer", ["Accept", "Decline"])
async def test_the_focus_stays_in_the_row_of_an_invitation_that_is_answered(
    site: Site, arrive: Arrive, alice: User, carol: User, where: str, answer: str
) -> None:
    club = await make_team(site.db, carol, "Film Club")
    async with site.db.act() as session:
        await invite(session, carol, club.id, alice.email, "editor")
    page = (await arrive(alice)).page
    region = await at(page, site, where)
    row = region.get_by_role("listitem").filter(has_text="invited you to join team 'Film Club'")
    buttons = row.locator(".notice-actions > *")
    assert await buttons.evaluate_all(DESCRIPTIONS) == [True] * 3

    await row.get_by_role("button", name=answer).focus()
    await page.keyboard.press("Enter")

    outcome = {"Accept": "Accepted", "Decline": "Declined"}[answer]
    await expect(row.get_by_text(outcome, exact=True)).to_be_visible()
    await expect(row.locator(".notice-text")).to_be_focused()
    link = {"Accept": "Go to Team", "Decline": "View Invitation"}[answer]
    await expect(row.get_by_role("link", name=link)).to_be_visible()


@pytest.mark.parametrize("where", ["inbox", "panel"])
async def test_the_focus_stays_in_the_row_of_a_compilation_that_is_tried_again(
    site: Site, arrive: Arrive, alice: User, where: str
) -> None:
    await fail(site, alice)
    page = (await arrive(alice)).page
    region = await at(page, site, where)
    row = region.get_by_role("listitem").filter(has_text="The disk was full.")

    await row.get_by_role("button", name="Retry").focus()
    await page.keyboard.press("Enter")

    await expect(row.get_by_role("button", name="Retry")).to_have_count(0)
    await expect(row.locator(".notice-text")).to_be_focused()


async def test_the_panel_of_an_open_page_keeps_to_the_newest_twenty(
    site: Site, arrive: Arrive, alice: User, carol: User, squad: Team
) -> None:
    visitor = await arrive(alice)
    await visitor.open("/teams")

    async with site.db.act() as session:
        for number in range(25):
            facts: dict[str, Any] = {"old_name": "A", "new_name": f"Squad {number}"}
            await notify(session, TEAM_UPDATED, actor=carol, team=squad, **facts)

    await sees(visitor.page, 25)
    rows = visitor.page.locator("#panel-list > li")
    await expect(rows).to_have_count(20)
    await expect(rows.first).to_contain_text("Squad 24")
    await expect(rows.last).to_contain_text("Squad 5")


async def test_fifty_urgent_notices_are_three_toasts_and_a_way_to_the_rest(
    site: Site, arrive: Arrive, alice: User, carol: User, squad: Team
) -> None:
    visitor = await arrive(alice)
    page = await visitor.open("/teams")

    async with site.db.act() as session:
        for number in range(50):
            facts: dict[str, Any] = {"title": f"Fire {number}", "priority": "high"}
            await notify(session, CUSTOM, actor=carol, team=squad, **facts)

    rest = toasts(page).get_by_role("link", name="47 more", exact=True)
    await expect(rest).to_be_visible()
    shown = toasts(page).locator(".toast.notice")
    await expect(shown).to_have_count(3)
    await expect(shown.first).to_contain_text("in team 'Video Squad'")
    await rest.click()
    await expect(page).to_have_url(re.compile("/notifications$"))


@pytest.mark.parametrize("has_scripts", [True, False], ids=["scripts", "no scripts"])
async def test_mark_all_read_can_be_undone(
    site: Site, arrive: Arrive, alice: User, carol: User, squad: Team, has_scripts: bool
) -> None:
    async with site.db.act() as session:
        for name in ("B", "C"):
            facts: dict[str, Any] = {"old_name": "A", "new_name": name}
            await notify(session, TEAM_UPDATED, actor=carol, team=squad, **facts)
    visitor = await arrive(alice, java_script_enabled=has_scripts)
    page = await visitor.open("/teams")
    await open_panel(page)

    await panel(page).get_by_role("button", name="Mark all read").click()
    await expect(bell(page)).to_have_accessible_name("Notifications")
    await expect(page.get_by_text("2 notifications marked as read")).to_be_visible()
    await page.get_by_role("button", name="Undo").click()

    await expect(bell(page)).to_have_accessible_name("Notifications, 2 unread")


async def test_a_page_ends_where_the_one_before_did_and_says_what_is_new(
    site: Site, arrive: Arrive, alice: User, carol: User, squad: Team
) -> None:
    await rename(site, carol, squad, 25)
    visitor = await arrive(alice)
    page = await visitor.open("/notifications")
    first = await ids_of(page)

    await inbox(page).get_by_role("link", name="Next").focus()
    await rename(site, carol, squad, 3)
    await expect(page.get_by_role("link", name="Show 3 new notifications")).to_be_visible()
    await inbox(page).get_by_role("link", name="Next").click()

    await expect(page.get_by_text("Page 2 of 2")).to_be_visible()
    second = await ids_of(page)
    assert len(set(first) | set(second)) == 25
    await page.get_by_role("link", name="Show 3 new notifications").click()
    await expect(inbox(page).get_by_role("listitem").first).to_contain_text("Squad 2")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "1 second ago"),
        (45, "45 seconds ago"),
        (60, "1 minute ago"),
        (3 * 3600, "3 hours ago"),
        (86400, "yesterday"),
    ],
)
async def test_a_notice_says_how_old_it_is(
    site: Site, arrive: Arrive, alice: User, carol: User, squad: Team, seconds: int, words: str
) -> None:
    await rename(site, carol, squad, 1)
    visitor = await arrive(alice)
    page = await visitor.open("/notifications")
    age = inbox(page).locator("time").first
    made = datetime.fromisoformat(await age.get_attribute("datetime") or "")

    await page.clock.set_fixed_time(made + timedelta(seconds=seconds))
    await page.reload()

    await expect(age).to_have_text(words)


async def at(page: Page, site: Site, where: str) -> Locator:
    """The inbox, or the panel of another page."""
    if where == "inbox":
        await page.goto(f"{site.url}/notifications")
        return inbox(page)
    await page.goto(f"{site.url}/teams")
    await open_panel(page)
    return panel(page)


async def rename(site: Site, actor: User, team: Team, times: int) -> None:
    async with site.db.act() as session:
        for number in range(times):
            facts: dict[str, Any] = {"old_name": "A", "new_name": f"Squad {number}"}
            await notify(session, TEAM_UPDATED, actor=actor, team=team, **facts)


async def ids_of(page: Page) -> list[str]:
    rows = page.locator("#inbox-list li")
    return list(await rows.evaluate_all("rows => rows.map(row => row.dataset.id)"))


async def fail(site: Site, owner: User) -> None:
    """A compilation of the owner's project has failed."""
    project = Project(name="Reel", owner_id=owner.id)
    async with site.db.act() as session:
        session.add(project)
        await session.flush()
        clip = Clip(project_id=project.id, position=0, filename="a.mp4", stored_as="a", size=1)
        failed = Compilation(project_id=project.id, status="failed")
        session.add_all([clip, failed])
        await session.flush()
        await notify(
            session,
            COMPILATION_FAILED,
            project=project,
            compilation=failed,
            error="The disk was full.",
        )
