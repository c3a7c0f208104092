"""Swiped to the right, a row is done; to the left, it is snoozed. So is a part of an open group, alone, and
a row of the panel.
"""

import asyncio
import re
from collections.abc import Sequence

import pytest_asyncio
from playwright.async_api import CDPSession, Locator, expect
from sqlalchemy import select

from app.models import Team, User
from app.notifications.events.catalogue import CUSTOM
from app.notifications.notify import notify
from app.notifications.preferences import switches
from tests.factories import make_team
from tests.journeys.browsing import open_panel, panel, toasts
from tests.journeys.conftest import Arrive
from tests.journeys.reading import Reader
from tests.journeys.running import Site

# The script comes after the page, and only where there are fingers.
_IS_READY = """
async () => {
  const isIt = ({ name }) => name.endsWith("/swipe.js");
  const find = () => performance.getEntriesByType("resource").find(isIt);
  while (!find()) await new Promise(requestAnimationFrame);
  await import(find().name);
}
"""
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest_asyncio.fixture(loop_scope="session")
async def reader(site: Site, arrive: Arrive, alice: User, bob: User) -> Reader:
    """Bob at his inbox on a phone, with three notifications, the newest of which is called Render."""
    squad = await make_team(site.db, alice, editors=[bob])
    async with site.db.act() as session:
        for title in ("Backup", "Upload", "Render"):
            await notify(session, CUSTOM, actor=alice, team=squad, title=title, group_key=title)
    reader = Reader(await arrive(bob, **PHONE))
    await reader.open()
    return reader


def row(reader: Reader, title: str) -> Locator:
    return reader.rows.filter(has_text=title)


def part(reader: Reader, title: str) -> Locator:
    """Of the open group."""
    return reader.page.locator(".parts li").filter(has_text=title)


async def prefer_groups(site: Site, user: User) -> None:
    async with site.db.act() as session:
        await switches.change(session, user, {"grouping": True})


async def tell_together(site: Site, alice: User, *titles: str) -> None:
    """Bob's notifications of one group."""
    async with site.db.act() as session:
        squad = await session.scalar(select(Team))
        for title in titles:
            await notify(session, CUSTOM, actor=alice, team=squad, title=title, group_key="frames")


class Finger:
    """On the screen, from when it touches the middle of a row until it is lifted."""

    def __init__(self, session: CDPSession, x: float, y: float) -> None:
        self._session, self._x, self._y = session, x, y

    async def move(self, x: int = 0, y: int = 0) -> None:
        """In steps, and slower at the end: after a fast one, Chromium takes the next tap for the wish
        to stop the movement.
        """
        for part in (0.3, 0.3, 0.2, 0.1, 0.05, 0.03, 0.02, 0):
            self._x, self._y = self._x + x * part, self._y + y * part
            await self._send("touchMove")
            await asyncio.sleep(0.03)

    async def lift(self) -> None:
        await self._send("touchEnd")

    async def is_joined(self) -> None:
        """By a second finger, just below."""
        await self._send("touchStart", others=[{"x": self._x, "y": self._y + 40}])

    async def _send(self, kind: str, others: Sequence[dict[str, float]] = ()) -> None:
        points = [] if kind == "touchEnd" else [{"x": self._x, "y": self._y}, *others]
        await self._session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


