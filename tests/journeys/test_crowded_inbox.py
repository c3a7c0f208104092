"""Long names, large groups and many views: nothing breaks, and nothing leaves its place."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from app.models import User
from app.notifications.events.catalogue import CUSTOM
from app.notifications.inbox import acts
from app.notifications.inbox.saved_views import create_view
from app.notifications.notify import notify
from app.notifications.preferences import switches
from tests.bell import newest_notices
from tests.factories import make_account, make_team
from tests.journeys.conftest import Arrive
from tests.journeys.running import Site
from tests.journeys.test_accessibility import overflowing

SCREENS: dict[str, dict[str, Any]] = {
    "desk": {"viewport": {"width": 1440, "height": 900}},
    "tablet": {"viewport": {"width": 900, "height": 700}},
    "phone": {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True},
}
ON_EACH = pytest.mark.parametrize("screen", SCREENS.values(), ids=SCREENS)
VIEWS = ("Renders", "Everything that waits in the north", "Urgent ones", "From the studio", "Bob")
LAST = "?q=Bob&status=unread"
# Those that are wider than the row in which they stand.
TOO_WIDE = """
parts => parts.filter(part => {
  const row = part.closest("#inbox-list > ul > li").getBoundingClientRect();
  const { left, right } = part.getBoundingClientRect();
  return left < row.left || right > row.right;
}).length
"""
# How far below the first of these the others begin.
LINES = "places => places.map(place => place.getBoundingClientRect().top - places[0].getBoundingClientRect().top)"
COLOUR = "place => getComputedStyle(place).color"
GROUND = "place => getComputedStyle(place).backgroundColor"


@pytest_asyncio.fixture(loop_scope="session", autouse=True)
async def reader(site: Site, bob: User, carol: User) -> User:
    """Bob, who has five views and a group of thirty renders, all but the newest read."""
    long = await make_account(site.db, "Bartholomäus-Maximilian.Featherstonehaugh")
    team = await make_team(
        site.db, long, "The department of long names in the north", editors=[bob]
    )
    async with site.db.act() as session:
        await switches.change(session, bob, {"grouping": True})
        for number in range(30):
            facts: dict[str, Any] = {
                "title": f"Render {number} of a title that goes on and on",
                "group_key": "a",
            }
            actor, body = (carol, long)[number % 2], "All of its frames are done. " * 5
            await notify(session, CUSTOM, actor=actor, team=team, **facts, body=body)
        _newest, second = await newest_notices(session, bob.id, 2)
        await acts.read_all(session, bob.id, second.position)
        for name in VIEWS:
            await create_view(
                session, bob, ZoneInfo("UTC"), name, f"q={name.split()[0]}&status=unread"
            )
    return bob


async def open_group(page: Page) -> None:
    await page.get_by_role("button", name="Show 30 notifications").click()
    await expect(page.locator(".parts li")).to_have_count(30)


@ON_EACH
async def test_the_parts_of_a_group_stand_within_its_row(
    arrive: Arrive, bob: User, screen: dict[str, Any]
) -> None:
    page = await (await arrive(bob, **screen)).open("/notifications")

    await open_group(page)

    assert await page.locator(".parts li").evaluate_all(TOO_WIDE) == 0
    assert await overflowing(page) == []


async def test_a_part_that_was_read_looks_read_in_a_group_that_was_not(
    arrive: Arrive, bob: User
) -> None:
    page = await (await arrive(bob)).open("/notifications")
    await open_group(page)
    unread, read = (page.locator(".parts li .notice-text").nth(number) for number in (0, 1))
    muted = await page.locator(".parts li .notice-meta").first.evaluate(COLOUR)

    assert await read.evaluate(COLOUR) == muted
    assert await unread.evaluate(COLOUR) != muted


async def test_a_checked_part_does_not_look_as_if_its_group_were_checked(
    arrive: Arrive, bob: User
) -> None:
    page = await (await arrive(bob, reduced_motion="reduce")).open("/notifications")
    await open_group(page)
    box = page.locator(".parts li").nth(1).get_by_role("checkbox")
    row, part = page.locator("#inbox-list > ul > li"), page.locator(".parts li").nth(1)
    await box.focus()
    before = await row.evaluate(GROUND), await part.evaluate(GROUND)

    await box.check()

    after = await row.evaluate(GROUND), await part.evaluate(GROUND)
    assert after[0] == before[0]
    assert after[1] != before[1]


@ON_EACH
async def test_the_heading_and_each_view_are_one_line_and_the_chosen_view_is_in_sight(
    arrive: Arrive, bob: User, screen: dict[str, Any]
) -> None:
    page = await (await arrive(bob, **screen)).open(f"/notifications{LAST}")
    views = page.get_by_role("navigation", name="Views").get_by_role("link")

    boxes = [await one.bounding_box() for one in [*await views.all(), page.locator("h1")]]
    assert all(box and box["height"] < 36 for box in boxes)
    await expect(views.filter(has_text="Bob")).to_have_attribute("aria-current", "page")
    await expect(views.filter(has_text="Bob")).to_be_in_viewport(ratio=1)
    assert await overflowing(page) == []


@pytest.mark.parametrize("screen", [SCREENS["desk"], SCREENS["tablet"]], ids=["desk", "tablet"])
async def test_further_filters_stand_in_a_line_of_their_own(
    arrive: Arrive, bob: User, screen: dict[str, Any]
) -> None:
    page = await (await arrive(bob, **screen)).open("/notifications?more=1")

    lines = await page.locator("#filters .field").evaluate_all(LINES)

    assert lines[:3] == [0, 0, 0]
    assert lines[3] > 20
    assert lines[3:] == [lines[3]] * 4


@ON_EACH
async def test_the_initials_of_compact_rows_stand_within_their_circles(
    site: Site, arrive: Arrive, bob: User, screen: dict[str, Any]
) -> None:
    async with site.db.act() as session:
        await switches.change(session, bob, {"density": "compact"})
    page = await (await arrive(bob, **screen)).open("/notifications")
    await open_group(page)

    tall = "all => all.filter(one => one.scrollHeight > one.clientHeight).length"
    assert await page.locator("#inbox .avatar").count() > 30
    assert await page.locator("#inbox .avatar").evaluate_all(tall) == 0


async def test_on_a_phone_each_button_for_what_is_selected_has_a_word(
    arrive: Arrive, bob: User
) -> None:
    page = await (await arrive(bob, **SCREENS["phone"])).open("/notifications")
    await page.locator("[name=ids]").check(force=True)
    buttons = page.locator(".bulk-actions button")

    words = [await one.inner_text() for one in await buttons.all()]

    assert words == ["Done", "Save", "Snooze", "Read", "Unread", "Delete"]
    assert len(set(await buttons.evaluate_all(LINES))) == 1
    await page.get_by_role("button", name="Mark selected as read").click()
    await expect(page.locator("#inbox .is-unread")).to_have_count(0)
