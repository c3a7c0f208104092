"""What a person does with push, and what of it is to be seen."""

from collections.abc import Sequence
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect
from sqlalchemy import select

from app.models import PushSubscription, User
from app.notifications.events.catalogue import INVITATION_RECEIVED
from app.notifications.inbox import feed
from app.notifications.notify import notify
from tests.journeys.browsing import Visitor
from tests.journeys.push.pushing import Screen, give_push, until
from tests.journeys.running import Site, free_port
from tests.push_service import Browser, PushService

PORT = free_port()
ENVIRON = {
    "PUSH_ALLOWED_HOSTS": f"127.0.0.1:{PORT}",
    "PUSH_DELAY_SECONDS": "1",  # with 0, looking at a page would keep none back
    "ALLOWED_HOSTS": "livingroom.test,127.0.0.1",
}
SETTINGS = "/account/notifications"
INVITED = "alice invited you to join team 'Video Squad' as editor"
# A page that goes out of view, or comes into it.
TURN = """hidden => {
  Object.defineProperty(document, "hidden", { get: () => hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
with_push = pytest.mark.parametrize("site", [ENVIRON], indirect=True, ids=["with push"])
ENABLED = "Push is enabled on this device."


async def enable(visitor: Visitor, *browsers: Browser) -> Screen:
    """Push is enabled in this browser, and its page is left open."""
    await give_push(visitor, *browsers)
    page = await visitor.open(SETTINGS)
    async with page.expect_response("**/push/subscription"):  # asked when the list has it
        await the_button_to_enable(page).click()
    await expect(page.get_by_text(ENABLED)).to_be_visible()
    return await Screen.of(visitor)


async def close_app(visitor: Visitor) -> None:
    """First the tab goes out of view, then it is closed."""
    async with visitor.page.expect_response("**/push/visibility"):
        await visitor.page.evaluate(TURN, True)
    await visitor.page.goto("about:blank")


async def show_invitation(
    site: Site,
    visitor: Visitor,
    push_service: PushService,
    user: User,
    *,
    is_open: bool = False,
) -> Screen:
    """One is on the screen of this browser, in which a page is open or no more."""
    browser = push_service.browser()
    screen = await enable(visitor, browser)
    await (pushes_always(visitor.page) if is_open else close_app(visitor))
    await invite(site, user)
    await screen.receive(await push_service.next_push(browser))
    await is_shown(screen, INVITED)
    return screen


async def invite(site: Site, user: User) -> None:
    """Notifies the invitee of an invitation, without checking who may invite."""
    facts: dict[str, Any] = {"inviter": "alice", "team_name": "Video Squad", "role": "editor"}
    async with site.db.act() as session:
        await notify(session, INVITATION_RECEIVED, affected=user, **facts)


async def unread(site: Site, user: User) -> int:
    async with site.db.read() as session:
        return await feed.unread_count(session, user.id)


async def devices(site: Site) -> Sequence[PushSubscription]:
    async with site.db.read() as session:
        return (await session.scalars(select(PushSubscription))).all()


async def is_shown(screen: Screen, *bodies: str) -> None:
    async def looks_so() -> bool:
        return [one["body"] for one in await screen.shown()] == list(bodies)

    await until(looks_so)


async def pushes_always(page: Page) -> None:
    await page.get_by_label("Send pushes even while a page is open").check()
    await expect(page.get_by_text("Saved", exact=True)).to_be_visible()


async def reload_without_worker(visitor: Visitor) -> None:
    """By force, as with the Shift key."""
    session = await visitor.context.new_cdp_session(visitor.page)
    async with visitor.page.expect_event("load"):
        await session.send("Page.reload", {"ignoreCache": True})
    assert await visitor.page.evaluate("!navigator.serviceWorker.controller")


def the_button_to_enable(page: Page) -> Locator:
    return page.get_by_role("button", name="Enable push on this device")


async def return_later(visitor: Visitor, path: str = SETTINGS) -> None:
    """As in a tab of another day."""
    await visitor.page.evaluate("sessionStorage.clear()")
    await visitor.open(path)


async def log_out(visitor: Visitor, name: str) -> None:
    await visitor.page.get_by_role("button", name=f"Account of {name}").click()
    await visitor.page.get_by_role("button", name="Log out").click()
    await expect(visitor.page.get_by_role("button", name="Log in")).to_be_visible()
