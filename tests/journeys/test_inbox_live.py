"""The inbox while things happen: news come by themselves, and what is being read does not move."""

import re

import pytest
from playwright.async_api import Locator, Page, expect

from app.models import User
from tests.factories import make_team
from tests.journeys.browsing import inbox, sees, toasts
from tests.journeys.conftest import Arrive
from tests.journeys.large_world import EDITORS, NOTICES
from tests.journeys.push.pushing import until
from tests.journeys.reading import Reader, totals
from tests.journeys.running import Site, post_as

pytestmark = pytest.mark.large_world
UNREAD = NOTICES - NOTICES % 7
LAST_PAGE = f"?page={NOTICES // 20}"


async def test_at_the_top_a_new_notice_comes_in_by_itself(
    site: Site, arrive: Arrive, alice: User, bob: User
) -> None:
    reader = Reader(await arrive(alice))
    await reader.open()

    await rename(site, bob, "Cutting Room")

    await expect(newest(reader)).to_have_text("Unread Team 'Editors' is now called 'Cutting Room'")
    await reader.sees_matching(NOTICES + 1)
    await expect(reader.rows).to_have_count(20)


@pytest.mark.parametrize("how", ["scrolled", "selected", "focused", "on another page"])
async def test_what_is_being_read_stays_where_it_is(
    site: Site, arrive: Arrive, alice: User, bob: User, how: str
) -> None:
    reader = Reader(await arrive(alice))
    await reader.open("?page=2" if how == "on another page" else "")
    row = reader.rows.nth(9)
    if how == "scrolled":
        await reader.page.mouse.wheel(0, 400)
        await until(lambda: reader.page.evaluate("scrollY === 400"))  # it may glide there
    if how == "selected":
        await row.get_by_role("checkbox").check()
        await reader.page.evaluate("document.activeElement.blur()")
    if how == "focused":
        await row.get_by_role("button").last.focus()
    shown, place = await ids_of(reader), await row.bounding_box()

    await rename(site, bob, "Cutting Room")

    more = reader.page.get_by_role("link", name="Show 1 new notification")
    await expect(more).to_be_visible()
    assert (await ids_of(reader), await row.bounding_box()) == (shown, place)
    if how == "selected":
        await expect(row.get_by_role("checkbox")).to_be_checked()
    await more.click()
    await expect(newest(reader)).to_have_text("Unread Team 'Editors' is now called 'Cutting Room'")
    await expect(newest(reader)).to_be_in_viewport()
    await expect(more).to_have_count(0)


async def test_two_tabs_agree_about_what_is_read_deleted_and_brought_back(
    site: Site, arrive: Arrive, alice: User
) -> None:
    one = Reader(await arrive(alice))
    await one.open()
    other = await one.visitor.tab("/notifications")
    await other.locator(f"#text-{NOTICES - 10}").focus()
    row, there = one.row(UNREAD), other.locator(f"#notice-{UNREAD}")

    await one.press(row, "Mark as read")
    await expect(there.get_by_role("button", name="Mark as unread")).to_be_visible()
    await expect(unread_count(other)).to_have_text(f"{NOTICES // 7 - 1} unread")

    await one.press(row, "Delete")
    await expect(there).to_contain_text("Deleted.")
    await there.get_by_role("button", name="Undo").click()
    for page in (one.page, other):
        button = page.locator(f"#notice-{UNREAD}").get_by_role("button", name="Mark as unread")
        await expect(button).to_be_visible()
    assert (await totals(site, alice)).total == NOTICES


async def test_the_last_page_deleted_while_it_is_looked_at_says_so_and_can_come_back(
    site: Site, arrive: Arrive, alice: User
) -> None:
    one = Reader(await arrive(alice))
    await one.open(LAST_PAGE)
    other = Reader(await arrive(alice))
    await other.open()
    await other.choose_all()
    await other.do("Delete selected")
    await other.is_told("No notifications yet")

    await expect(one.rows.filter(has_text="Deleted.")).to_have_count(20)
    await sees(one.page, 0)
    await one.rows.first.get_by_role("button", name="Undo").click()

    await one.is_told(f"{NOTICES} notifications restored")
    await expect(one.row(1).get_by_role("button", name="Delete")).to_be_visible()
    await other.sees_matching(NOTICES)