async def touch(reader: Reader, place: Locator) -> Finger:
    await reader.page.evaluate(_IS_READY)
    session = await reader.visitor.context.new_cdp_session(reader.page)
    box = await place.bounding_box()
    assert box
    finger = Finger(session, box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    await finger._send("touchStart")
    return finger


async def left_edge(place: Locator) -> float:
    return float(await place.evaluate("row => row.getBoundingClientRect().left"))


async def test_swiped_to_the_right_a_row_is_done(reader: Reader) -> None:
    finger = await touch(reader, row(reader, "Upload"))
    await finger.move(x=130)
    assert await left_edge(row(reader, "Upload")) == 130
    await expect(row(reader, "Upload").locator(".swipe")).to_have_text("Done")

    await finger.lift()

    await expect(row(reader, "Upload")).to_have_count(0)
    await reader.is_told("1 notification done")
    await toasts(reader.page).get_by_role("button", name="Undo").tap()
    await expect(row(reader, "Upload")).to_be_visible()


async def test_swiped_to_the_left_a_row_is_snoozed_until_the_time_that_is_chosen(
    reader: Reader,
) -> None:
    finger = await touch(reader, row(reader, "Upload"))
    await finger.move(x=-130)
    await expect(row(reader, "Upload").locator(".swipe")).to_have_text("Snooze")
    await finger.lift()

    question = reader.page.get_by_role("dialog", name="Snooze until")
    await question.get_by_role("button").first.click()

    await expect(row(reader, "Upload")).to_have_count(0)
    await expect(row(reader, "Backup").locator(".notice-text")).to_be_focused()


async def test_in_another_view_a_row_is_moved_back_to_the_inbox(reader: Reader) -> None:
    await row(reader, "Upload").get_by_role("button", name="More").tap()
    await row(reader, "Upload").get_by_role("button", name="Done").tap()
    await expect(row(reader, "Upload")).to_have_count(0)
    await reader.open("?view=done")

    finger = await touch(reader, row(reader, "Upload"))
    await finger.move(x=130)
    await expect(row(reader, "Upload").locator(".swipe")).to_have_text("Move to inbox")
    await finger.lift()

    await expect(row(reader, "Upload")).to_have_count(0)
    await reader.open()
    await expect(row(reader, "Upload")).to_be_visible()


async def test_swiped_alone_a_part_of_an_open_group_leaves_the_others(
    site: Site, reader: Reader, alice: User, bob: User
) -> None:
    await prefer_groups(site, bob)
    await tell_together(site, alice, "Frame 1", "Frame 2", "Frame 3")
    await reader.open()
    await reader.page.get_by_role("button", name="Show 3 notifications").tap()

    resting = await left_edge(part(reader, "Frame 1"))
    finger = await touch(reader, part(reader, "Frame 2"))
    await finger.move(x=130)
    assert await left_edge(part(reader, "Frame 2")) == resting + 130
    assert await left_edge(part(reader, "Frame 1")) == resting
    await expect(part(reader, "Frame 2").locator(".swipe")).to_have_text("Done")
    await finger.lift()

    await expect(part(reader, "Frame 2")).to_have_count(0)
    await expect(part(reader, "Frame 1")).to_be_visible()
    await reader.is_told("1 notification done")
    await reader.open("?view=done")
    await expect(reader.rows).to_have_count(1)


async def test_in_the_panel_a_row_is_swiped_as_in_the_inbox(reader: Reader) -> None:
    page = await reader.visitor.open("/teams")
    await open_panel(page)
    rows = panel(page).get_by_role("listitem")
    upload = rows.filter(has_text="Upload")

    resting = await left_edge(upload)
    finger = await touch(reader, upload)
    await finger.move(x=130)
    assert await left_edge(upload) == resting + 130
    assert await panel(page).evaluate("panel => panel.querySelector('ul').scrollLeft") == 0
    await expect(upload.locator(".swipe")).to_have_text("Done")
    await finger.lift()
    await expect(rows).to_have_count(2)

    finger = await touch(reader, rows.filter(has_text="Backup"))
    await finger.move(x=-130)
    await finger.lift()
    await expect(page.get_by_role("dialog", name="Snooze until")).to_be_visible()


async def test_a_short_way_and_a_way_back_do_nothing(reader: Reader) -> None:
    for ways in ([60], [130, -100], [-130, 130]):
        finger = await touch(reader, row(reader, "Upload"))
        for way in ways:
            await finger.move(x=way)
        await finger.lift()
        await expect(row(reader, "Upload").locator(".swipe")).to_have_count(0)
        await expect(row(reader, "Upload")).not_to_have_attribute("style", re.compile("translate"))

    assert reader.page.url.endswith("/notifications")
    await expect(reader.rows).to_have_count(3)
    await expect(reader.page.get_by_role("dialog")).to_have_count(0)


async def test_a_finger_that_scrolls_swipes_nothing(reader: Reader) -> None:
    finger = await touch(reader, row(reader, "Upload"))
    await finger.move(y=-60)
    await finger.move(x=150)

    assert await left_edge(row(reader, "Upload")) == 0
    await finger.lift()
    await expect(reader.rows).to_have_count(3)


async def test_a_mouse_swipes_nothing(reader: Reader) -> None:
    mouse = reader.page.mouse
    await row(reader, "Upload").hover()
    await mouse.down()
    await mouse.move(360, 200, steps=5)

    await expect(reader.page.locator(".swipe")).to_have_count(0)
    await mouse.up()
    await expect(reader.rows).to_have_count(3)


async def test_a_second_finger_puts_the_row_back(reader: Reader) -> None:
    finger = await touch(reader, row(reader, "Upload"))
    await finger.move(x=130)
    await finger.is_joined()
    await finger.lift()

    await expect(row(reader, "Upload").locator(".swipe")).to_have_count(0)
    await expect(row(reader, "Upload")).to_have_css("translate", "none")
