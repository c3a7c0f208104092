"""Choosing what reaches one where: every switch stored the moment it is used, or all with Save."""

import re
import shutil
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect
from sqlalchemy import select

from app.models import User
from app.notifications.events.catalogue import CUSTOM
from app.notifications.notify import notify
from app.notifications.preferences import switches
from tests.factories import make_account, make_team
from tests.journeys.browsing import SERVER_IS_AWAY, open_panel, toasts, without_reload
from tests.journeys.conftest import Arrive
from tests.journeys.running import Site, serving

PAGE = "/account/notifications"
JOINS = "Someone joins one of your teams: Email"
KATHMANDU = re.compile("T23:15:00Z$")  # five in the morning
LEAVES = "Someone leaves one of your teams: Push"


def saved(page: Page) -> Locator:
    return page.get_by_role("status").filter(has_text="Saved")


async def held_by(site: Site, user: User) -> switches.Preferences:
    async with site.db.read() as session:
        return await switches.read(session, user)


async def exceptions(site: Site, user: User) -> dict[str, dict[str, bool]]:
    async with site.db.read() as session:
        return await switches.exceptions_of(session, user)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site(
    chromium: Browser, migrated: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Site]:
    """One for all: what each person chooses is their own, and no worker has to do with it."""
    folder = tmp_path_factory.mktemp("preferences")
    shutil.copy(migrated, folder)
    async with serving(folder, worker=False) as site:
        yield site
    assert "Traceback" not in site.log, site.log


@pytest_asyncio.fixture(loop_scope="session")
async def bob(site: Site) -> User:
    """A new one each time."""
    return await make_account(site.db, f"bob{next(_numbers)}")


_numbers = count()


@pytest_asyncio.fixture(loop_scope="session")
async def page(arrive: Arrive, bob: User) -> AsyncIterator[Page]:
    """The page as bob has it open."""
    opened = await (await arrive(bob)).open(PAGE)
    async with without_reload(opened):
        yield opened


async def test_a_switch_is_stored_the_moment_it_is_used(site: Site, page: Page, bob: User) -> None:
    switch = page.get_by_role("checkbox", name=JOINS)
    await switch.focus()
    await page.keyboard.press("Space")

    await expect(saved(page)).to_be_visible()
    await expect(switch).to_be_focused()
    await expect(page.get_by_role("link", name="Reset to defaults")).to_be_visible()
    assert await exceptions(site, bob) == {"member_added": {"email": False}}


async def test_with_fast_presses_the_last_one_counts(site: Site, page: Page, bob: User) -> None:
    switch = page.get_by_role("checkbox", name=LEAVES)
    await switch.evaluate("box => { for (let press = 0; press < 5; press++) box.click() }")

    await expect(page.locator(".htmx-request")).to_have_count(0)
    await expect(switch).to_be_checked()
    assert await exceptions(site, bob) == {"member_left": {"push": True}}


async def test_an_old_page_takes_back_nothing(site: Site, page: Page, bob: User) -> None:
    async with site.db.act() as session:
        await switches.change(session, bob, {"preferences": {"member_added": {"email": False}}})
        await switches.change(session, bob, {"digest": {"hour": 20}})

    await page.get_by_role("checkbox", name=LEAVES).check()
    await expect(saved(page)).to_be_visible()

    assert await exceptions(site, bob) == {
        "member_added": {"email": False},
        "member_left": {"push": True},
    }
    assert (await held_by(site, bob)).digest.hour == 20


async def test_groups_switched_on_in_one_tab_are_shown_in_another(
    site: Site, page: Page, bob: User
) -> None:
    squad = await make_team(site.db, await make_account(site.db, f"{bob.username}s"), editors=[bob])
    async with site.db.act() as session:
        for title in ("One", "Two"):
            await notify(session, CUSTOM, team=squad, title=title, group_key="a")
    inbox, home = await page.context.new_page(), await page.context.new_page()
    await inbox.goto(f"{site.url}/notifications")
    await home.goto(site.url)
    await open_panel(home)
    rows = inbox.locator("#inbox-list > ul > li"), home.locator("#panel-list > li")
    for shown in rows:
        await expect(shown).to_have_count(2)

    grouping = page.get_by_role("checkbox", name="Group notifications about the same thing")
    await grouping.check()

    for shown in rows:
        await expect(shown).to_have_count(1)
    await page.get_by_text("Never group").click()
    await page.get_by_role("checkbox", name=CUSTOM.label).last.check()
    for shown in rows:
        await expect(shown).to_have_count(2)


