"""The pages of administrators at the width of a phone."""

import pytest
from playwright.async_api import expect
from sqlalchemy import update

from app import clock
from app.models import Delivery, User
from app.teams.membership import add_member
from tests.factories import make_team
from tests.journeys.conftest import Arrive
from tests.journeys.running import Site

PAGES = ["/admin", "/admin/accounts", "/admin/deliveries", "/admin/announcements"]
# Whether the page itself scrolls sideways, and the row headers that stand on more than one line.
_OVERFLOWS = "document.documentElement.scrollWidth > innerWidth"
_BROKEN = """() => [...document.querySelectorAll("main th")]
  .filter((cell) => cell.getClientRects()[0].height > 60).map((cell) => cell.textContent)"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_no_page_scrolls_sideways_and_no_word_is_broken(
    site: Site, arrive: Arrive, alice: User, bob: User, scheme: str
) -> None:
    await _fail_a_delivery(site, alice, bob)
    phone = {"width": 390, "height": 844}
    visitor = await arrive(alice, viewport=phone, color_scheme=scheme)

    for path in PAGES:
        page = await visitor.open(path)
        assert not await page.evaluate(_OVERFLOWS), path
        assert await page.evaluate(_BROKEN) == [], path


async def test_a_wide_table_scrolls_by_keyboard(
    site: Site, arrive: Arrive, alice: User, bob: User
) -> None:
    await _fail_a_delivery(site, alice, bob)
    visitor = await arrive(alice, viewport={"width": 390, "height": 844})
    page = await visitor.open("/admin")
    region = page.get_by_role("region", name="Deliveries in the last 24 hours").last

    await region.focus()
    await page.keyboard.press("End")
    await region.press("ArrowRight")

    await expect(region).to_be_focused()
    assert await region.evaluate("(one) => one.scrollWidth > one.clientWidth")


async def _fail_a_delivery(site: Site, admin: User, member: User) -> None:
    team = await make_team(site.db, admin)
    async with site.db.write() as session:
        await session.execute(update(User).where(User.id == admin.id).values(is_admin=True))
    async with site.db.act() as session:
        await add_member(session, admin, team.id, member.username, "editor")
    async with site.db.write() as session:
        gone = {"state": "dead", "attempts": 8, "settled_at": clock.now()}
        await session.execute(update(Delivery).values(gone))
