"""Where the focus goes when what had it is gone: it stays in the list, by key and by finger."""

from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from app.models import Team, User
from app.notifications.events.catalogue import CUSTOM
from app.notifications.notify import notify
from app.notifications.preferences import switches
from tests.factories import make_team
from tests.journeys.browsing import inbox, open_panel, panel, toasts
from tests.journeys.conftest import Arrive
from tests.journeys.running import Site

DESK = {"viewport": {"width": 1280, "height": 800}}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
SCREENS = pytest.mark.parametrize("screen", [DESK, PHONE], ids=["desk", "phone"])

# As WebKit does, and Firefox on a Mac: what is pressed with a pointer gets no focus.
NO_FOCUS_FOR_BUTTONS = """
document.addEventListener("mousedown", event => {
  if (!event.target.closest("button, [type=checkbox]")) return;
  event.preventDefault();
  document.activeElement.blur();
}, true);
"""


@pytest_asyncio.fixture(loop_scope="session", autouse=True)
async def squad(site: Site, alice: User, bob: User) -> Team:
    """Bob has three notifications, the newest of which is called Render."""
    squad = await make_team(site.db, alice, editors=[bob])
    async with site.db.act() as session:
        for title in ("Backup", "Upload", "Render"):
            await notify(session, CUSTOM, actor=alice, team=squad, title=title, group_key=title)
    return squad


def row(region: Locator, title: str) -> Locator:
    return region.get_by_role("listitem").filter(has_text=title)


async def is_at(region: Locator, title: str) -> None:
    """The sentence of this row has the focus."""
    await expect(row(region, title).locator(".notice-text")).to_be_focused()


@pytest.mark.parametrize("shortcuts", [True, False], ids=["keys", "no keys"])
async def test_after_undo_in_a_message_the_focus_is_in_the_list(
    site: Site, arrive: Arrive, bob: User, shortcuts: bool
) -> None:
    async with site.db.act() as session:
        await switches.change(session, bob, {"shortcuts": shortcuts})
    page = await (await arrive(bob)).open("/notifications")
    await row(inbox(page), "Upload").get_by_role("button", name="Done").press("Enter")
    await is_at(inbox(page), "Backup")

    await toasts(page).get_by_role("button", name="Undo").press("Enter")

    await expect(row(inbox(page), "Upload")).to_be_visible()
    await is_at(inbox(page), "Upload" if shortcuts else "Backup")


async def test_after_undo_of_all_the_focus_is_at_the_first_row(arrive: Arrive, bob: User) -> None:
    page = await (await arrive(bob)).open("/notifications")
    await page.get_by_label("Select this page").check()
    await page.locator("#bulk").get_by_role("button", name="Done").press("Enter")
    await expect(page.locator("#main")).to_be_focused()

    await toasts(page).get_by_role("button", name="Undo").press("Enter")

    await is_at(inbox(page), "Render")


async def test_after_undo_of_what_was_done_in_the_panel_the_focus_is_there(
    arrive: Arrive, bob: User
) -> None:
    page = await (await arrive(bob)).open("/")
    await open_panel(page)
    await row(panel(page), "Upload").get_by_role("button", name="Done").press("Enter")
    await is_at(panel(page), "Backup")

    await toasts(page).get_by_role("button", name="Undo").press("Enter")

    await expect(row(panel(page), "Upload")).to_be_visible()
    assert await page.evaluate("document.activeElement.closest('#panel li') !== null")


@SCREENS
@pytest.mark.parametrize("hands", ["", NO_FOCUS_FOR_BUTTONS], ids=["focus", "no focus"])
async def test_after_the_question_of_snooze_the_focus_is_in_the_inbox(
    arrive: Arrive, bob: User, screen: dict[str, Any], hands: str
) -> None:
    visitor = await arrive(bob, **screen)
    await visitor.context.add_init_script(hands or ";")
    page = await visitor.open("/notifications")

    await ask(page, inbox(page))
    await dialog(page).get_by_role("link", name="Cancel").click()
    await expect(dialog(page)).to_be_hidden()
    await is_in(row(inbox(page), "Upload"))

    await ask(page, inbox(page))
    await dialog(page).get_by_role("button").first.click()
    await expect(row(inbox(page), "Upload")).to_have_count(0)
    await is_at(inbox(page), "Backup")
    await toasts(page).get_by_role("button", name="Undo").click()
    await is_at(inbox(page), "Upload")


@SCREENS
@pytest.mark.parametrize("hands", ["", NO_FOCUS_FOR_BUTTONS], ids=["focus", "no focus"])
async def test_after_the_question_of_snooze_the_panel_is_open_and_has_the_focus(
    arrive: Arrive, bob: User, screen: dict[str, Any], hands: str
) -> None:
    visitor = await arrive(bob, **screen)
    await visitor.context.add_init_script(hands or ";")
    page = await visitor.open("/")
    await open_panel(page)

    await ask(page, panel(page))
    await page.keyboard.press("Escape")
    await expect(panel(page)).to_be_visible()
    await is_in(row(panel(page), "Upload"))

    await ask(page, panel(page))
    await dialog(page).get_by_role("button").first.click()
    await expect(panel(page)).to_be_visible()
    await expect(row(panel(page), "Upload")).to_have_count(0)
    await is_at(panel(page), "Backup")


async def ask(page: Page, region: Locator) -> None:
    """Presses Snooze of the second row, on a phone in its menu."""
    second = row(region, "Upload")
    await second.hover()
    more = second.get_by_role("button", name="More")
    if await more.is_visible():
        await more.click()
    await second.get_by_role("button", name="Snooze").click()
    await expect(dialog(page)).to_be_visible()


def dialog(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Snooze until")


async def is_in(region: Locator) -> None:
    """Something in it has the focus."""
    await expect(region.locator(":focus")).to_have_count(1)
