"""How much of the inbox and the panel a screen shows, and how many Tab stops lead through it."""

from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from app.models import Project, Team, User
from app.notifications.events.audience import personally
from app.notifications.events.catalogue import CUSTOM, TYPES
from app.notifications.notify import notify
from app.notifications.preferences import switches
from app.teams.invitations import invite
from tests.factories import make_team
from tests.journeys.browsing import open_panel, panel
from tests.journeys.conftest import Arrive
from tests.journeys.running import Site
from tests.journeys.test_accessibility import TOO_PALE

LAPTOP = {"viewport": {"width": 1440, "height": 900}}
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
ROW = "#inbox li"

# The rows that are seen from their upper to their lower edge: nothing lies in front of them.
WHOLE = """
rows => rows.filter(row => {
  const { left, top, bottom } = row.getBoundingClientRect();
  return [top + 2, bottom - 2].every(y => row.contains(document.elementFromPoint(left + 8, y)));
}).length
"""
HEIGHTS = "rows => rows.map(row => [row.innerText, row.getBoundingClientRect().height])"
HAS_ITS_MIDDLE = """
link => {
  const { left, top, width, height } = link.getBoundingClientRect();
  return link.contains(document.elementFromPoint(left + width / 2, top + height / 2));
}
"""
IS_IN_INBOX = "document.activeElement.closest('#inbox') !== null"


@pytest_asyncio.fixture(loop_scope="session")
async def squad(site: Site, alice: User, bob: User) -> Team:
    """Bob, its editor, has two notifications of every type, and is invited to another team."""
    squad = await make_team(site.db, alice, editors=[bob])
    club = await make_team(site.db, alice, "Film Club")
    async with site.db.act() as session:
        project = Project(name="Highlight Reel", owner_id=alice.id)
        session.add(project)
        await session.flush()
        about: dict[str, Any] = {"actor": alice, "team": squad, "project": project}
        only_bob = personally(User.id).where(User.id == bob.id)
        for event_type in [*TYPES.values()] * 2:
            facts = about | dict(event_type.example)
            await notify(session, event_type, affected=bob, recipients=only_bob, **facts)
        await invite(session, alice, club.id, bob.email, "editor")
    return squad


@pytest.mark.parametrize(("screen", "rows"), [(LAPTOP, 15), (PHONE, 6)], ids=["laptop", "phone"])
async def test_a_screen_shows_many_rows_and_little_above_them(
    arrive: Arrive, bob: User, squad: Team, screen: dict[str, Any], rows: int
) -> None:
    page = await (await arrive(bob, **screen)).open("/notifications")
    first = await page.locator(ROW).first.bounding_box()

    assert first
    assert first["y"] <= screen["viewport"]["height"] * 0.2
    assert await page.locator(ROW).evaluate_all(WHOLE) >= rows


@pytest.mark.parametrize("grouping", [False, True], ids=["alone", "groups"])
async def test_a_row_of_any_type_takes_44_pixels_and_on_a_phone_at_most_64(
    site: Site, arrive: Arrive, bob: User, squad: Team, grouping: bool
) -> None:
    await prefer(site, bob, grouping=grouping)
    laptop = await (await arrive(bob, **LAPTOP)).open("/notifications")
    phone = await (await arrive(bob, **PHONE)).open("/notifications")

    assert others(await heights(laptop), 40, 48) == {}
    assert others(await heights(phone), 56, 64) == {}
    await prefer(site, bob, density="compact")
    assert others(await heights(laptop), 24, 36) == {}


async def test_on_a_phone_an_answer_is_in_the_row_and_the_other_in_its_menu(
    arrive: Arrive, bob: User, squad: Team
) -> None:
    page = await (await arrive(bob, **PHONE)).open("/notifications")
    row = page.locator(ROW).filter(has_text="'Film Club'")
    await expect(row.get_by_role("button", name="Accept")).to_be_visible()
    await expect(row.get_by_role("button", name="Decline")).to_have_count(0)

    await row.get_by_role("button", name="More").tap()
    await row.get_by_role("button", name="Decline").tap()

    await expect(row.get_by_text("Declined", exact=True)).to_be_visible()
    await expect(row.get_by_role("button", name="Accept")).to_have_count(0)
    await expect(row.get_by_role("button", name="Done")).to_be_hidden()


