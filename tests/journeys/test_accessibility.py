"""Keyboard, names, focus and narrow screens, over real pages full of notices."""

import re

import pytest
from playwright.async_api import Page, expect

from app.models import User
from tests.factories import make_account
from tests.journeys.browsing import bell, open_panel, panel
from tests.journeys.conftest import Arrive
from tests.journeys.large_world import NOTICES, SQUAD
from tests.journeys.reading import Reader
from tests.journeys.running import Site

pytestmark = pytest.mark.large_world
UNREAD = NOTICES - NOTICES % 7
PAGES = (
    "/",
    "/notifications",
    "/teams",
    f"/teams/{SQUAD}",
    "/projects",
    "/projects/1",
    "/account",
    "/account/notifications",
)


async def test_the_bell_says_how_many_are_unread(site: Site, arrive: Arrive, alice: User) -> None:
    many, none = await arrive(alice), await arrive(await make_account(site.db, "dora"))

    page = await many.open()
    await expect(bell(page)).to_have_accessible_name("Notifications, 99+ unread")
    await expect(bell(page).locator(".badge")).to_have_text("99+")
    page = await none.open()
    await expect(bell(page)).to_have_accessible_name("Notifications")
    await expect(bell(page).locator(".badge")).to_be_hidden()


async def test_the_panel_opens_and_closes_by_keyboard_and_gives_the_focus_back(
    arrive: Arrive, alice: User
) -> None:
    page = await (await arrive(alice)).open()
    await bell(page).focus()

    await page.keyboard.press("Enter")
    await expect(panel(page).get_by_role("heading", name="Notifications")).to_be_visible()
    await expect(panel(page).get_by_role("listitem")).to_have_count(20)
    await page.keyboard.press("Tab")
    await expect(panel(page).get_by_role("button", name="Mark all read")).to_be_focused()
    await page.keyboard.press("Escape")

    await expect(panel(page)).to_be_hidden()
    await expect(bell(page)).to_be_focused()


async def test_the_focus_stays_with_what_was_done(arrive: Arrive, alice: User) -> None:
    reader = Reader(await arrive(alice))
    await reader.open()
    row = reader.row(UNREAD)

    await row.get_by_role("button", name="Mark as read").press("Enter")
    await expect(row.get_by_role("button", name="Mark as unread")).to_be_focused()
    await row.get_by_role("button", name="Delete").press("Enter")
    await expect(row.get_by_role("button", name="Undo")).to_be_focused()
    await row.get_by_role("button", name="Undo").press("Enter")
    await expect(row.get_by_role("button", name="Delete")).to_be_focused()

    await reader.choose(UNREAD)
    await reader.page.get_by_role("button", name="Mark selected as unread").press("Enter")
    await expect(reader.page.get_by_label("Select this page")).to_be_focused()


async def test_every_control_of_a_row_says_what_it_is_about(arrive: Arrive, alice: User) -> None:
    reader = Reader(await arrive(alice))
    await reader.open()
    row = reader.row(UNREAD)
    said = re.sub(r"^Unread\s+", "", await row.locator(".notice-text").inner_text())

    await expect(row.get_by_role("checkbox")).to_have_accessible_name(f"Select: {said}")
    for name in ("Mark as read", "Delete"):
        button = row.get_by_role("button", name=name, exact=True)
        await expect(button).to_have_accessible_description(re.compile(re.escape(said)))
    for label in ("Type", "Status", "Date"):
        await expect(reader.page.get_by_role("combobox", name=label, exact=True)).to_be_visible()


@pytest.mark.parametrize("colours", ["light", "dark"])
async def test_nothing_is_wider_than_a_small_phone(
    arrive: Arrive, alice: User, colours: str
) -> None:
    phone = {"width": 320, "height": 640}
    visitor = await arrive(alice, viewport=phone, color_scheme=colours, reduced_motion="reduce")

    for path in PAGES:
        page = await visitor.open(path)
        assert await overflowing(page) == [], path
    await open_panel(page)
    assert await overflowing(page) == []


@pytest.mark.parametrize("colours", ["light", "dark"])
async def test_words_stand_out_from_their_ground(arrive: Arrive, alice: User, colours: str) -> None:
    """WCAG 2.2, 1.4.3: 4.5 to 1, for everything that is written in the inbox and the panel."""
    visitor = await arrive(alice, color_scheme=colours, reduced_motion="reduce")
    page = await visitor.open("/notifications")
    await page.locator("[name=ids]").first.check()
    await open_panel(page)

    assert await page.evaluate(TOO_PALE) == []


async def overflowing(page: Page) -> list[str]:
    """Elements that reach beyond the right edge, so that the page scrolls sideways."""
    return list(await page.evaluate(TOO_WIDE))


TOO_WIDE = """
() => document.documentElement.scrollWidth <= innerWidth ? [] :
  [...document.querySelectorAll("body *")]
    .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
    .map((one) => one.outerHTML.slice(0, 120))
"""
TOO_PALE = """
() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const mix = (...colours) => {
    canvas.clearRect(0, 0, 1, 1);
    for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (rgb) => {
    const [r, g, b] = rgb.map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const grounds = (one) => (one ? [...grounds(one.parentElement), getComputedStyle(one).backgroundColor] : []);
  const isWritten = (one) => one.checkVisibility({ checkVisibilityCSS: true }) && !one.matches(".visually-hidden, :disabled") &&
    [...one.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim());
  return [...document.querySelectorAll("body *")].filter(isWritten).flatMap((one) => {
    const behind = grounds(one);
    const [a, b] = [light(mix(...behind)), light(mix(...behind, getComputedStyle(one).color))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    return contrast < 4.5 ? [`${contrast.toFixed(2)}: ${one.outerHTML.slice(0, 100)}`] : [];
  });
}
"""