async def test_what_could_not_be_stored_goes_back(site: Site, arrive: Arrive, bob: User) -> None:
    visitor = await arrive(bob)
    visitor.watch.expect(SERVER_IS_AWAY)
    page = await visitor.open(PAGE)
    switch, hour = page.get_by_role("checkbox", name=JOINS), page.get_by_label("At", exact=True)

    await visitor.context.set_offline(True)
    await switch.click()
    await hour.select_option("05:00")

    await expect(toasts(page)).to_contain_text("cannot be reached")
    await expect(switch).to_be_checked()
    await expect(hour).to_have_value("8")
    assert await exceptions(site, bob) == {}


async def test_the_digest_says_when_the_next_one_is_due(site: Site, page: Page, bob: User) -> None:
    await page.get_by_role("checkbox", name="Send one digest instead of single emails").check()
    await expect(page.get_by_text("The next digest is due")).to_be_visible()
    hour = page.get_by_label("At", exact=True)
    await hour.focus()
    await hour.select_option("05:00")

    await expect(page.locator("#digest-hint")).to_contain_text(", 05:00.")
    await expect(hour).to_be_focused()
    zone = page.get_by_label("Time zone")
    await zone.select_option("Asia/Kathmandu")
    await expect(page.locator("#digest-hint time")).to_have_attribute("datetime", KATHMANDU)
    await expect(zone).to_have_value("Asia/Kathmandu")
    held = await held_by(site, bob)
    assert (held.digest, held.timezone) == (switches.Digest(True, "daily", 5), "Asia/Kathmandu")


async def test_what_is_wrong_is_said_beside_the_field_until_it_is_right(
    site: Site, arrive: Arrive, bob: User
) -> None:
    visitor = await arrive(bob)
    visitor.watch.expect("status of 422")
    page = await visitor.open(PAGE)
    zone = page.get_by_label("Time zone")
    await zone.evaluate("field => field.add(new Option('Mars', 'Mars/Base'))")

    await zone.select_option("Mars/Base")
    await expect(page.get_by_text("There is no time zone with this name.").last).to_be_visible()
    await expect(zone).to_have_value("Mars/Base")
    await expect(zone).to_have_attribute("aria-invalid", "true")

    await zone.select_option("Europe/Berlin")
    await expect(saved(page)).to_be_visible()
    await expect(page.get_by_text("There is no time zone with this name.")).to_have_count(0)
    assert (await held_by(site, bob)).timezone == "Europe/Berlin"


async def test_without_scripts_save_stores_everything(
    site: Site, arrive: Arrive, bob: User
) -> None:
    page = await (await arrive(bob, java_script_enabled=False)).open(PAGE)

    await page.get_by_role("checkbox", name=JOINS).uncheck()
    await page.get_by_role("checkbox", name="Send one digest instead of single emails").check()
    await page.get_by_label("How often").select_option("Every Monday")
    await page.get_by_label("Time zone").select_option("Europe/Berlin")
    await page.get_by_role("button", name="Save").first.click()

    await expect(saved(page)).to_be_visible()
    await expect(page.get_by_role("checkbox", name=JOINS)).not_to_be_checked()
    held = await held_by(site, bob)
    assert held.digest == switches.Digest(True, "weekly", 8)
    assert held.timezone == "Europe/Berlin"
    assert await exceptions(site, bob) == {"member_added": {"email": False}}


async def test_the_browsers_zone_is_taken_where_none_is_known(
    site: Site, arrive: Arrive, alice: User, bob: User
) -> None:
    async with site.db.write() as session:
        for user in (alice, bob):
            (await session.get_one(User, user.id)).timezone = ""
    visitor = await arrive(timezone_id="Pacific/Auckland")
    signed_in = await arrive(bob, timezone_id="Australia/Lord_Howe")

    await visitor.log_in(alice)
    page = await signed_in.open(PAGE)

    await expect(saved(page)).to_be_visible()
    assert (await held_by(site, alice)).timezone == "Pacific/Auckland"
    assert (await held_by(site, bob)).timezone == "Australia/Lord_Howe"


async def test_the_zone_comes_along_with_registration(site: Site, arrive: Arrive) -> None:
    visitor = await arrive(timezone_id="Pacific/Auckland", locale="en-GB")
    page = await visitor.open("/register")
    for label, text in (
        ("Username", "dora"),
        ("Email", "d@example.com"),
        ("Password", "correct horse"),
    ):
        await page.get_by_label(label).fill(text)
    await page.get_by_role("button", name="Create account").click()
    await page.wait_for_url(site.url + "/")

    async with site.db.read() as session:
        dora = await session.scalar(select(User).where(User.username == "dora"))
    assert dora
    assert (dora.timezone, dora.language) == ("Pacific/Auckland", "en")


async def test_nothing_runs_off_a_narrow_page(arrive: Arrive, bob: User) -> None:
    visitor = await arrive(bob, viewport={"width": 320, "height": 640})

    page = await visitor.open(PAGE)

    assert await page.evaluate("document.documentElement.scrollWidth") == 320
