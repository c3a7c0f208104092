"""The inbox of a person with 100,000 notices, with scripts and without: the same journeys."""

import re

import pytest
from playwright.async_api import expect
from sqlalchemy import select

from app.models import Notification, Team, User
from app.notifications.events.catalogue import TEAM_UPDATED
from app.notifications.notify import notify
from tests.journeys.browsing import bell, inbox, open_panel, panel
from tests.journeys.large_world import NOTICES
from tests.journeys.reading import Reader, totals
from tests.journeys.running import Site

pytestmark = pytest.mark.large_world
# Every seventh is unread, and the newest two are read.
NEWEST, SECOND, UNREAD = NOTICES, NOTICES - 1, NOTICES - NOTICES % 7
COUNT_UNREAD = NOTICES // 7


async def test_filters_stand_in_the_address_and_back_and_reload_agree(
    site: Site, reader: Reader, alice: User
) -> None:
    unread = (await totals(site, alice, status="unread")).filtered_count
    left = (await totals(site, alice, status="unread", type="member_left")).filtered_count
    assert 0 < left < unread == COUNT_UNREAD
    await reader.open()

    await reader.narrow("Status", "unread")
    await reader.sees_matching(unread)
    await reader.narrow("Type", "member_left")
    await reader.sees_matching(left)
    await expect(reader.page).to_have_url(re.compile("type=member_left.*status=unread"))
    await expect(reader.rows).to_have_text([re.compile(r"person\d+ left the team")] * 20)

    await reader.page.reload()
    await reader.sees_matching(left)
    await expect(reader.page.get_by_label("Type", exact=True)).to_have_value("member_left")
    await reader.page.go_back()
    await reader.sees_matching(unread)
    await expect(reader.page.get_by_label("Type", exact=True)).to_have_value("")
    await expect(reader.page.get_by_label("Status", exact=True)).to_have_value("unread")
    await reader.page.go_back()
    await reader.sees_matching(NOTICES)


async def test_a_date_narrows_to_the_days_of_the_reader(
    site: Site, reader: Reader, alice: User
) -> None:
    recent = (await totals(site, alice, date_range="week")).filtered_count
    assert 0 < recent < NOTICES
    await reader.open()

    await reader.narrow("Date", "week")

    await reader.sees_matching(recent)
    await expect(reader.page).to_have_url(re.compile("date_range=week"))


async def test_pages_lead_to_the_very_last(reader: Reader) -> None:
    last = NOTICES // 20
    await reader.open()
    await reader.page.get_by_role("link", name="Next").click()
    await expect(reader.page).to_have_url(re.compile("[?&]page=2(&|$)"))
    await expect(reader.row(NEWEST - 20)).to_be_visible()

    await reader.open(f"?page={last}")
    await expect(reader.page.get_by_text(f"Page {last} of {last}")).to_be_visible()
    await expect(reader.rows).to_have_count(20)
    await expect(reader.row(1)).to_be_visible()
    await expect(reader.page.get_by_role("link", name="Next")).to_have_count(0)

    await reader.open(f"?page={last + 1}")
    await reader.is_told("This page is empty")
    await reader.page.get_by_role("link", name="First page").click()
    await expect(reader.row(NEWEST)).to_be_visible()


async def test_one_notice_is_marked_as_read_and_as_unread_again(reader: Reader) -> None:
    await reader.open()
    row, count = reader.row(UNREAD), inbox(reader.page).get_by_text(re.compile(r"^\d+ unread$"))
    await expect(count).to_have_text(f"{COUNT_UNREAD} unread")

    await reader.press(row, "Mark as read")
    await expect(row.get_by_role("button", name="Mark as unread")).to_be_visible()
    await expect(count).to_have_text(f"{COUNT_UNREAD - 1} unread")

    await reader.press(row, "Mark as unread")
    await expect(row.get_by_role("button", name="Mark as read")).to_be_visible()
    await expect(count).to_have_text(f"{COUNT_UNREAD} unread")


async def test_one_notice_is_deleted_and_brought_back(
    site: Site, reader: Reader, alice: User
) -> None:
    await reader.open("?page=2")
    row = reader.row(NEWEST - 25)
    said = await row.locator(".notice-text").inner_text()
    assert said

    await reader.press(row, "Delete")
    await expect(row.get_by_text(said)).to_have_count(0)
    assert (await totals(site, alice)).total == NOTICES - 1
    await reader.undo()

    await reader.is_told("1 notification restored")
    await expect(row).to_contain_text(said)
    await expect(reader.page).to_have_url(re.compile("page=2$"))


