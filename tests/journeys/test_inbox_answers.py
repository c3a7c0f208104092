"""Notices are answered in place; empty lists and invalid filters are explained."""

import asyncio
import re

import pytest
from playwright.async_api import expect
from sqlalchemy import select

from app.models import Compilation, Membership, Team, User
from app.models.project import UNFINISHED
from app.teams.invitations import invite
from tests.factories import make_account, make_team
from tests.journeys.conftest import Sit
from tests.journeys.large_world import NOTICES
from tests.journeys.reading import Reader
from tests.journeys.running import Site

pytestmark = pytest.mark.large_world


async def test_invitations_are_answered_in_place(
    site: Site, reader: Reader, alice: User, carol: User
) -> None:
    club, choir = [await make_team(site.db, carol, name) for name in ("Film Club", "Choir")]
    for team in (club, choir):
        async with site.db.act() as session:
            await invite(session, carol, team.id, alice.email, "editor")

    for team, answer, word in (
        (club, "Accept", "Welcome to 'Film Club'."),
        (choir, "Decline", "You declined the invitation to 'Choir'."),
    ):
        await reader.open()
        row = reader.rows.filter(has_text=f"invited you to join team '{team.name}'")
        await reader.press(row, answer)
        await reader.is_told(word)
        if reader.has_scripts:
            await expect(row.get_by_role("button", name=answer)).to_have_count(0)
            await expect(row.get_by_role("button", name="Mark as unread")).to_be_visible()

    assert [await role_in(site, team, alice) for team in (club, choir)] == ["editor", None]


async def test_a_failed_compilation_is_tried_again_in_place(
    site: Site, reader: Reader, alice: User
) -> None:
    await reader.open("?type=compilation_failed")

    await reader.press(reader.rows.first, "Retry")

    await reader.is_told("Compiling again.")
    if reader.has_scripts:
        await expect(reader.page).to_have_url(re.compile("/notifications"))
    again = await ended_compilation(site)
    assert (again.requested_by_id, again.attempts) == (alice.id, 1)


async def test_an_empty_inbox_links_to_a_next_step(site: Site, sit: Sit) -> None:
    reader = await sit(await make_account(site.db, "dora"))
    await reader.open()

    await reader.is_told("No notifications yet")
    await reader.page.get_by_role("link", name="Go to my teams").click()
    await expect(reader.page.get_by_role("button", name="Create team")).to_be_visible()


async def test_a_filter_that_makes_no_sense_is_named_beside_the_whole_list(reader: Reader) -> None:
    reader.visitor.watch.expect("422")
    await reader.open("?type=nonsense")

    await reader.is_told("Unknown notification type.")
    await expect(reader.page.get_by_label("Type", exact=True)).to_have_attribute(
        "aria-invalid", "true"
    )
    await reader.sees_matching(NOTICES)


async def ended_compilation(site: Site) -> Compilation:
    """The newest, once the worker is done with it."""
    newest = select(Compilation).order_by(Compilation.id.desc()).limit(1)
    async with asyncio.timeout(30):
        while True:
            async with site.db.read() as session:
                found = (await session.scalars(newest)).one()
            if found.status not in UNFINISHED:
                return found
            await asyncio.sleep(0.1)


async def role_in(site: Site, team: Team, user: User) -> str | None:
    async with site.db.read() as session:
        place = await session.get(Membership, (team.id, user.id))
    return place.role if place else None
