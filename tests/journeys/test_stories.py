"""The specification's "Notification Flow Examples", in front of three people at once."""

from playwright.async_api import expect

from app.models import Account
from tests.factories import make_team
from tests.journeys.browsing import AT_ONCE, at_once, bell_of
from tests.journeys.conftest import Arrive
from tests.journeys.running import Site


async def test_smoke(site: Site, arrive: Arrive, alice: Account, bob: Account) -> None:
    team = await make_team(site.db, alice, "Video Squad")
    a, b = await arrive(alice), await arrive(bob)
    await a.open(f"/teams/{team.id}")
    await b.open("/")
    await a.page.get_by_label("Email address").fill("bob@example.com")
    await at_once(
        a.page.get_by_role("button", name="Send invitation").click(),
        expect(bell_of(b.page)).to_have_accessible_name("Notifications, 1 unread", timeout=AT_ONCE),
    )
