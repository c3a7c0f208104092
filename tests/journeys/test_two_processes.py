"""A change made in one process shows in the pages that another one serves."""

import os
import signal

import pytest
from playwright.async_api import expect

from app.models import User
from app.projects.projects import create_project
from tests.factories import make_team
from tests.journeys.browsing import (
    click_and_see,
    inbox,
    notice,
    open_panel,
    panel,
    sees,
    shows,
    wait_for,
    without_reload,
)
from tests.journeys.conftest import Arrive
from tests.journeys.running import Site, post_as
from tests.journeys.steps import inbox_of, seen_at_the_end, start_project, upload

TWO_SERVERS = {"WEB_CONCURRENCY": "2"}
INVITED = "alice invited you to join team 'Video Squad' as editor"
SHARED = "Project 'Highlight Reel' was shared with team 'Video Squad'"
PROMOTED = "Your role in team 'Video Squad' changed from viewer to editor"
REMOVED = "You were removed from team 'Video Squad'"
COMPLETE = "Compilation of 'Highlight Reel' is complete"


async def elsewhere(site: Site) -> str:
    """The address of another web process over the same data."""
    other = site.program("web")
    await other.start()
    return other.url


async def test_an_invitation_and_what_follows_show_in_the_other_process(
    site: Site, arrive: Arrive, alice: User, bob: User
) -> None:
    team = await make_team(site.db, alice, "Video Squad")
    owner, invitee = await arrive(alice), await arrive(bob, at=await elsewhere(site))
    owning, invited = await owner.open(f"/teams/{team.id}"), await inbox_of(invitee)
    await owning.get_by_label("Email address").fill("bob@example.com")

    async with without_reload(invited), owning.expect_event("load"):
        await click_and_see(
            owning.get_by_role("button", name="Send invitation"),
            shows(invited, INVITED, unread=1, where=("panel", "inbox", "toasts")),
        )
    await open_panel(owning)
    async with without_reload(owning):
        await click_and_see(
            panel(invited).get_by_role("button", name="Accept"),
            shows(owning, "bob joined the team as editor", unread=1, where=["panel"]),
        )


async def test_losing_access_in_one_process_empties_the_page_of_the_other(
    site: Site, arrive: Arrive, alice: User, bob: User
) -> None:
    team = await make_team(site.db, alice, "Video Squad", viewers=[bob])
    async with site.db.act() as session:
        project = await create_project(session, alice, "Highlight Reel")
    owner, member = await arrive(alice), await arrive(bob, at=await elsewhere(site))
    owning, watching = await owner.open(f"/projects/{project.id}"), await inbox_of(member)

    async with without_reload(watching):
        await click_and_see(
            owning.get_by_role("button", name="Share", exact=True),
            shows(watching, SHARED, unread=1),
        )
        await owner.open(f"/teams/{team.id}/members/{bob.id}")
        await owning.get_by_label("Role").select_option("editor")
        await click_and_see(
            owning.get_by_role("button", name="Change role"),
            shows(watching, PROMOTED, unread=2),
        )
        await owner.open(f"/teams/{team.id}/members/{bob.id}")
        await owning.get_by_role("button", name="Remove from team").click()
        await click_and_see(
            owning.get_by_role("dialog").get_by_role("button", name="Remove from team"),
            shows(watching, REMOVED, unread=1),
        )
        for place in (panel(watching), inbox(watching)):
            await expect(notice(place, SHARED)).to_have_count(0)
            await expect(notice(place, PROMOTED)).to_have_count(0)


async def test_what_is_read_or_deleted_on_one_device_is_so_on_the_other(
    site: Site, arrive: Arrive, alice: User, bob: User
) -> None:
    team = await make_team(site.db, alice, "Video Squad", viewers=[bob])
    async with site.db.act() as session:
        project = await create_project(session, alice, "Highlight Reel")
    laptop, phone = await arrive(bob), await arrive(bob, at=await elsewhere(site))
    on_laptop, on_phone = await laptop.open("/notifications"), await inbox_of(phone)
    await post_as(site, alice, f"/projects/{project.id}/share", team_id=team.id)
    await sees(on_laptop, 1)

    async with without_reload(on_laptop, on_phone):
        row = inbox(on_laptop).get_by_role("listitem")
        await click_and_see(
            row.get_by_role("button", name="Mark as read"), shows(on_phone, unread=0)
        )
        await click_and_see(
            row.get_by_role("button", name="Mark as unread"), shows(on_phone, SHARED, unread=1)
        )
        await click_and_see(row.get_by_role("button", name="Delete"), shows(on_phone, unread=0))
        await expect(notice(panel(on_phone), SHARED)).to_have_count(0)
        await click_and_see(
            row.get_by_role("button", name="Undo"), shows(on_phone, SHARED, unread=1)
        )


async def test_what_ends_in_the_worker_shows_in_every_web_process(
    site: Site, arrive: Arrive, alice: User, bob: User
) -> None:
    await make_team(site.db, alice, "Video Squad", viewers=[bob])
    maker, viewer = await arrive(alice), await arrive(bob, at=await elsewhere(site))
    making = await start_project(maker, "Highlight Reel")
    await upload(making, "silent")
    async with making.expect_event("load"):
        await making.get_by_role("button", name="Share", exact=True).click()
    viewing = await inbox_of(viewer)

    async with without_reload(making, viewing):
        await making.get_by_role("button", name="Compile").click()
        await seen_at_the_end(site.db, shows(making, unread=1), shows(viewing, COMPLETE, unread=2))


@pytest.mark.parametrize("site", [TWO_SERVERS], indirect=True)
async def test_of_two_servers_behind_one_port_either_tells_the_pages_of_the_other(
    site: Site, arrive: Arrive, alice: User, bob: User
) -> None:
    """While one of them is frozen the act is certainly the other's; and bob's stream is in one."""
    team = await make_team(site.db, alice, "Video Squad", viewers=[bob])
    watching = await inbox_of(await arrive(bob))
    servers = site.web.servers()
    assert len(servers) == 2

    async with without_reload(watching):
        for number, frozen in enumerate(servers, 1):
            async with site.db.act() as session:
                project = await create_project(session, alice, f"Reel {number}")
            os.kill(frozen, signal.SIGSTOP)
            await post_as(site, alice, f"/projects/{project.id}/share", team_id=team.id)
            os.kill(frozen, signal.SIGCONT)
            told = f"Project 'Reel {number}' was shared with team 'Video Squad'"
            await wait_for(shows(watching, told, unread=number))


@pytest.mark.parametrize("site", [TWO_SERVERS], indirect=True)
async def test_with_two_servers_behind_one_port_each_of_many_acts_shows(
    site: Site, arrive: Arrive, alice: User, bob: User
) -> None:
    team = await make_team(site.db, alice, "Video Squad", viewers=[bob])
    watching = await inbox_of(await arrive(bob))
    async with without_reload(watching):
        for number in range(1, 9):
            async with site.db.act() as session:
                project = await create_project(session, alice, f"Reel {number}")
            await post_as(site, alice, f"/projects/{project.id}/share", team_id=team.id)
            told = f"Project 'Reel {number}' was shared with team 'Video Squad'"
            await wait_for(shows(watching, told, unread=number))