async def test_the_selected_are_marked_and_deleted_together(reader: Reader) -> None:
    await reader.open()
    await reader.choose(NEWEST, SECOND)
    await reader.do("Mark selected as unread")
    await reader.is_told("2 notifications marked as unread")

    await reader.choose(NEWEST, UNREAD)
    await reader.do("Mark selected as read")
    await reader.is_told("2 notifications marked as read")
    await expect(reader.row(SECOND)).to_have_class(re.compile("is-unread"))

    await reader.choose(NEWEST, SECOND)
    await reader.do("Delete selected")
    await reader.is_told("2 notifications deleted")
    await expect(reader.row(NEWEST)).to_have_count(0)
    await expect(reader.row(SECOND)).to_have_count(0)
    await reader.undo()
    await reader.is_told("2 notifications restored")
    await expect(reader.row(NEWEST)).to_be_visible()
    await expect(reader.row(SECOND)).to_be_visible()


async def test_nothing_selected_is_said_and_nothing_happens(
    site: Site, reader: Reader, alice: User
) -> None:
    await reader.open()
    await reader.page.locator("[name=do][value=delete]").dispatch_event("click")

    await reader.is_told("Select some notifications first.")
    assert (await totals(site, alice)).total == NOTICES


async def test_all_that_match_spare_what_came_meanwhile_and_undo_restores_exactly_those(
    site: Site, reader: Reader, alice: User, bob: User
) -> None:
    await reader.open()
    await reader.press(reader.row(SECOND), "Delete")
    await reader.open()
    before = await notices_of(site, alice)
    await reader.choose_all()
    await rename(site, bob, "Cutting Room")

    await reader.do("Delete selected")
    await reader.is_told(f"{NOTICES - 1} notifications deleted")
    await expect(reader.rows).to_have_count(1)
    await expect(reader.rows).to_contain_text("is now called 'Cutting Room'")
    await reader.undo()

    await reader.is_told(f"{NOTICES - 1} notifications restored")
    await reader.sees_matching(NOTICES)
    after = await notices_of(site, alice)
    assert len(after) == NOTICES
    assert before < after, "what was deleted before stays deleted, and nothing else is lost"


async def test_all_unread_are_read_at_once_and_nothing_matches_any_more(
    site: Site, reader: Reader, alice: User
) -> None:
    await reader.open("?status=unread")
    await reader.choose_all()

    await reader.do("Mark selected as read")

    await reader.is_told(f"{COUNT_UNREAD} notifications marked as read")
    await reader.is_told("No notifications match these filters")
    await expect(bell(reader.page)).to_have_accessible_name("Notifications")
    await reader.page.get_by_role("link", name="Show all").click()
    await reader.sees_matching(NOTICES)
    assert (await totals(site, alice)).unread_count == 0


async def test_the_panel_marks_everything_read(reader: Reader) -> None:
    await reader.open()
    await expect(bell(reader.page)).to_have_accessible_name("Notifications, 99+ unread")

    await open_panel(reader.page)
    await panel(reader.page).get_by_role("button", name="Mark all read").click()

    await expect(bell(reader.page)).to_have_accessible_name("Notifications")
    await expect(inbox(reader.page).get_by_text("0 unread", exact=True)).to_be_visible()


async def notices_of(site: Site, user: User) -> set[tuple[int, bool]]:
    """Each that is in the inbox, and whether it is read."""
    kept = select(Notification.id, Notification.read_at.is_not(None)).where(
        Notification.user_id == user.id, Notification.deleted_at.is_(None)
    )
    async with site.db.read() as session:
        return {(id_, is_read) for id_, is_read in await session.execute(kept)}


async def rename(site: Site, actor: User, name: str) -> None:
    """Something happens in the small team of alice, bob and carol."""
    async with site.db.act() as session:
        team = (await session.scalars(select(Team).where(Team.name == "Editors"))).one()
        await notify(
            session, TEAM_UPDATED, actor=actor, team=team, old_name=team.name, new_name=name
        )
