"""What a push leaves on the screen, and when it goes from there."""

import asyncio
import json
from typing import Any

import pytest

from app.models import User
from app.notifications.inbox import acts
from app.notifications.inbox.selection import Selection
from tests.bell import newest_notices
from tests.journeys.browsing import SERVER_IS_AWAY, open_panel, panel
from tests.journeys.conftest import Arrive
from tests.journeys.push.pushing import until
from tests.journeys.push.steps import (
    close_app,
    enable,
    invite,
    is_shown,
    log_out,
    reload_without_worker,
    show_invitation,
    unread,
    with_push,
)
from tests.journeys.running import Site
from tests.push_service import Browser, Pushed, PushService

pytestmark = with_push


async def test_none_is_lost_while_pages_have_what_was_read_taken_off_the_screen(
    site: Site, arrive: Arrive, push_service: PushService, bob: User
) -> None:
    visitor = await arrive(bob)
    screen = await enable(visitor, push_service.browser())
    await visitor.page.evaluate("""
        async () => {
          const { active } = await navigator.serviceWorker.ready;
          setInterval(() => active.postMessage("close-read"), 2);
        }
    """)

    for number in range(40):
        await screen.receive(json.dumps({"title": "t", "body": str(number)}))

    await is_shown(screen, *map(str, range(40)))


# Requests of the service worker to this path are told of, and then wait for `letGo()`.
HOLD = """path => {
  const real = self.fetch.bind(self), held = new Promise(go => self.letGo = go);
  self.fetch = async (url, options) => {
    if (new URL(url, location).pathname.match(path)) { self.holds = true; await held; }
    return real(url, options);
  };
}"""


async def two_of_a_kind(
    site: Site, user: User, push_service: PushService, browser: Browser
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The second takes the place of the first."""
    for _time in range(2):
        await invite(site, user)
    first, second = [(await push_service.next_push(browser, n)).payload for n in (1, 2)]
    assert first["tag"] == second["tag"]
    return first | {"body": "first"}, second | {"body": "second"}


async def test_what_takes_the_place_of_something_read_stays(
    site: Site, arrive: Arrive, push_service: PushService, bob: User
) -> None:
    visitor, browser = await arrive(bob), push_service.browser()
    screen = await enable(visitor, browser)
    await close_app(visitor)
    first, second = await two_of_a_kind(site, bob, push_service, browser)
    async with site.db.act() as session:
        await acts.mark(session, bob.id, Selection([first["notification_id"]]), read=True)

    await screen.evaluate(HOLD, "/push/unread")
    await screen.receive(json.dumps(first))
    await until(lambda: screen.evaluate("() => self.holds"))
    await screen.receive(json.dumps(second))
    await is_shown(screen, "second")
    await screen.evaluate("() => letGo()")
    await asyncio.sleep(1)

    await is_shown(screen, "second")


async def test_what_comes_back_onto_the_screen_does_not_take_the_place_of_something_newer(
    site: Site, arrive: Arrive, push_service: PushService, bob: User
) -> None:
    visitor, browser = await arrive(bob), push_service.browser()
    screen = await enable(visitor, browser)
    await close_app(visitor)
    first, second = await two_of_a_kind(site, bob, push_service, browser)
    await screen.receive(json.dumps(first))
    await is_shown(screen, "first")
    await visitor.context.clear_cookies()  # signed out, so that it cannot be marked

    await screen.evaluate(HOLD, "/push/state")
    click = asyncio.create_task(screen.click("read"))
    await until(lambda: screen.evaluate("() => self.holds"))
    await screen.receive(json.dumps(second))
    await is_shown(screen, "second")
    await screen.evaluate("() => letGo()")
    await click

    await is_shown(screen, "second")


async def test_what_is_read_anywhere_leaves_the_screen_where_a_page_is_open(
    site: Site, arrive: Arrive, push_service: PushService, bob: User
) -> None:
    laptop, phone = await arrive(bob), await arrive(bob)
    screen = await show_invitation(site, laptop, push_service, bob, is_open=True)

    await phone.open("/")
    await open_panel(phone.page)
    await panel(phone.page).get_by_role("button", name="Mark all read").click()

    await is_shown(screen)


async def test_what_is_read_leaves_the_screen_also_where_no_service_worker_controls_the_page(
    site: Site, arrive: Arrive, push_service: PushService, bob: User
) -> None:
    visitor = await arrive(bob)
    screen = await show_invitation(site, visitor, push_service, bob, is_open=True)
    await reload_without_worker(visitor)

    await mark_all_read(site, bob)

    await is_shown(screen)


async def test_what_was_read_while_no_page_was_open_leaves_the_screen_at_the_next_visit(
    site: Site, arrive: Arrive, push_service: PushService, bob: User
) -> None:
    visitor = await arrive(bob)
    screen = await show_invitation(site, visitor, push_service, bob)
    await mark_all_read(site, bob)

    await visitor.open("/teams")

    await is_shown(screen)


async def mark_all_read(site: Site, user: User) -> None:
    """As another of their devices does."""
    async with site.db.act() as session:
        ids = [one.id for one in await newest_notices(session, user.id)]
        await acts.mark(session, user.id, Selection(ids), read=True)


@pytest.mark.parametrize("way", ["here", "everywhere", "by itself"])
async def test_logging_out_clears_the_notifications_on_the_screen(
    site: Site, arrive: Arrive, push_service: PushService, bob: User, way: str
) -> None:
    visitor = await arrive(bob)
    screen = await show_invitation(site, visitor, push_service, bob, is_open=True)

    if way == "here":
        await log_out(visitor, "bob")
    elif way == "everywhere":
        page = await visitor.open("/account")
        await page.get_by_role("button", name="Log out everywhere").click()
    else:
        await visitor.context.clear_cookies()
        await visitor.page.goto(site.url)

    await is_shown(screen)


async def test_what_was_read_before_its_push_came_does_not_stay(
    site: Site, arrive: Arrive, push_service: PushService, bob: User
) -> None:
    visitor, browser = await arrive(bob), push_service.browser()
    screen = await enable(visitor, browser)
    await close_app(visitor)
    await invite(site, bob)
    pushed: Pushed = await push_service.next_push(browser)
    async with site.db.act() as session:
        await acts.mark(session, bob.id, Selection([pushed.payload["notification_id"]]), read=True)

    await screen.receive(pushed)

    await is_shown(screen)


async def test_what_cannot_be_marked_as_read_is_shown_again_and_makes_no_sound(
    site: Site, arrive: Arrive, push_service: PushService, bob: User
) -> None:
    visitor = await arrive(bob)
    visitor.watch.expect(SERVER_IS_AWAY)
    screen = await show_invitation(site, visitor, push_service, bob)
    [shown] = await screen.shown()

    await site.web.stop()
    await screen.click("read")
    assert await screen.shown() == [shown | {"silent": True}]
    await site.web.start()
    cookies = {one["name"]: one["value"] for one in await visitor.context.cookies()}
    await visitor.context.clear_cookies()  # signed out
    await screen.click("read")
    assert await screen.shown() == [shown | {"silent": True}]
    assert await unread(site, bob) == 1

    await visitor.take_session(cookies["session"])
    await screen.click("read")
    assert await screen.shown() == []
    assert await unread(site, bob) == 0
