"""The inbox and the panel by keys alone."""

import re
from collections.abc import Sequence

import pytest_asyncio
from playwright.async_api import Locator, Page, expect
from sqlalchemy import select

from app.models import Notification, Team, User
from app.models.notification import DONE, SNOOZED
from app.notifications.events.catalogue import CUSTOM
from app.notifications.notify import notify
from app.notifications.preferences import switches
from app.projects.projects import create_project
from app.projects.sharing import share_project
from tests.factories import make_team
from tests.journeys.browsing import bell, inbox, open_panel, panel
from tests.journeys.conftest import Arrive
from tests.journeys.reading import Reader
from tests.journeys.running import Site

NAMES = ("One", "Two", "Three", "Four", "Five")  # the last is the newest


@pytest_asyncio.fixture(loop_scope="session")
async def reader(site: Site, arrive: Arrive, alice: User, bob: User) -> Reader:
    """Bob at his inbox, where alice has shared five projects with him."""
    team = await make_team(site.db, alice, editors=[bob])
    for name in NAMES:
        async with site.db.act() as session:
            project = await create_project(session, alice, name)
            await share_project(session, alice, project.id, team.id)
    reader = Reader(await arrive(bob))
    await reader.open()
    return reader


async def press(page: Page, *keys: str) -> None:
    for key in keys:
        await page.keyboard.press(key)


async def go(page: Page, view: str) -> None:
    """Goes to a view by its key. Returns when the scripts of its page run, which then hear keys."""
    async with page.expect_event("load"):
        await press(page, "g", view)


def row(reader: Reader, name: str) -> Locator:
    return reader.rows.filter(has_text=f"'{name}'")


async def is_at(reader: Reader, name: str) -> None:
    """The sentence of this row has the focus."""
    await expect(row(reader, name).locator(".notice-text")).to_be_focused()


async def folders(site: Site) -> dict[str, int]:
    """How many notifications are in each folder, and how many are saved or deleted."""
    async with site.db.read() as session:
        rows = (await session.scalars(select(Notification))).all()
    kept = [one for one in rows if one.deleted_at is None]
    return {
        DONE: sum(one.folder == DONE for one in kept),
        SNOOZED: sum(one.folder == SNOOZED for one in kept),
        "saved": sum(one.is_saved for one in kept),
        "unread": sum(one.read_at is None for one in kept),
        "deleted": len(rows) - len(kept),
    }


async def test_from_several_to_none_by_key_alone_and_back(site: Site, reader: Reader) -> None:
    page = reader.page
    await press(page, "j", "j", "k")
    await is_at(reader, "Five")

    await press(page, "e", "e")
    await expect(reader.rows).to_have_count(3)
    await is_at(reader, "Three")
    await press(page, "h")
    await expect(page.get_by_role("dialog", name="Snooze until")).to_be_visible()
    await press(page, "Enter")
    await expect(reader.rows).to_have_count(2)
    await is_at(reader, "Two")
    await press(page, "#", "e")
    await expect(row(reader, "One")).to_have_count(0)
    await expect(reader.rows.filter(has=page.get_by_text("Deleted."))).to_have_count(1)
    assert await folders(site) == {DONE: 3, SNOOZED: 1, "saved": 0, "unread": 1, "deleted": 1}

    for name in ("One", "Two", "Three", "Four", "Five"):
        await press(page, "z")
        await is_at(reader, name)
    await expect(reader.rows).to_have_count(5)
    assert await folders(site) == {DONE: 0, SNOOZED: 0, "saved": 0, "unread": 5, "deleted": 0}


async def test_what_leaves_a_row_in_place_is_undone_as_well(site: Site, reader: Reader) -> None:
    page = reader.page
    await press(page, "j", "u")
    await expect(row(reader, "Five").get_by_title("Mark as unread")).to_be_attached()
    await press(page, "s")
    await expect(row(reader, "Five").get_by_title("Remove from saved")).to_be_attached()
    await is_at(reader, "Five")

    await press(page, "z")
    await expect(row(reader, "Five").get_by_title("Save", exact=True)).to_be_attached()
    await press(page, "z")
    await expect(row(reader, "Five").get_by_title("Mark as read")).to_be_attached()
    await is_at(reader, "Five")


async def test_a_range_is_selected_and_acted_on_together(site: Site, reader: Reader) -> None:
    page = reader.page
    await press(page, "j", "Shift+J", "Shift+J", "Shift+K")
    await expect(page.locator("#selected")).to_have_text("2 selected")
    await press(page, "j", "x")
    await expect(page.locator("#selected")).to_have_text("3 selected")

    await press(page, "e")

    await reader.is_told("3 notifications done")
    await is_at(reader, "Two")
    await press(page, "z")
    await reader.is_told("3 notifications restored")
    await expect(reader.rows).to_have_count(5)


