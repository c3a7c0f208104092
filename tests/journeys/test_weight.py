"""How many bytes a page costs, the first time and again."""

from app.models import User
from app.projects.projects import create_project
from app.projects.sharing import share_project
from tests.factories import make_team
from tests.journeys.conftest import Arrive
from tests.journeys.running import Site
from tests.journeys.wire import Wire

COLD, WARM = 60_000, 8_000


async def test_the_inbox_costs_60_kb_at_first_and_8_kb_again(
    site: Site, arrive: Arrive, alice: User, bob: User
) -> None:
    await fill_the_inbox_of(site, bob, alice)
    visitor = await arrive(bob)
    wire = Wire(visitor.page)
    await wire.begin()

    await visitor.open("/notifications")
    await wire.until_quiet()
    cold, first = wire.total, wire.report()
    await visitor.open("/notifications")
    await wire.until_quiet()

    print(cold, wire.total - cold)
    assert cold < COLD, first
    assert wire.total - cold < WARM, wire.report()


async def fill_the_inbox_of(site: Site, user: User, actor: User) -> None:
    """Two pages, with every row of the panel."""
    team = await make_team(site.db, actor, editors=[user])
    for number in range(40):
        async with site.db.act() as session:
            project = await create_project(session, actor, f"Highlights of match {number}")
            await share_project(session, actor, project.id, team.id)
