"""Clearing an inbox and finding things in it: by keys alone, and by plain forms without scripts."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import expect
from sqlalchemy import select, update

from app import clock
from app.models import Event, Notification, Project, Team, User
from app.models.notification import IN_INBOX, SNOOZED
from app.notifications.events.audience import personally
from app.notifications.events.catalogue import CUSTOM, TYPES
from app.notifications.inbox import feed
from app.notifications.notify import notify
from tests.factories import make_account, make_team
from tests.journeys.browsing import DEADLINE, sees
from tests.journeys.conftest import Arrive, Sit
from tests.journeys.reading import Reader
from tests.journeys.running import Site

MANY = 60
MOST_PRESSES = 40


@pytest_asyncio.fixture(loop_scope="session")
async def bob(site: Site) -> User:
    """He wants groups, as everyone does who changes nothing."""
    return await make_account(site.db, "bob", grouping=True)


@pytest_asyncio.fixture(loop_scope="session")
async def squad(site: Site, alice: User, bob: User) -> Team:
    return await make_team(site.db, alice, editors=[bob])


@pytest_asyncio.fixture(loop_scope="session")
async def many(site: Site, alice: User, bob: User, squad: Team) -> None:
    """Bob's inbox holds 60 notifications, of every type that is shown there."""
    async with site.db.act() as session:
        project = Project(name="Highlight Reel", owner_id=alice.id)
        session.add(project)
        await session.flush()
        about: dict[str, Any] = {"actor": alice, "team": squad, "project": project}
        for event_type in [*TYPES.values()] * 2:
            only_bob = personally(User.id).where(User.id == bob.id)
            facts = about | dict(event_type.example)
            await notify(session, event_type, affected=bob, recipients=only_bob, **facts)
        for _missing in range(MANY - await feed.unread_count(session, bob.id)):
            await notify(session, CUSTOM, **about, **CUSTOM.example)


async def tell(site: Site, alice: User, squad: Team, *titles: str) -> None:
    async with site.db.act() as session:
        for title in titles:
            await notify(session, CUSTOM, actor=alice, team=squad, title=title, group_key=title)


@pytest.mark.usefixtures("many")
async def test_sixty_of_every_type_are_cleared_in_under_forty_presses(
    site: Site, arrive: Arrive, bob: User
) -> None:
    reader = Reader(await arrive(bob))
    await reader.open()
    await sees(reader.page, MANY)
    left, presses = await reader.rows.count(), 1
    await reader.page.keyboard.press("j")

    while left:
        await reader.page.keyboard.press("e")
        left, presses = left - 1, presses + 1
        await expect(reader.rows).to_have_count(left)

    await reader.is_told("All done")
    await sees(reader.page, 0)
    assert presses < MOST_PRESSES
    assert await folders(site) == {"done": MANY}


@pytest.mark.usefixtures("many")
async def test_sixty_of_every_type_are_cleared_in_under_forty_presses_without_scripts(
    site: Site, arrive: Arrive, bob: User
) -> None:
    reader = Reader(await arrive(bob, java_script_enabled=False))
    await reader.open()
    rows = await reader.rows.count()

    for number in range(rows):
        await reader.rows.nth(number).get_by_role("checkbox").press(" ")
    await reader.page.get_by_role("button", name="Done", exact=True).first.press("Enter")

    await reader.is_told("All done")
    assert rows + 1 < MOST_PRESSES
    assert await folders(site) == {"done": MANY}


async def test_one_of_last_month_is_found(
    site: Site, sit: Sit, alice: User, bob: User, squad: Team
) -> None:
    await tell(site, alice, squad, "Aurora render done")
    async with site.db.write() as session:
        old = (await session.scalars(select(Event))).one()
        old.created_at = clock.now() - timedelta(days=35)
    await tell(site, alice, squad, *(f"Render {number} done" for number in range(25)))
    reader = await sit(bob)
    await reader.open()
    field = reader.page.get_by_label("Search notifications")
    if reader.has_scripts:
        await reader.page.keyboard.press("/")
        await expect(field).to_be_focused()
    else:
        await field.focus()

    earlier = (clock.now() - timedelta(days=20)).date()
    await reader.page.keyboard.type(f"render before:{earlier}")
    if not reader.has_scripts:
        await reader.page.keyboard.press("Enter")

    await expect(reader.rows).to_have_count(1)
    await expect(reader.rows).to_contain_text("Aurora render done")
    await expect(reader.rows.locator("mark").first).to_have_text("render")