async def test_a_row_is_one_tab_stop_and_the_arrows_lead_through_it(reader: Reader) -> None:
    page = reader.page
    await press(page, "j")
    await press(page, "Tab")
    await is_at(reader, "Four")
    await press(page, "Tab", "Shift+Tab", "ArrowUp", "ArrowDown")
    await is_at(reader, "Four")

    await press(page, "ArrowLeft")
    await expect(row(reader, "Four").get_by_role("checkbox")).to_be_focused()
    await press(page, "ArrowRight", "ArrowRight")
    await expect(row(reader, "Four").get_by_role("link").nth(1)).not_to_be_focused()
    assert await tab_stops(page) == [1] * len(NAMES)
    await press(page, "Shift+Tab", "Tab")
    await expect(row(reader, "Four").locator(".notice-text")).not_to_be_focused()
    assert await page.evaluate("document.activeElement.closest('li').textContent.includes('Four')")


async def test_the_keys_are_shown_in_a_dialog_that_gives_the_focus_back(reader: Reader) -> None:
    page = reader.page
    await press(page, "j", "?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    await expect(dialog).to_be_visible()
    await expect(dialog.locator("kbd").first).to_have_text("j")
    await press(page, "j", "e", "Escape")

    await expect(dialog).to_be_hidden()
    await is_at(reader, "Five")
    await expect(reader.rows).to_have_count(5)


async def test_views_and_search_are_a_key_away_and_what_is_typed_does_nothing(
    reader: Reader,
) -> None:
    page = reader.page
    await press(page, "j", "s")
    await go(page, "s")
    await expect(page).to_have_url(re.compile(r"view=saved"))
    await expect(reader.rows).to_have_count(1)
    await go(page, "d")
    await expect(page).to_have_url(re.compile(r"view=done"))
    await expect(reader.rows).to_have_count(0)
    await go(page, "i")
    await expect(reader.rows).to_have_count(5)

    await press(page, "/")
    search = page.get_by_label("Search notifications")
    await expect(search).to_be_focused()
    await press(page, "j", "e", "?")
    await expect(search).to_have_value("je?")
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_with_other_keys_held_or_the_switch_off_nothing_happens(
    site: Site, reader: Reader, bob: User
) -> None:
    page = reader.page
    await press(page, "j", "Control+e", "Alt+e", "Meta+e")
    await is_at(reader, "Five")
    async with site.db.act() as session:
        await switches.change(session, bob, {"shortcuts": False})
    await reader.open()

    await press(page, "j", "e", "?")

    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page.locator("body")).to_be_focused()
    assert await tab_stops(page) == [1] * len(NAMES)
    assert (await folders(site))[DONE] == 0


async def test_the_panel_is_used_by_the_same_keys(site: Site, reader: Reader) -> None:
    page = await reader.visitor.open("/")
    await open_panel(page)
    rows = panel(page).get_by_role("listitem")

    await press(page, "j", "j")
    await expect(rows.nth(1).locator(".notice-text")).to_be_focused()
    await press(page, "ArrowDown", "k", "k")
    await expect(rows.nth(0).locator(".notice-text")).to_be_focused()
    await press(page, "Escape")
    await expect(panel(page)).to_be_hidden()
    await expect(bell(page)).to_be_focused()
    await press(page, "j", "?")
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def tab_stops(page: Page) -> Sequence[int]:
    """How many controls of each row of the inbox the Tab key reaches."""
    stops: Sequence[int] = await inbox(page).evaluate(
        """list => [...list.querySelectorAll("li")].map(row =>
          [...row.querySelectorAll("a, button, input")].filter(one => one.tabIndex === 0).length)"""
    )
    return stops


async def tell(site: Site, alice: User, squad: Team, *titles: str) -> None:
    async with site.db.act() as session:
        for title in titles:
            await notify(session, CUSTOM, actor=alice, team=squad, title=title, group_key="a")


@pytest_asyncio.fixture(loop_scope="session")
async def squad(site: Site, alice: User, bob: User) -> Team:
    """Bob, who wants groups, has one of five notifications."""
    squad = await make_team(site.db, alice, editors=[bob])
    async with site.db.act() as session:
        (await session.get_one(User, bob.id)).grouping = True
    await tell(site, alice, squad, *NAMES)
    return squad


async def open_group(reader: Reader) -> Locator:
    """Opens the group; its parts."""
    await reader.open()
    await reader.page.get_by_role("button", name="Show 5 notifications").click()
    parts = reader.page.locator(".parts li")
    await expect(parts).to_have_count(5)
    return parts


async def test_a_checked_part_of_an_open_group_is_acted_on_alone(
    arrive: Arrive, bob: User, squad: Team
) -> None:
    reader = Reader(await arrive(bob))
    parts = await open_group(reader)

    await reader.page.get_by_role("checkbox", name="Select: Three").check()
    await expect(reader.page.locator("#selected")).to_have_text("1 selected")
    await reader.page.locator("#bulk").get_by_role("button", name="Done", exact=True).click()

    await reader.is_told("1 notification done")
    await expect(parts).to_have_count(4)
    await reader.undo()
    await expect(parts).to_have_count(5)


