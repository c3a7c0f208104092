"""Urgent notifications on top of an open inbox, for a user who wants that."""

from typing import Any

import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from app.models import Team, User
from app.notifications.events.catalogue import CUSTOM
from app.notifications.notify import notify
from app.notifications.preferences import switches
from tests.factories import make_team
from tests.journeys.browsing import bell, inbox, open_panel, panel
from tests.journeys.conftest import Arrive
from tests.journeys.reading import Reader
from tests.journeys.running import Site


@pytest_asyncio.fixture(loop_scope="session")
async def team(site: Site, alice: User, bob: User) -> Team:
    """Bob has "Urgent first" switched on, an urgent notification and then an ordinary one."""
    async with site.db.act() as session:
        await switches.change(session, bob, {"urgent_first": True})
    team = await make_team(site.db, alice, editors=[bob])
    await tell(site, alice, team, "Fire", "high")
    await tell(site, alice, team, "Lunch")
    return team


@pytest_asyncio.fixture(loop_scope="session")
async def reader(arrive: Arrive, bob: User, team: Team) -> Reader:
    reader = Reader(await arrive(bob))
    await reader.open()
    return reader


async def tell(site: Site, alice: User, team: Team, title: str, priority: str = "normal") -> None:
    async with site.db.act() as session:
        facts: dict[str, Any] = {"title": title, "group_key": title, "priority": priority}
        await notify(session, CUSTOM, actor=alice, team=team, **facts)


def under(page: Page, heading: str) -> Locator:
    """The sentences under a heading of the inbox."""
    return inbox(page).get_by_role("list", name=heading).locator(".notice-text > span:last-child")


async def test_what_is_urgent_arrives_on_top_is_done_by_key_and_comes_back_there(
    site: Site, alice: User, team: Team, reader: Reader
) -> None:
    page = reader.page
    urgent, today = under(page, "Urgent"), under(page, "Today")

    await tell(site, alice, team, "Flood", "high")
    await tell(site, alice, team, "Tea")
    await expect(urgent).to_have_text(["Flood", "Fire"])
    await expect(today).to_have_text(["Tea", "Lunch"])

    await page.keyboard.press("j")
    await page.keyboard.press("e")
    await expect(urgent).to_have_text(["Fire"])
    await expect(today).to_have_text(["Tea", "Lunch"])
    await expect(page.locator(".notice-text:focus")).to_have_text("Unread Fire")

    await page.keyboard.press("z")
    await expect(urgent).to_have_text(["Flood", "Fire"])
    await expect(today).to_have_text(["Tea", "Lunch"])


async def test_a_row_that_is_read_goes_back_to_its_place_once_nobody_is_at_the_list(
    site: Site, alice: User, team: Team, reader: Reader
) -> None:
    page = reader.page
    urgent, today = under(page, "Urgent"), under(page, "Today")

    await page.keyboard.press("j")
    await page.keyboard.press("u")
    await expect(reader.rows.first.get_by_title("Mark as unread")).to_be_attached()
    await tell(site, alice, team, "Tea")
    await expect(page.get_by_role("link", name="Show 1 new notification")).to_be_visible()
    await expect(urgent).to_have_text(["Fire"])

    await page.get_by_role("link", name="Show 1 new notification").click()
    await expect(today).to_have_text(["Tea", "Lunch", "Fire"])
    await expect(urgent).to_have_count(0)


async def test_what_is_urgent_is_the_first_in_the_panel_and_what_arrives_finds_its_place(
    site: Site, alice: User, team: Team, reader: Reader
) -> None:
    page = await reader.visitor.open("/teams")
    told = panel(page).locator(".notice-text > span:last-child")
    await tell(site, alice, team, "Flood", "high")
    await tell(site, alice, team, "Tea")
    await expect(bell(page)).to_have_accessible_name("Notifications, 4 unread")

    await open_panel(page)
    await expect(told).to_have_text(["Flood", "Fire", "Tea", "Lunch"])
    await tell(site, alice, team, "Cake")
    await expect(told).to_have_text(["Flood", "Fire", "Cake", "Tea", "Lunch"])

    await page.keyboard.press("j")
    await page.keyboard.press("u")
    await expect(told).to_have_text(["Fire", "Cake", "Tea", "Flood", "Lunch"])
    await expect(page.locator(".notice-text:focus")).to_have_text("Flood")


async def test_the_panel_of_an_open_page_is_arranged_anew_once_that_is_wanted(
    site: Site, arrive: Arrive, bob: User, team: Team
) -> None:
    async with site.db.act() as session:
        await switches.change(session, bob, {"urgent_first": False})
    page = await (await arrive(bob)).open("/account/notifications")
    told = panel(page).locator(".notice-text > span:last-child")

    await page.get_by_label("Urgent first").check()
    await open_panel(page)
    await expect(told).to_have_text(["Fire", "Lunch"])
    await page.keyboard.press("Escape")
    await page.get_by_label("Urgent first").uncheck()
    await open_panel(page)
    await expect(told).to_have_text(["Lunch", "Fire"])
