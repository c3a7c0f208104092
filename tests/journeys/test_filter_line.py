"""The filters above the inbox, with scripts and without."""

import re

import pytest
from playwright.async_api import Locator, expect

from app.models import Team, User
from app.notifications.events.catalogue import MEMBER_LEFT, TEAM_UPDATED
from app.notifications.notify import notify
from tests.factories import make_team
from tests.journeys.conftest import Arrive, Sit
from tests.journeys.reading import Reader
from tests.journeys.running import Site
from tests.journeys.test_accessibility import TOO_PALE, overflowing

BOTH = "?type=member_left&type=team_updated"
MIDDLES = """
places => places.map(place => place.getBoundingClientRect()).map(({ top, bottom }) => (top + bottom) / 2)
"""
# Those whose words need more room than there is.
CUT = """
places => places.filter(place => {
  const style = getComputedStyle(place);
  if (style.opacity === "0" || place.matches(".search-field *, .is-icon")) return false;
  const canvas = document.createElement("canvas").getContext("2d");
  canvas.font = style.font;
  const words = place.matches("select") ? place.selectedOptions[0].text : place.innerText.trim();
  const room = place.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
  return canvas.measureText(words).width > room + 1;
}).map(place => place.outerHTML.slice(0, 120))
"""
# Nothing lies in front of it, from its left to its right edge.
IS_IN_SIGHT = """
place => {
  const { left, right, top, bottom } = place.getBoundingClientRect();
  const y = (top + bottom) / 2;
  return [left + 4, right - 4].every(x => place.contains(document.elementFromPoint(x, y)));
}
"""
# The words of the line in a language whose words are longer.
GERMAN = {
    "Only unread": "Nur ungelesene",
    "Type": "Art",
    "Status": "Zustand",
    "Date": "Zeitraum",
    "More filters": "Weitere Filter",
    "All types": "Alle Arten",
    "All time": "Gesamter Zeitraum",
    "Last 3 months": "Letzte drei Monate",
    "2 chosen": "2 ausgewählt",
    "Unread": "Ungelesen",
    "Read": "Gelesen",
}
TRANSLATE = """
words => {
  const texts = document.createTreeWalker(document.querySelector("#filters"), NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const node = texts.currentNode;
    node.data = words[node.data.trim()] ?? node.data;
  }
}
"""


async def test_a_person_is_chosen_by_name_and_taken_out_again(
    site: Site, sit: Sit, alice: User, bob: User, carol: User
) -> None:
    await rename_twice(site, alice, bob, carol)
    reader = await sit(alice)
    await reader.open()

    await reader.page.get_by_role("button", name="More filters").click()
    await reader.narrow("Person", "bob")
    await expect(reader.rows).to_have_count(1)
    await expect(reader.page).to_have_url(re.compile(f"actor={bob.id}"))
    await chip(reader, "From bob").click()
    await expect(reader.rows).to_have_count(2)
    await expect(chip(reader, "From bob")).to_have_count(0)
    await expect(reader.page).to_have_url(re.compile(r"/notifications\?more=1$"))
    await expect(reader.page.get_by_label("Person", exact=True)).to_be_visible()

    await reader.page.go_back()
    await expect(chip(reader, "From bob")).to_be_visible()
    await expect(reader.rows).to_have_count(1)


async def test_two_types_stay_beside_another_filter_and_go_one_by_one(
    site: Site, sit: Sit, alice: User, bob: User, carol: User
) -> None:
    team = await rename_twice(site, alice, bob, carol)
    async with site.db.act() as session:
        await notify(session, MEMBER_LEFT, actor=bob, team=team, username="bob")
    reader = await sit(alice)
    await reader.open(BOTH)

    await reader.narrow("Status", "unread")
    await expect(chip(reader, "Unread")).to_be_visible()
    await expect(reader.rows).to_have_count(3)
    await chip(reader, "Type: One of your teams is renamed").click()
    await expect(reader.rows).to_have_count(1)
    await expect(reader.page.get_by_label("Type", exact=True)).to_have_value("member_left")

    await reader.page.get_by_role("link", name="Clear all").click()
    await expect(reader.rows).to_have_count(3)
    await expect(reader.page.get_by_label("Type", exact=True)).to_have_value("")
    await expect(reader.page.get_by_label("Status", exact=True)).to_have_value("")


