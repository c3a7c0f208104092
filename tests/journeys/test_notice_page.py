"""The page of one notification, without scripts: each of its forms works, and leads back."""

import re

import pytest_asyncio
from playwright.async_api import Page, expect
from sqlalchemy import func, select

from app.models import Membership, Notification, User
from app.notifications.events.catalogue import CUSTOM
from app.notifications.notify import notify
from app.teams.invitations import invite
from tests.factories import make_team
from tests.journeys.conftest import Arrive
from tests.journeys.reading import Reader, totals
from tests.journeys.running import Site
from tests.journeys.test_inbox_answers import ended_compilation
from tests.journeys.test_notices import fail

INBOX = re.compile("/notifications$")


@pytest_asyncio.fixture(loop_scope="session")
async def reader(arrive: Arrive, bob: User) -> Reader:
    return Reader(await arrive(bob, java_script_enabled=False))


@pytest_asyncio.fixture(loop_scope="session")
async def page(site: Site, reader: Reader, alice: User, bob: User) -> Page:
    """That of what alice's integration told bob."""
    squad = await make_team(site.db, alice, editors=[bob])
    async with site.db.act() as session:
        await notify(session, CUSTOM, actor=alice, team=squad, title="Backup done")
    return await open_newest(site, reader)


async def open_newest(site: Site, reader: Reader) -> Page:
    """Opens the page of the newest notification of all, as the links in mail and push do."""
    async with site.db.read() as session:
        newest = await session.scalar(select(func.max(Notification.id)))
    return await reader.visitor.open(f"/notifications/{newest}")


async def press(page: Page, name: str) -> None:
    await page.get_by_role("main").get_by_role("button", name=name, exact=True).click()


async def is_here(page: Page) -> None:
    await expect(page.get_by_role("heading", name="Backup done", level=1)).to_be_visible()


async def test_saving_leads_back_to_it_and_so_does_its_opposite(reader: Reader, page: Page) -> None:
    await press(page, "Save")
    await reader.is_told("1 notification saved")
    await is_here(page)

    await press(page, "Remove from saved")
    await reader.is_told("1 notification no longer saved")
    await is_here(page)


async def test_what_is_done_leaves_for_the_inbox_and_is_moved_back(
    site: Site, reader: Reader, page: Page
) -> None:
    await press(page, "Done")
    await reader.is_told("1 notification done")
    await expect(page).to_have_url(INBOX)
    await expect(reader.rows).to_have_count(0)

    await open_newest(site, reader)
    await press(page, "Move to inbox")
    await is_here(page)
    await reader.open()
    await expect(reader.rows).to_have_count(1)


async def test_it_is_snoozed_until_a_time_that_is_asked_for(
    site: Site, reader: Reader, page: Page
) -> None:
    await press(page, "Snooze")
    await page.get_by_role("link", name="Cancel").click()
    await is_here(page)

    await press(page, "Snooze")
    await page.get_by_role("button", name="Tomorrow morning").click()
    await expect(page).to_have_url(INBOX)
    await expect(reader.rows).to_have_count(0)

    await open_newest(site, reader)
    await press(page, "Unsnooze")
    await is_here(page)


async def test_it_is_marked_as_unread_and_opening_reads_it_again(
    site: Site, reader: Reader, page: Page, bob: User
) -> None:
    await press(page, "Mark as unread")
    await expect(page).to_have_url(INBOX)
    assert (await totals(site, bob)).unread_count == 1

    await open_newest(site, reader)
    assert (await totals(site, bob)).unread_count == 0


async def test_deleting_asks_first_and_can_be_undone(reader: Reader, page: Page) -> None:
    await press(page, "Delete")
    await page.get_by_role("link", name="Cancel").click()
    await is_here(page)

    await press(page, "Delete")
    await press(page, "Delete")
    await expect(page).to_have_url(INBOX)
    await expect(reader.rows).to_have_count(0)
    await reader.undo()
    await expect(reader.rows).to_have_count(1)


async def test_that_of_an_invitation_is_where_it_is_answered(
    site: Site, reader: Reader, bob: User, carol: User
) -> None:
    club = await make_team(site.db, carol, "Film Club")
    async with site.db.act() as session:
        await invite(session, carol, club.id, bob.email, "editor")

    page = await open_newest(site, reader)
    await press(page, "Accept")

    await expect(page.get_by_role("heading", name="Film Club", level=1)).to_be_visible()
    async with site.db.read() as session:
        assert await session.get(Membership, (club.id, bob.id))


async def test_that_of_a_failure_is_where_it_is_tried_again(
    site: Site, reader: Reader, bob: User
) -> None:
    await fail(site, bob)

    page = await open_newest(site, reader)
    await expect(page.get_by_role("heading", name="Reel", level=1)).to_be_visible()
    await press(page, "Compile")

    assert (await ended_compilation(site)).requested_by_id == bob.id