async def test_an_open_group_stays_open_while_news_arrive_and_its_parts_are_acted_on(
    site: Site, arrive: Arrive, alice: User, bob: User, squad: Team
) -> None:
    reader = Reader(await arrive(bob))
    parts = await open_group(reader)
    await reader.page.get_by_role("checkbox", name="Select: Three").check()

    await tell(site, alice, squad, "Six")
    more = reader.page.get_by_role("link", name="Show 1 new notification")
    await expect(more).to_be_visible()
    await expect(parts).to_have_count(5)
    await expect(reader.page.get_by_role("checkbox", name="Select: Three")).to_be_checked()

    await reader.press(parts.filter(has_text="Five"), "Done")
    await expect(parts).to_have_count(4)
    await expect(reader.page.get_by_role("button", name="Hide 4 notifications")).to_be_visible()
    await reader.press(parts.filter(has_text="Four"), "Delete")
    await expect(reader.page.get_by_role("button", name="Hide 3 notifications")).to_be_visible()
    await expect(parts).to_have_count(4)
    await parts.get_by_role("button", name="Undo").click()
    await expect(reader.page.get_by_role("button", name="Hide 4 notifications")).to_be_visible()

    await more.click()
    await expect(reader.page.get_by_role("button", name="Hide 5 notifications")).to_be_visible()
    await expect(parts.first).to_contain_text("Six")


async def test_the_panel_counts_news_to_their_group_and_acts_on_it_as_one(
    site: Site, arrive: Arrive, alice: User, bob: User, squad: Team
) -> None:
    page = await (await arrive(bob)).open("/teams")
    await tell(site, alice, squad, "Six")
    await expect(bell(page)).to_have_accessible_name("Notifications, 6 unread")
    await open_panel(page)
    rows = panel(page).get_by_role("listitem")
    await expect(rows).to_have_count(1)
    await expect(rows).to_contain_text("Six and 5 more")

    await tell(site, alice, squad, "Seven")
    await expect(rows).to_contain_text("Seven and 6 more")
    await expect(rows).to_have_count(1)
    await rows.get_by_role("button", name="Done").click()

    await expect(rows).to_have_count(0)
    await expect(bell(page)).to_have_accessible_name("Notifications")
    assert (await folders(site))[DONE] == 7


async def test_an_open_group_is_one_tab_stop_and_the_arrows_lead_through_its_parts(
    arrive: Arrive, bob: User, squad: Team
) -> None:
    reader = Reader(await arrive(bob))
    page, parts = reader.page, await open_group(reader)
    assert await tab_stops(page) == [1, 0, 0, 0, 0, 0]

    await press(page, "j", "ArrowDown")
    await is_at_part(parts, "Four")
    assert await tab_stops(page) == [1, 0, 1, 0, 0, 0]
    await press(page, "Tab")
    await expect(page.locator("#inbox-list :focus")).to_have_count(0)
    await press(page, "Shift+Tab")
    await is_at_part(parts, "Four")


async def test_the_keys_lead_through_the_parts_of_an_open_group_and_act_on_each_alone(
    site: Site, arrive: Arrive, bob: User, squad: Team
) -> None:
    reader = Reader(await arrive(bob))
    page, parts = reader.page, await open_group(reader)

    await press(page, "j", "j", "j", "x")
    await expect(page.get_by_role("checkbox", name="Select: Three")).to_be_checked()
    await expect(page.locator("#selected")).to_have_text("1 selected")
    await press(page, "x", "e")
    await expect(parts).to_have_count(4)
    await is_at_part(parts, "Two")
    assert (await folders(site))[DONE] == 1

    await press(page, "z")
    await expect(parts).to_have_count(5)
    await is_at_part(parts, "Three")
    assert (await folders(site))[DONE] == 0


async def test_what_was_done_with_a_part_of_an_open_group_is_undone_by_key(
    site: Site, arrive: Arrive, bob: User, squad: Team
) -> None:
    reader = Reader(await arrive(bob))
    page, parts = reader.page, await open_group(reader)
    for name, title in (("Done", "Four"), ("Delete", "Three"), ("Mark as read", "Two")):
        await reader.press(parts.filter(has_text=title), name)
        await expect(parts.filter(has_text=title).get_by_role("button", name=name)).to_have_count(0)
    assert await folders(site) == {DONE: 1, SNOOZED: 0, "saved": 0, "unread": 2, "deleted": 1}

    for title in ("Two", "Three", "Four"):
        await press(page, "z")
        await is_at_part(parts, title)

    await expect(parts).to_have_count(5)
    assert await folders(site) == {DONE: 0, SNOOZED: 0, "saved": 0, "unread": 5, "deleted": 0}


async def is_at_part(parts: Locator, title: str) -> None:
    await expect(parts.filter(has_text=title).locator(".notice-text")).to_be_focused()