async def test_a_snoozed_one_comes_back_unread_and_on_top_by_itself(
    site: Site, sit: Sit, alice: User, bob: User, squad: Team
) -> None:
    await tell(site, alice, squad, "Call the lab", "Book the hall")
    reader = await sit(bob)
    await reader.open()
    if reader.has_scripts:
        for key in ("j", "j", "h"):
            await reader.page.keyboard.press(key)
        await expect(reader.page.get_by_role("dialog", name="Snooze until")).to_be_visible()
        await reader.page.keyboard.press("Enter")
    else:
        await reader.rows.nth(1).get_by_role("button", name="Snooze").press("Enter")
        await reader.page.locator("[name=for]").first.press("Enter")
    await expect(reader.rows).to_have_count(1)

    await is_due_now(site)
    # Wakes the worker, which would look by itself half a minute later.
    await tell(site, alice, squad, "Sweep the floor")

    if reader.has_scripts:
        await sees(reader.page, 3)
        await reader.page.get_by_role("link", name="new notifications").press("Enter")
    else:
        await until(lambda: _is_in_inbox(site, 3))
        await reader.open()
    await expect(reader.rows).to_have_count(3)
    await expect(reader.rows.filter(has_text="Call the lab")).to_contain_text("Unread")
    await expect(reader.rows.last).to_contain_text("Book the hall")


@pytest.mark.parametrize(
    ("key", "name"),
    [("e", "Done"), ("s", "Save"), ("h", "Snooze"), ("u", "Mark as read"), ("#", "Delete")],
)
async def test_each_act_is_undone(
    site: Site, sit: Sit, alice: User, bob: User, squad: Team, key: str, name: str
) -> None:
    await tell(site, alice, squad, "Call the lab", "Book the hall")
    reader = await sit(bob)
    await reader.open()
    before = await states(site)

    if reader.has_scripts:
        await reader.page.keyboard.press("j")
        await reader.page.keyboard.press(key)
    else:
        await reader.press(reader.rows.first, name)
    if name == "Snooze":
        await reader.page.locator("[name=for]").first.press("Enter")
    await until(lambda: _differs(site, before))
    await expect(reader.page.locator(".htmx-request")).to_have_count(0)
    if reader.has_scripts:
        await reader.page.keyboard.press("z")
    else:
        await reader.page.get_by_role("button", name="Undo").first.press("Enter")

    await expect(reader.rows).to_have_count(2)
    await until(lambda: _is_as(site, before))


async def states(site: Site) -> list[tuple[object, ...]]:
    one = Notification
    columns = one.id, one.folder, one.is_saved, one.read_at.is_(None), one.deleted_at.is_(None)
    rows = select(*columns).where(~one.hidden).order_by(one.id)
    async with site.db.read() as session:
        return [tuple(row) for row in await session.execute(rows)]


async def folders(site: Site) -> Counter[object]:
    return Counter(folder for _id, folder, *_others in await states(site))


async def is_due_now(site: Site) -> None:
    async with site.db.write() as session:
        await session.execute(
            update(Notification)
            .values(snoozed_until=clock.now())
            .where(Notification.folder == SNOOZED)
        )


async def until(is_so: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(DEADLINE):
        while not await is_so():  # noqa: ASYNC110 - of the rows
            await asyncio.sleep(0.1)


async def _differs(site: Site, before: list[tuple[object, ...]]) -> bool:
    return await states(site) != before


async def _is_as(site: Site, before: list[tuple[object, ...]]) -> bool:
    return await states(site) == before


async def _is_in_inbox(site: Site, count: int) -> bool:
    return (await folders(site))[IN_INBOX] == count