async def test_a_search_is_one_step_however_often_its_typing_pauses(
    site: Site, arrive: Arrive, alice: User, bob: User, carol: User
) -> None:
    await rename_twice(site, alice, bob, carol)
    reader = Reader(await arrive(alice))
    await reader.open()
    search = reader.page.get_by_label("Search notifications")

    for text, count in (("b", 1), ("bo", 1), ("bobby", 0)):
        await search.fill(text)
        await expect(chip(reader, f"Search: {text}")).to_be_visible()
        await expect(reader.rows).to_have_count(count)
    await search.press("Enter")
    await reader.narrow("Status", "unread")
    await expect(chip(reader, "Unread")).to_be_visible()

    await reader.page.go_back()
    await expect(search).to_have_value("bobby")
    await expect(chip(reader, "Unread")).to_have_count(0)
    await reader.page.go_back()
    await expect(search).to_have_value("")
    await expect(reader.rows).to_have_count(2)


async def test_chips_are_taken_out_by_the_keyboard_one_after_the_other(
    site: Site, arrive: Arrive, alice: User, bob: User, carol: User
) -> None:
    await rename_twice(site, alice, bob, carol)
    reader = Reader(await arrive(alice))
    await reader.open(f"?status=unread&actor={bob.id}")

    await chip(reader, "Unread").press("Enter")
    await expect(chip(reader, "From bob")).to_be_focused()
    await chip(reader, "From bob").press("Enter")

    await expect(reader.rows).to_have_count(2)
    await expect(reader.page.get_by_role("main")).to_be_focused()


@pytest.mark.parametrize("words", [{}, GERMAN], ids=["English", "German"])
@pytest.mark.parametrize("width", [900, 1280, 1440])
async def test_the_controls_stay_on_one_line_whatever_is_chosen_and_none_is_cut(
    arrive: Arrive, alice: User, width: int, words: dict[str, str]
) -> None:
    visitor = await arrive(alice, viewport={"width": width, "height": 800})
    for query in ("?", f"{BOTH}&status=unread&date_range=3months&q=renamed", "?status=read"):
        page = await visitor.open(f"/notifications{query}")
        await page.evaluate(TRANSLATE, words)
        line = page.locator("#filter-line :is(input, button, select, a, label):visible")

        middles = await line.evaluate_all(MIDDLES)
        assert len(middles) >= 12
        assert max(middles) - min(middles) < 2
        assert await line.evaluate_all(CUT) == []
        search = await page.get_by_label("Search notifications").bounding_box()
        assert search
        assert search["width"] >= 200
        assert await overflowing(page) == []


async def test_on_a_phone_chips_stand_in_one_line_that_follows_the_focus(
    site: Site, arrive: Arrive, alice: User, bob: User, carol: User
) -> None:
    await rename_twice(site, alice, bob, carol)
    phone = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
    reader = Reader(await arrive(alice, **phone))
    await reader.open(f"{BOTH}&status=unread&date_range=month&actor={bob.id}&q=now%20called")
    chips = reader.page.get_by_role("group", name="Filters").get_by_role("link")

    first = await reader.rows.first.bounding_box()
    assert first
    assert first["y"] <= 740 * 0.2
    assert await overflowing(reader.page) == []
    middles = await chips.evaluate_all(MIDDLES)
    assert len(middles) >= 8
    assert max(middles) - min(middles) < 2
    await expect(reader.page.get_by_role("link", name="Clear all")).to_be_in_viewport(ratio=1)
    for number in range(len(middles)):
        await chips.nth(number).focus()
        assert await chips.nth(number).evaluate(IS_IN_SIGHT), number


@pytest.mark.parametrize("colours", ["light", "dark"])
async def test_chips_stand_within_a_small_phone_and_can_be_read(
    site: Site, arrive: Arrive, alice: User, bob: User, carol: User, colours: str
) -> None:
    await rename_twice(site, alice, bob, carol)
    phone = {"width": 320, "height": 640}
    visitor = await arrive(alice, viewport=phone, color_scheme=colours, reduced_motion="reduce")
    page = await visitor.open(f"/notifications{BOTH}&actor={bob.id}&more=1")

    await expect(chip(Reader(visitor), "From bob")).to_be_visible()
    assert await overflowing(page) == []
    await page.get_by_role("button", name="Filters").click()
    await expect(page.get_by_label("Person", exact=True)).to_be_visible()
    assert await overflowing(page) == []
    assert await page.evaluate(TOO_PALE) == []


def chip(reader: Reader, label: str) -> Locator:
    return reader.page.get_by_role("link", name=f"Remove filter: {label}", exact=True)


async def rename_twice(site: Site, alice: User, bob: User, carol: User) -> Team:
    """Bob and then carol rename alice's team."""
    team = await make_team(site.db, alice, editors=[bob, carol])
    for actor in (bob, carol):
        async with site.db.act() as session:
            await notify(
                session, TEAM_UPDATED, actor=actor, team=team, old_name="A", new_name=actor.username
            )
    return team
