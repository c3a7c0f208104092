"""The reading pane beside the list, on a wide screen."""

import re

import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from app.models import Membership, Team, User
from app.notifications.events.catalogue import CUSTOM
from app.notifications.inbox import acts
from app.notifications.inbox.selection import Selection
from app.notifications.notify import notify
from app.teams.invitations import invite
from tests.bell import newest_notices
from tests.factories import make_team
from tests.journeys.conftest import Arrive
from tests.journeys.reading import Reader
from tests.journeys.running import Site
from tests.journeys.test_inbox_answers import ended_compilation
from tests.journeys.test_notices import fail

WIDE = {"width": 1280, "height": 800}
TITLES = ("One", "Two", "Three")  # the last is the newest


@pytest_asyncio.fixture(loop_scope="session")
async def squad(site: Site, alice: User, bob: User) -> Team:
    team = await make_team(site.db, alice, editors=[bob])
    await tell(site, alice, team, *TITLES)
    return team


@pytest_asyncio.fixture(loop_scope="session")
async def reader(arrive: Arrive, bob: User, squad: Team) -> Reader:
    """Bob at his inbox, where alice's integration has sent him three notifications."""
    reader = Reader(await arrive(bob, viewport=WIDE))
    await reader.open()
    return reader


async def tell(site: Site, alice: User, team: Team, *titles: str) -> None:
    async with site.db.act() as session:
        for title in titles:
            body = f"What happened at {title}."
            await notify(
                session, CUSTOM, actor=alice, team=team, title=title, body=body, group_key=title
            )


def row(reader: Reader, title: str) -> Locator:
    return reader.rows.filter(has=reader.page.get_by_text(title, exact=True))


def pane(page: Page) -> Locator:
    return page.get_by_role("region", name="Reading pane")


async def shows(page: Page, title: str) -> None:
    await expect(pane(page).get_by_role("heading")).to_have_text(title)


async def test_it_follows_the_row_that_has_the_focus_and_gives_it_back(reader: Reader) -> None:
    page = reader.page
    for key in ("j", "o"):
        await page.keyboard.press(key)
    await shows(page, "Three")
    await expect(pane(page)).to_contain_text("What happened at Three.")
    await expect(row(reader, "Three").locator(".notice-text")).to_be_focused()

    await page.keyboard.press("j")
    await shows(page, "Two")
    await expect(row(reader, "Two").locator(".notice-text")).to_be_focused()
    await expect(row(reader, "Two").get_by_role("button", name="Mark as unread")).to_have_count(1)
    await expect(row(reader, "One").get_by_role("button", name="Mark as read")).to_have_count(1)

    await page.keyboard.press("Escape")
    await expect(pane(page)).to_be_hidden()
    await expect(row(reader, "Two").locator(".notice-text")).to_be_focused()


async def test_a_click_shows_the_row_in_it_while_it_is_open(reader: Reader) -> None:
    page = reader.page
    await page.get_by_role("button", name="Reading pane").click()
    await expect(pane(page)).to_contain_text("Choose a notification to read it here.")

    await row(reader, "One").locator(".notice-text").click()
    await shows(page, "One")
    await pane(page).get_by_role("button", name="Close").click()
    await expect(row(reader, "One").locator(".notice-text")).to_be_focused()
    await row(reader, "One").locator(".notice-text").click()

    await expect(page.get_by_role("heading", name="One", level=1)).to_be_visible()


async def test_on_a_narrower_screen_there_is_none(arrive: Arrive, bob: User, squad: Team) -> None:
    reader = Reader(await arrive(bob, viewport={"width": 1199, "height": 800}))
    await reader.open()

    for key in ("j", "o"):
        await reader.page.keyboard.press(key)

    await expect(reader.page.get_by_role("button", name="Reading pane")).to_be_hidden()
    await expect(pane(reader.page)).to_be_hidden()


async def test_it_says_what_becomes_of_its_notification_and_stays_while_others_arrive(
    site: Site, reader: Reader, alice: User, bob: User, squad: Team
) -> None:
    page = reader.page
    for key in ("j", "o"):
        await page.keyboard.press(key)
    await shows(page, "Three")

    await tell(site, alice, squad, "Four")
    await expect(page.get_by_role("link", name="Show 1 new notification")).to_be_visible()
    await shows(page, "Three")
    async with site.db.act() as session:
        [_four, three, *_rest] = await newest_notices(session, bob.id)
        await acts.delete(session, bob.id, Selection([three.id]))

    await expect(pane(page)).to_contain_text("This notification was removed.")


async def test_an_invitation_is_answered_in_it(
    site: Site, reader: Reader, bob: User, carol: User
) -> None:
    club = await make_team(site.db, carol, "Film Club")
    async with site.db.act() as session:
        await invite(session, carol, club.id, bob.email, "editor")
    page = reader.page
    await reader.open()
    for key in ("j", "o"):
        await page.keyboard.press(key)

    await pane(page).get_by_role("button", name="Accept").click()

    await reader.is_told("Welcome to 'Film Club'.")
    await expect(pane(page)).to_contain_text("Accepted")
    await expect(pane(page).get_by_role("button", name="Accept")).to_have_count(0)
    async with site.db.read() as session:
        assert await session.get(Membership, (club.id, bob.id))


async def test_a_failed_compilation_is_tried_again_in_it(
    site: Site, reader: Reader, bob: User
) -> None:
    await fail(site, bob)
    page = reader.page
    await reader.open()
    for key in ("j", "o"):
        await page.keyboard.press(key)
    await expect(pane(page)).to_contain_text("The disk was full.")

    await pane(page).get_by_role("button", name="Retry").click()

    await reader.is_told("Compiling again.")
    assert (await ended_compilation(site)).requested_by_id == bob.id


async def test_it_is_still_there_when_back_has_renewed_the_page(reader: Reader) -> None:
    page = reader.page
    await page.get_by_label("Status").select_option("unread")
    await expect(page).to_have_url(re.compile("status=unread"))
    for key in ("j", "o"):
        await page.keyboard.press(key)
    await shows(page, "Three")
    await page.get_by_role("link", name="Remove filter: Unread").click()
    await expect(page).not_to_have_url(re.compile("status"))

    await page.go_back()
    await expect(page).to_have_url(re.compile("status=unread"))
    await shows(page, "Three")
    await pane(page).get_by_role("button", name="Close").click()
    await expect(pane(page)).to_be_hidden()
    await page.keyboard.press("o")
    await expect(pane(page)).to_be_visible()


async def test_a_reload_leaves_it_as_it_was_and_reads_nothing_again(reader: Reader) -> None:
    page = reader.page
    for key in ("j", "o"):
        await page.keyboard.press(key)
    await shows(page, "Three")
    await row(reader, "Three").get_by_role("button", name="Mark as unread").click()
    await expect(row(reader, "Three").get_by_role("button", name="Mark as read")).to_have_count(1)

    await page.reload()
    await shows(page, "Three")
    await expect(row(reader, "Three")).to_have_attribute("aria-current", "true")
    await expect(row(reader, "Three").get_by_role("button", name="Mark as read")).to_have_count(1)

    await pane(page).get_by_role("button", name="Close").click()
    await page.reload()
    await expect(page.get_by_role("button", name="Reading pane")).to_be_visible()
    await expect(pane(page)).to_be_hidden()