async def test_without_scripts_what_has_gone_meanwhile_is_said_and_leads_on(
    arrive: Arrive, alice: User
) -> None:
    stale = Reader(await arrive(alice, java_script_enabled=False))
    await stale.open(LAST_PAGE)
    tab = await stale.visitor.tab("/notifications" + LAST_PAGE)
    other = Reader(await arrive(alice))
    await other.open()
    await other.choose_all()
    await other.do("Delete selected")
    await other.is_told("No notifications yet")

    stale.visitor.watch.expect("404")
    await stale.choose(1, 2)
    await stale.do("Mark selected as unread")
    await stale.is_told("0 notifications marked as unread")
    await stale.is_told("This page is empty")
    await tab.locator("#notice-1").get_by_role("button", name="Mark as unread").click()
    await expect(tab.get_by_role("heading", name="Not found")).to_be_visible()


async def test_a_list_of_the_unread_keeps_what_is_read_in_it_until_it_is_left(
    arrive: Arrive, alice: User
) -> None:
    reader = Reader(await arrive(alice))
    await reader.open("?status=unread")

    await reader.press(reader.row(UNREAD), "Mark as read")

    await expect(unread_count(reader.page)).to_have_text(f"{NOTICES // 7 - 1} unread")
    mark = reader.row(UNREAD).get_by_role("button", name="Mark as unread")
    await expect(mark).to_be_visible()
    await reader.page.reload()
    await expect(reader.row(UNREAD)).to_have_count(0)


async def test_the_dashboard_tells_what_is_going_on_by_itself(
    site: Site, arrive: Arrive, alice: User, bob: User
) -> None:
    page = await (await arrive(alice)).open("/")
    news = page.locator("#activity").get_by_role("listitem").first

    await rename(site, bob, "Cutting Room")

    await expect(news).to_contain_text("Team 'Editors' is now called 'Cutting Room'")
    await news.get_by_role("link").click()
    await expect(page).to_have_url(re.compile(f"/teams/{EDITORS}$"))


async def test_an_invitation_is_answered_from_its_toast(
    site: Site, arrive: Arrive, alice: User, carol: User
) -> None:
    club = await make_team(site.db, carol, "Film Club")
    reader = Reader(await arrive(alice))
    await reader.visitor.open("/teams")
    await post_as(site, carol, f"/teams/{club.id}/invitations", email=alice.email, role="editor")
    toast = toasts(reader.page).filter(has_text="invited you to join team 'Film Club'")

    await toast.get_by_role("button", name="Accept").click()

    await reader.is_told("Welcome to 'Film Club'.")
    await expect(toast).to_have_count(0)
    await expect(reader.page).to_have_url(re.compile("/teams$"))


async def test_a_toast_leaves_by_itself_but_not_while_it_is_pointed_at(
    arrive: Arrive, alice: User
) -> None:
    reader = Reader(await arrive(alice))
    await reader.open()
    await reader.choose(UNREAD)
    await reader.do("Mark selected as read")
    await reader.undo()
    toast = toasts(reader.page).filter(has_text="1 notification restored").locator(".toast")

    await toast.hover()
    assert await toast.evaluate(CLOCK) == "paused"
    await reader.page.mouse.move(0, 0)
    assert await toast.evaluate(CLOCK) == "running"
    await toast.evaluate("toast => toast.getAnimations().forEach(one => one.finish())")

    await expect(toast).to_have_count(0)


CLOCK = "toast => toast.getAnimations().find(one => one.animationName === 'expiry').playState"


async def rename(site: Site, actor: User, name: str) -> None:
    """Bob renames the small team, which alice is a member of."""
    await post_as(site, actor, f"/teams/{EDITORS}/rename", name=name)


def newest(reader: Reader) -> Locator:
    return reader.rows.first.locator(".notice-text")


def unread_count(page: Page) -> Locator:
    return inbox(page).get_by_text(re.compile(r"^\d+ unread$"))


async def ids_of(reader: Reader) -> list[str]:
    ids: list[str] = await reader.rows.evaluate_all("rows => rows.map(row => row.id)")
    return ids