@pytest.mark.parametrize(
    ("width", "has_pane"), [(700, False), (800, False), (1280, False), (1280, True)]
)
async def test_what_appears_in_a_row_leaves_the_middle_of_its_sentence_free(
    site: Site, arrive: Arrive, bob: User, squad: Team, width: int, has_pane: bool
) -> None:
    async with site.db.act() as session:
        facts: dict[str, Any] = dict(CUSTOM.example)
        await notify(session, CUSTOM, team=squad, **facts)
    viewport = {"width": width, "height": 800}
    page = await (await arrive(bob, viewport=viewport)).open("/notifications")
    sentence = page.locator("#inbox .notice-text").first
    if has_pane:
        await page.get_by_role("button", name="Reading pane").click()

    await sentence.hover()

    assert await sentence.evaluate(HAS_ITS_MIDDLE)
    await sentence.focus()
    for _control in range(9):  # the last one
        await page.keyboard.press("ArrowRight")
    link = page.locator("#inbox .notice-actions").first
    await expect(link.get_by_role("link")).to_be_focused()
    await expect(link).to_have_css("opacity", "1")


async def test_tab_leads_through_the_list_with_one_stop_a_row(
    arrive: Arrive, bob: User, squad: Team
) -> None:
    page = await (await arrive(bob, **LAPTOP)).open("/notifications")
    rows = await page.locator(ROW).count()
    own = await page.locator("#inbox :is(a, button, input):not(li *):visible").count()

    await page.locator("#filter-line :is(a, button)").last.focus()
    stops = 0
    await page.keyboard.press("Tab")
    while await page.evaluate(IS_IN_INBOX):
        stops += 1
        await page.keyboard.press("Tab")

    assert (rows, own) == (20, 3)
    assert stops == rows + own


async def test_the_panel_shows_eight_rows_and_leads_to_all_of_them_first(
    arrive: Arrive, bob: User, squad: Team
) -> None:
    page = await (await arrive(bob, **LAPTOP, reduced_motion="reduce")).open("/")
    await open_panel(page)
    rows = panel(page).get_by_role("listitem")

    await expect(rows).to_have_count(20)
    assert await rows.evaluate_all(WHOLE) >= 8
    await expect(panel(page).get_by_role("link").first).to_have_accessible_name("See all")


async def test_the_dashboard_has_no_other_link_that_reads_like_the_one_of_the_panel(
    arrive: Arrive, bob: User, squad: Team
) -> None:
    page = await (await arrive(bob, **LAPTOP)).open("/")
    await open_panel(page)

    await expect(page.get_by_role("link", name="See all")).to_have_count(1)
    await expect(page.get_by_role("link", name="All notifications")).to_have_count(1)


async def test_on_a_phone_a_row_of_the_panel_takes_at_most_72_pixels_and_one_more_line_for_answers(
    arrive: Arrive, bob: User, squad: Team
) -> None:
    page = await (await arrive(bob, **PHONE, reduced_motion="reduce")).open("/")
    await open_panel(page)
    rows = panel(page).get_by_role("listitem")

    await expect(rows).to_have_count(20)
    ask = page.locator(".notice-actions button")
    assert others(dict(await rows.filter(has_not=ask).evaluate_all(HEIGHTS)), 56, 72) == {}
    assert others(dict(await rows.filter(has=ask).evaluate_all(HEIGHTS)), 88, 108) == {}
    invited = rows.filter(has_text="'Film Club'")
    for name in ("Accept", "Decline", "Done", "Snooze"):
        await expect(invited.get_by_role("button", name=name)).to_be_visible()


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
async def test_words_stand_out_in_every_state_of_a_row(
    site: Site, arrive: Arrive, bob: User, squad: Team, width: int, colours: str
) -> None:
    await prefer(site, bob, grouping=True)
    viewport = {"width": width, "height": 800}
    visitor = await arrive(bob, viewport=viewport, color_scheme=colours, reduced_motion="reduce")
    page = await visitor.open("/notifications")
    urgent = page.locator(ROW).filter(has_text="Urgent").first

    await urgent.hover()
    assert await page.evaluate(TOO_PALE) == []
    await urgent.get_by_role("checkbox").check(force=True)
    assert await page.evaluate(TOO_PALE) == []
    await page.get_by_role("button", name="Show 2 notifications").first.click()
    await expect(page.locator(".parts li")).to_have_count(2)
    assert await page.evaluate(TOO_PALE) == []
    await page.keyboard.press("?")
    assert await page.evaluate(TOO_PALE) == []
    await page.keyboard.press("Escape")
    await open_panel(page)
    await panel(page).get_by_role("listitem").filter(has_text="Urgent").first.hover()
    assert await page.evaluate(TOO_PALE) == []


async def prefer(site: Site, user: User, **wanted: Any) -> None:
    async with site.db.act() as session:
        await switches.change(session, user, wanted)


async def heights(page: Page) -> dict[str, int]:
    """Of every row of the inbox, by what it says."""
    by_text: dict[str, int] = {}
    for number in (1, 2):
        await page.goto(f"{page.url.partition('?')[0]}?page={number}")
        by_text |= await page.locator(ROW).evaluate_all(HEIGHTS)
    return by_text


def others(heights: dict[str, int], least: int, most: int) -> dict[str, int]:
    """Those of other heights."""
    return {text: height for text, height in heights.items() if not least <= height <= most}
