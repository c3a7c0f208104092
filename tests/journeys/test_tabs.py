"""The tabs of a browser share one stream, since HTTP/1.1 has six connections for all of them."""

import asyncio
from dataclasses import dataclass, field

import pytest
from playwright.async_api import Page, Request, expect

from app.models import Team, User
from tests.factories import make_team
from tests.journeys.browsing import (
    Visitor,
    click_and_see,
    open_panel,
    panel,
    shows,
    wait_for,
)
from tests.journeys.conftest import Arrive
from tests.journeys.running import Site, post_as

TABS = 20
PATHS = ("/", "/notifications", "/teams", "/projects", "/account")
LIVING_ROOM = {"ALLOWED_HOSTS": "livingroom.test,127.0.0.1"}


async def test_twenty_tabs_share_one_stream_and_all_stay_live(
    site: Site, arrive: Arrive, alice: User, bob: User
) -> None:
    team = await make_team(site.db, alice, "Video Squad", viewers=[bob])
    member = await arrive(bob)
    streams = Streams.of(member)
    tabs = await open_tabs(member, TABS)

    await notify_bob(site, team, alice, bob, "editor", tabs, unread=1)
    assert len(streams.open) == 1
    for tab in tabs:
        await expect(tab.locator("#panel-list > li")).to_have_count(1)

    for tab in tabs[3:9]:
        await tab.get_by_role("link", name="Teams", exact=True).click()
        await expect(tab.get_by_role("link", name="Video Squad")).to_be_visible()
    await notify_bob(site, team, alice, bob, "viewer", tabs, unread=2)
    assert len(streams.open) == 1

    await open_panel(tabs[7])
    button = panel(tabs[7]).get_by_role("button", name="Mark all read")
    await click_and_see(button, *(shows(tab, unread=0) for tab in tabs))


async def test_when_the_tab_with_the_stream_closes_another_takes_over(
    site: Site, arrive: Arrive, alice: User, bob: User
) -> None:
    team = await make_team(site.db, alice, "Video Squad", viewers=[bob])
    member = await arrive(bob)
    streams = Streams.of(member)
    tabs = await open_tabs(member, 6)

    for unread, role in enumerate(("editor", "viewer", "admin"), 1):
        holder = streams.holder
        tabs.remove(holder)
        async with member.context.expect_event("request", is_stream):
            await holder.close()
        await notify_bob(site, team, alice, bob, role, tabs, unread=unread)
        assert len(streams.open) == 1


async def test_navigating_in_the_tab_with_the_stream_loses_nothing(
    site: Site, arrive: Arrive, alice: User, bob: User
) -> None:
    """Each page it leaves hands the stream to another tab, while bob's role keeps changing."""
    team = await make_team(site.db, alice, "Video Squad", viewers=[bob])
    member = await arrive(bob)
    streams = Streams.of(member)
    tabs = await open_tabs(member, 3)

    for number in range(10):
        role = ("editor", "viewer")[number % 2]
        acting = asyncio.create_task(change_role(site, team, alice, bob, role))
        holder = await streams.next_holder()
        await holder.goto(site.url + PATHS[number % len(PATHS)])
        await acting
    await wait_for(*(shows(tab, unread=10) for tab in tabs))
    for tab in tabs:
        await expect(tab.locator("#panel-list > li")).to_have_count(10)


@pytest.mark.parametrize("site", [LIVING_ROOM], indirect=True)
async def test_without_web_locks_the_visible_tab_is_live(
    site: Site, arrive: Arrive, alice: User, bob: User
) -> None:
    """Plain HTTP from another machine is not a secure context: there, tabs cannot share a stream."""
    team = await make_team(site.db, alice, "Video Squad", viewers=[bob])
    member = await arrive(bob, at=site.url.replace("127.0.0.1", "livingroom.test"))
    streams = Streams.of(member)
    tabs = [member.page]
    await member.open("/")
    assert not await member.page.evaluate("isSecureContext")
    for number in range(1, 9):
        await put(tabs[-1], hidden=True)
        tabs.append(await member.tab(PATHS[number % len(PATHS)]))

    await notify_bob(site, team, alice, bob, "editor", tabs[-1:], unread=1)
    assert len(streams.open) == 1
    for tab in reversed(tabs[:-1]):
        await put(tabs[-1], hidden=True)
        await put(tab, hidden=False)
        await shows(tab, unread=1).wait()
        tabs.append(tab)
    await notify_bob(site, team, alice, bob, "viewer", tabs[-1:], unread=2)


# What the browser does when another tab comes to the front. Playwright keeps all tabs in front.
PUT = """
hidden => {
  Object.defineProperty(document, "hidden", { configurable: true, value: hidden });
  document.dispatchEvent(new Event("visibilitychange"));
}
"""


@dataclass
class Streams:
    """The streams that a browser has open."""

    open: list[Request] = field(default_factory=list)

    @staticmethod
    def of(visitor: Visitor) -> "Streams":
        streams = Streams()
        visitor.context.on("request", streams._note)
        visitor.context.on("requestfinished", streams._close)
        visitor.context.on("requestfailed", streams._close)
        visitor.context.on("page", streams._watch)
        streams._watch(visitor.page)
        return streams

    @property
    def holder(self) -> Page:
        return self.open[-1].frame.page

    async def next_holder(self) -> Page:
        """The tab with the stream; between two of them, for a moment, there is none."""
        async with asyncio.timeout(30):
            while not self.open:  # noqa: ASYNC110 - Playwright's events offer nothing to await
                await asyncio.sleep(0.02)
        return self.holder

    def _watch(self, page: Page) -> None:
        page.on("close", self._forget)

    def _note(self, request: Request) -> None:
        if is_stream(request):
            self.open.append(request)

    def _close(self, request: Request) -> None:
        if request in self.open:
            self.open.remove(request)

    def _forget(self, page: Page) -> None:
        self.open[:] = [one for one in self.open if one.frame.page != page]


def is_stream(request: Request) -> bool:
    return "/notifications/stream?" in request.url


async def open_tabs(visitor: Visitor, count: int) -> list[Page]:
    await visitor.open("/")
    others = [await visitor.tab(PATHS[number % len(PATHS)]) for number in range(1, count)]
    return [visitor.page, *others]


async def put(tab: Page, *, hidden: bool) -> None:
    await tab.evaluate(PUT, hidden)


async def notify_bob(
    site: Site,
    team: Team,
    alice: User,
    bob: User,
    role: str,
    tabs: list[Page],
    *,
    unread: int,
) -> None:
    """Bob gets another role, and each of his tabs shows that."""
    watching = asyncio.create_task(wait_for(*(shows(tab, unread=unread) for tab in tabs)))
    await change_role(site, team, alice, bob, role)
    await watching


async def change_role(site: Site, team: Team, alice: User, bob: User, role: str) -> None:
    await post_as(site, alice, f"/teams/{team.id}/members/{bob.id}/role", role=role)
