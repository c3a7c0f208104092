"""A team of 10,000: every member is notified, and its pages can be used."""

import pytest
from playwright.async_api import expect
from sqlalchemy import func, select

from app.models import Event, Notification, User
from app.notifications.events.catalogue import PROJECT_SHARED
from app.projects.sharing import share_project, unshare_project
from tests.journeys.browsing import click_and_see, open_panel, shows
from tests.journeys.conftest import Arrive
from tests.journeys.large_world import MEMBERS, SQUAD, member
from tests.journeys.running import Site, post_as

pytestmark = pytest.mark.large_world
SHARED = "Project 'Best Clips 2025' was shared with team 'Video Squad'"
BEST = 2


async def test_sharing_returns_with_every_row_written(site: Site, bob: User) -> None:
    await post_as(site, bob, f"/projects/{BEST}/share", team_id=SQUAD)

    assert await told_of_sharing(site) == MEMBERS - 1


async def test_a_member_among_ten_thousand_sees_it_in_an_open_bell(
    site: Site, arrive: Arrive, bob: User
) -> None:
    sharer, somebody = await arrive(bob), await arrive(await member(site.db, 4_711))
    sharing, watching = await sharer.open(f"/projects/{BEST}"), await somebody.open("/")
    await sharing.get_by_label("Team").select_option(label="Video Squad")
    await open_panel(watching)

    share = sharing.get_by_role("button", name="Share", exact=True)
    await click_and_see(share, shows(watching, SHARED, unread=1, where=["panel"]))


async def test_a_member_among_ten_thousand_is_found_and_the_last_page_reached(
    arrive: Arrive, alice: User
) -> None:
    visitor = await arrive(alice)
    page = await visitor.open(f"/teams/{SQUAD}")
    await expect(page.get_by_role("heading", name=f"Members {MEMBERS}")).to_be_visible()

    await page.get_by_label("Find a member").fill("PERSON4711")
    await page.get_by_role("button", name="Search").click()
    members = page.get_by_role("region", name="Members").get_by_role("listitem")
    await expect(members).to_have_count(1)
    await expect(members).to_contain_text("person4711")

    await page.goto(f"{visitor.url}/teams/{SQUAD}?page=200")
    await expect(page.get_by_text("Page 200 of 200")).to_be_visible()
    await expect(members).to_have_count(50)


async def test_ending_the_share_withdraws_it_from_everyone_who_lost_access(
    site: Site, bob: User
) -> None:
    async with site.db.act() as session:
        await share_project(session, bob, BEST, SQUAD)
    async with site.db.act() as session:
        await unshare_project(session, bob, BEST, SQUAD)

    assert await told_of_sharing(site) == 1, "alice, who sees it in the other team as well"


async def told_of_sharing(site: Site) -> int:
    newest = select(func.max(Event.id)).where(Event.type == PROJECT_SHARED.name).scalar_subquery()
    told = select(func.count()).where(
        Notification.event_id == newest, Notification.deleted_at.is_(None)
    )
    async with site.db.read() as session:
        return int((await session.execute(told)).scalar_one())
