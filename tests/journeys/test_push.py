"""From somebody's act to the screen of a closed app, and from a click there back to the notice."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, Route, expect
from sqlalchemy import delete, null, select, update

from app import clock
from app.models import Account, Delivery, PushSubscription
from app.notifications import channels, feed
from app.notifications.catalogue import COMPILATION_COMPLETED, INVITATION_RECEIVED, PUSH
from app.notifications.channels import browser_push
from app.notifications.devices import remove
from app.notifications.notify import notify
from tests.factories import PASSWORD
from tests.journeys.browsing import SERVER_IS_AWAY, Visitor, open_panel, panel, sees
from tests.journeys.conftest import Arrive
from tests.journeys.pushing import Screen, give_push, until
from tests.journeys.running import Site, free_port
from tests.push_service import Browser, Pushed, PushService, serving_push
from tests.pushing import enable_push

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
ENABLED = "Push is enabled on this device."
ON_ITS_WAY = "A test is on its way."
TAKEN = "The test was taken by its push service and should be on its screen."
SCRIPTS_ARE_OFF = "Push is enabled by a script, and scripts are off in this browser."

pytestmark = pytest.mark.parametrize("site", [ENVIRON], indirect=True, ids=["with push"])


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def open_service() -> AsyncIterator[PushService]:
    """There for as long as the site is, whose worker keeps its connections."""
    async with serving_push(PORT) as service:
        yield service


@pytest_asyncio.fixture(loop_scope="session")
async def push_service(open_service: PushService) -> AsyncIterator[PushService]:
    yield open_service
    assert not open_service.complaints


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
    async with visitor.page.expect_response("**/push/presence"):
        await visitor.page.evaluate(TURN, True)
    await visitor.page.goto("about:blank")


async def invite(site: Site, person: Account) -> None:
    """What an invitation does to the invitee; who may invite is no matter of push."""
    facts: dict[str, Any] = {"inviter": "alice", "team_name": "Video Squad", "role": "editor"}
    channels.configure(site.settings)
    async with site.db.act() as session:
        await notify(session, INVITATION_RECEIVED, affected=person, **facts)


async def unread(site: Site, person: Account) -> int:
    async with site.db.read() as session:
        return await feed.unread_count(session, person.id)


async def devices(site: Site) -> Sequence[PushSubscription]:
    async with site.db.read() as session:
        return (await session.scalars(select(PushSubscription))).all()


async def is_shown(screen: Screen, *bodies: str) -> None:
    async def looks_so() -> bool:
        return [one["body"] for one in await screen.shown()] == list(bodies)

    await until(looks_so)


async def test_what_somebody_does_is_shown_though_the_app_is_closed_and_a_click_leads_there(
    site: Site, arrive: Arrive, push_service: PushService, alice: Account, bob: Account
) -> None:
    inviter, invitee = await arrive(alice), await arrive(bob)
    browser = push_service.browser()
    screen = await enable(invitee, browser)
    await close_app(invitee)

    page = await inviter.open("/teams")
    await page.get_by_label("Team name").fill("Video Squad")
    await page.get_by_role("button", name="Create team").click()
    await page.get_by_label("Email address").fill("bob@example.com")
    await page.get_by_label("Role", exact=True).first.select_option("editor")
    await page.get_by_role("button", name="Send invitation").click()
    await screen.receive(await push_service.next_push(browser))

    await is_shown(screen, INVITED)
    [shown] = await screen.shown()
    assert shown["title"] == "Video Squad"
    assert shown["actions"] == ["open", "read"]
    assert await unread(site, bob) == 1

    assert await screen.click() == [shown["path"]]

    assert await screen.shown() == []
    assert await unread(site, bob) == 0
    await invitee.page.goto(site.url + shown["path"])
    await expect(invitee.page.get_by_role("button", name="Accept")).to_be_visible()


async def test_a_click_takes_a_tab_that_is_open_and_mark_as_read_takes_none(
    site: Site, arrive: Arrive, push_service: PushService, bob: Account
) -> None:
    visitor, browser = await arrive(bob), push_service.browser()
    screen = await enable(visitor, browser)
    await pushes_always(visitor.page)
    await invite(site, bob)
    await screen.receive(await push_service.next_push(browser))
    await is_shown(screen, INVITED)

    assert await screen.click("read") == []
    await sees(visitor.page, 0)

    await invite(site, bob)
    await screen.receive(await push_service.next_push(browser, 2))
    await is_shown(screen, INVITED)
    visitor.watch.expect("404")  # nobody has really invited, so there is nothing to accept
    assert await screen.click("open") == ["focus"]
    await expect(visitor.page).not_to_have_url(site.url + SETTINGS)
    assert await unread(site, bob) == 0


async def pushes_always(page: Page) -> None:
    await page.get_by_label("Send pushes also while a page is open").check()
    await expect(page.get_by_text("Saved", exact=True)).to_be_visible()


async def test_repeats_replace_each_other(
    site: Site, arrive: Arrive, push_service: PushService, bob: Account
) -> None:
    visitor, browser = await arrive(bob), push_service.browser()
    screen = await enable(visitor, browser)
    await close_app(visitor)
    for _time in range(2):
        await invite(site, bob)
    for number in (1, 2):
        await screen.receive(await push_service.next_push(browser, number))
    await is_shown(screen, INVITED)


BROKEN = [
    "",
    "not JSON",
    "[]",
    "null",
    "5",
    '{"title": 5}',
    '{"title": "t", "body": {}}',
    '{"title": "t", "tag": 5}',
    '{"title": "t", "icon": {}}',
    '{"title": "t", "actions": 5}',
    '{"title": "t", "actions": [{}]}',
    '{"title": "t", "actions": [null, null]}',
    '{"title": "t", "actions": {"0": 1}}',
    '{"title": "t", "timestamp": "soon"}',
    '{"title": "t", "url": "//"}',
    '{"title": "t", "url": null}',
    '{"title": "t", "notification_id": "none"}',
    '{"title": "t", "notification_id": -1}',
    '{"title": "t", "unread_count": "many"}',
    '{"title": "t", "unread_count": -1}',
]


async def test_something_is_shown_of_whatever_comes(
    site: Site, arrive: Arrive, push_service: PushService, bob: Account
) -> None:
    visitor = await arrive(bob)
    screen = await enable(visitor, push_service.browser())
    await close_app(visitor)

    for count, broken in enumerate(BROKEN, start=1):
        await shows(screen, count, broken)

    assert {one["path"] for one in await screen.shown()} == {"/notifications"}
    assert {one["title"] for one in await screen.shown()} == {"ClippyFront", "t"}
    assert {one["body"] for one in await screen.shown()} == {"Something new has happened."}
    good = '{"title": "Good", "body": "words", "url": "/teams", "actions": [{}]}'
    await shows(screen, len(BROKEN) + 1, good)
    [kept] = [one for one in await screen.shown() if one["title"] == "Good"]
    assert (kept["body"], kept["path"]) == ("words", "/teams")


async def shows(screen: Screen, count: int, received: str) -> None:
    """Exactly so many once it is received, also a moment later."""

    async def are_so_many() -> bool:
        return len(await screen.shown()) == count

    await screen.receive(received)
    await until(are_so_many)
    await asyncio.sleep(0.1)
    assert await are_so_many(), received


async def test_none_is_lost_while_pages_have_what_was_read_taken_off_the_screen(
    site: Site, arrive: Arrive, push_service: PushService, bob: Account
) -> None:
    visitor = await arrive(bob)
    screen = await enable(visitor, push_service.browser())
    await visitor.page.evaluate("""
        async () => {
          const { active } = await navigator.serviceWorker.ready;
          setInterval(() => active.postMessage("tidy"), 2);
        }
    """)

    for number in range(40):
        await screen.receive(json.dumps({"title": "t", "body": str(number)}))

    await is_shown(screen, *map(str, range(40)))


ELSEWHERE = [
    "https://evil.example/win",
    "//evil.example/win",
    "{site}//evil.example/win",
    "/.//evil.example/win",
    "\\\\evil.example/win",
    "javascript:alert(1)",
]


async def test_a_push_that_would_lead_elsewhere_leads_to_the_inbox(
    site: Site, arrive: Arrive, push_service: PushService, bob: Account
) -> None:
    visitor = await arrive(bob)
    screen = await enable(visitor, push_service.browser())
    await close_app(visitor)

    for count, url in enumerate(ELSEWHERE, start=1):
        push = json.dumps({"title": "Prize", "url": url.format(site=site.url)})
        await shows(screen, count, push)

    assert [one["path"] for one in await screen.shown()] == ["/notifications"] * len(ELSEWHERE)
    assert await screen.click() == ["/notifications"]


async def test_a_notice_is_found_also_where_its_server_goes_by_another_name(
    site: Site, arrive: Arrive, push_service: PushService, bob: Account
) -> None:
    visitor, browser = await arrive(bob), push_service.browser()
    screen = await enable(visitor, browser)
    await close_app(visitor)
    await invite(site, bob)
    payload = (await push_service.next_push(browser)).payload

    await screen.receive(json.dumps(payload | {"url": "https://elsewhere.example/"}))

    await is_shown(screen, INVITED)
    [shown] = await screen.shown()
    assert shown["path"] == f"/notifications/{payload['notification_id']}"


# Requests of the service worker to this path are told of, and then wait for `letGo()`.
HOLD = """path => {
  const real = self.fetch.bind(self), held = new Promise(go => self.letGo = go);
  self.fetch = async (url, options) => {
    if (new URL(url, location).pathname.match(path)) { self.holds = true; await held; }
    return real(url, options);
  };
}"""


async def two_of_a_kind(
    site: Site, person: Account, push_service: PushService, browser: Browser
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The second takes the place of the first."""
    for _time in range(2):
        await invite(site, person)
    first, second = [(await push_service.next_push(browser, n)).payload for n in (1, 2)]
    assert first["tag"] == second["tag"]
    return first | {"body": "first"}, second | {"body": "second"}


async def test_what_takes_the_place_of_something_read_stays(
    site: Site, arrive: Arrive, push_service: PushService, bob: Account
) -> None:
    visitor, browser = await arrive(bob), push_service.browser()
    screen = await enable(visitor, browser)
    await close_app(visitor)
    first, second = await two_of_a_kind(site, bob, push_service, browser)
    async with site.db.act() as session:
        await feed.mark(session, bob.id, [first["notification_id"]], read=True)

    await screen.evaluate(HOLD, "/push/unread")
    await screen.receive(json.dumps(first))
    await until(lambda: screen.evaluate("() => self.holds"))
    await screen.receive(json.dumps(second))
    await is_shown(screen, "second")
    await screen.evaluate("() => letGo()")
    await asyncio.sleep(1)

    await is_shown(screen, "second")


async def test_what_comes_back_onto_the_screen_does_not_take_the_place_of_something_newer(
    site: Site, arrive: Arrive, push_service: PushService, bob: Account
) -> None:
    visitor, browser = await arrive(bob), push_service.browser()
    screen = await enable(visitor, browser)
    await close_app(visitor)
    first, second = await two_of_a_kind(site, bob, push_service, browser)
    await screen.receive(json.dumps(first))
    await is_shown(screen, "first")
    await visitor.context.clear_cookies()  # signed out, so that it cannot be marked

    await screen.evaluate(HOLD, "/push/.*/read")
    click = asyncio.create_task(screen.click("read"))
    await until(lambda: screen.evaluate("() => self.holds"))
    await screen.receive(json.dumps(second))
    await is_shown(screen, "second")
    await screen.evaluate("() => letGo()")
    await click

    await is_shown(screen, "second")


async def test_pushes_do_not_wait_for_a_server_that_does_not_give_out_their_icon(
    site: Site, arrive: Arrive, push_service: PushService, bob: Account
) -> None:
    visitor, browser = await arrive(bob), push_service.browser()
    screen = await enable(visitor, browser)
    await close_app(visitor)
    await invite(site, bob)
    payload = (await push_service.next_push(browser)).payload
    site.web.freeze()
    try:
        for tag in ("1", "2"):
            await screen.receive(json.dumps(payload | {"tag": tag, "body": tag}))
        await is_shown(screen, "1", "2")
    finally:
        site.web.thaw()


async def test_what_cannot_be_marked_as_read_is_shown_again_and_makes_no_sound(
    site: Site, arrive: Arrive, push_service: PushService, bob: Account
) -> None:
    visitor, browser = await arrive(bob), push_service.browser()
    visitor.watch.expect(SERVER_IS_AWAY)
    screen = await enable(visitor, browser)
    await close_app(visitor)
    await invite(site, bob)
    await screen.receive(await push_service.next_push(browser))
    await is_shown(screen, INVITED)
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


async def test_a_click_opens_a_window_where_the_open_tab_cannot_be_taken_along(
    site: Site, arrive: Arrive, push_service: PushService, bob: Account
) -> None:
    visitor, browser = await arrive(bob), push_service.browser()
    screen = await enable(visitor, browser)
    await pushes_always(visitor.page)
    await reload_without_worker(visitor)
    await invite(site, bob)
    await screen.receive(await push_service.next_push(browser))
    await is_shown(screen, INVITED)
    [shown] = await screen.shown()

    assert await screen.click() == [shown["path"]]


async def reload_without_worker(visitor: Visitor) -> None:
    """By force, as with the Shift key."""
    session = await visitor.context.new_cdp_session(visitor.page)
    async with visitor.page.expect_event("load"):
        await session.send("Page.reload", {"ignoreCache": True})
    assert await visitor.page.evaluate("!navigator.serviceWorker.controller")


async def test_what_is_read_anywhere_leaves_the_screen_where_a_page_is_open(
    site: Site, arrive: Arrive, push_service: PushService, bob: Account
) -> None:
    laptop, phone = await arrive(bob), await arrive(bob)
    browser = push_service.browser()
    screen = await enable(laptop, browser)
    await pushes_always(laptop.page)
    await invite(site, bob)
    await screen.receive(await push_service.next_push(browser))
    await is_shown(screen, INVITED)

    await phone.open("/")
    await open_panel(phone.page)
    await panel(phone.page).get_by_role("button", name="Mark all read").click()

    await is_shown(screen)


async def test_what_is_read_leaves_the_screen_also_where_no_service_worker_controls_the_page(
    site: Site, arrive: Arrive, push_service: PushService, bob: Account
) -> None:
    visitor, browser = await arrive(bob), push_service.browser()
    screen = await enable(visitor, browser)
    await pushes_always(visitor.page)
    await reload_without_worker(visitor)
    await invite(site, bob)
    await screen.receive(await push_service.next_push(browser))
    await is_shown(screen, INVITED)

    await mark_all_read(site, bob)

    await is_shown(screen)


async def test_what_was_read_while_no_page_was_open_leaves_the_screen_at_the_next_visit(
    site: Site, arrive: Arrive, push_service: PushService, bob: Account
) -> None:
    visitor, browser = await arrive(bob), push_service.browser()
    screen = await enable(visitor, browser)
    await close_app(visitor)
    await invite(site, bob)
    await screen.receive(await push_service.next_push(browser))
    await is_shown(screen, INVITED)
    await mark_all_read(site, bob)

    await visitor.open("/teams")

    await is_shown(screen)


async def mark_all_read(site: Site, person: Account) -> None:
    """As another of their devices does."""
    async with site.db.act() as session:
        ids = [one.id for one in await feed.newest(session, person.id)]
        await feed.mark(session, person.id, ids, read=True)


@pytest.mark.parametrize("way", ["here", "everywhere", "by itself"])
async def test_whoever_logs_out_leaves_nothing_to_be_read_on_the_screen(
    site: Site, arrive: Arrive, push_service: PushService, bob: Account, way: str
) -> None:
    visitor, browser = await arrive(bob), push_service.browser()
    screen = await enable(visitor, browser)
    await pushes_always(visitor.page)
    await invite(site, bob)
    await screen.receive(await push_service.next_push(browser))
    await is_shown(screen, INVITED)

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
    site: Site, arrive: Arrive, push_service: PushService, bob: Account
) -> None:
    visitor, browser = await arrive(bob), push_service.browser()
    screen = await enable(visitor, browser)
    await close_app(visitor)
    await invite(site, bob)
    pushed: Pushed = await push_service.next_push(browser)
    async with site.db.act() as session:
        await feed.mark(session, bob.id, [pushed.payload["notification_id"]], read=True)

    await screen.receive(pushed)

    await is_shown(screen)


async def test_who_looks_at_a_page_gets_no_push_and_who_has_left_it_does(
    site: Site, arrive: Arrive, push_service: PushService, bob: Account
) -> None:
    visitor, browser = await arrive(bob), push_service.browser()
    await enable(visitor, browser)
    await tell_of_compilation(site, bob)
    await sees(visitor.page, 1)
    await until(lambda: is_put_off(site))
    assert browser.pushed == []

    await close_app(visitor)
    await tell_of_compilation(site, bob)

    await push_service.next_push(browser)
    assert len(browser.pushed) == 1


async def test_who_turns_from_one_tab_to_another_still_looks(
    site: Site, arrive: Arrive, push_service: PushService, bob: Account
) -> None:
    visitor = await arrive(bob)
    await enable(visitor, push_service.browser())
    one, other = visitor.page, await visitor.context.new_page()
    async with other.expect_response("**/push/presence"):
        await other.goto(site.url)
    async with one.expect_response("**/push/presence"):
        await one.evaluate(TURN, True)

    async def a_little_later(route: Route) -> None:
        await asyncio.sleep(0.2)
        await route.continue_()

    await other.route("**/push/presence", a_little_later)
    async with other.expect_response("**/push/presence"), one.expect_response("**/push/presence"):
        await asyncio.gather(other.evaluate(TURN, True), one.evaluate(TURN, False))

    async with site.db.read() as session:
        looks_until = (await session.get_one(Account, bob.id)).visible_until
    assert looks_until
    assert looks_until > clock.now()


async def tell_of_compilation(site: Site, person: Account) -> None:
    """Of something that is not urgent, as an invitation is."""
    people = select(Account.id.label("account_id"), null().label("team_id"))
    channels.configure(site.settings)
    async with site.db.act() as session:
        await notify(
            session,
            COMPILATION_COMPLETED,
            people=people.where(Account.id == person.id),
            **COMPILATION_COMPLETED.example,
        )


async def is_put_off(site: Site) -> bool:
    """Whether the worker has seen that somebody is looking."""
    async with site.db.read() as session:
        push = (await session.scalars(select(Delivery).where(Delivery.channel == PUSH))).one()
    return push.attempts == 0 and push.due_at > push.created_at


async def test_a_device_is_tested_and_removed_and_stays_removed(
    site: Site, arrive: Arrive, push_service: PushService, bob: Account
) -> None:
    visitor, browser = await arrive(bob), push_service.browser()
    screen = await enable(visitor, browser)
    page = visitor.page

    await page.get_by_role("button", name="Test Chrome on Linux").click()
    await screen.receive(await push_service.next_push(browser))
    await is_shown(screen, "Push works on this device.")
    await expect(page.locator("#device-list").get_by_text(TAKEN)).to_be_visible()

    await page.get_by_role("button", name="Remove Chrome on Linux").click()
    await expect(page.get_by_text("Push is not enabled on any device yet.")).to_be_visible()
    await expect(the_button_to_enable(page)).to_be_visible()
    await return_later(visitor)
    await expect(the_button_to_enable(page)).to_be_visible()
    assert await devices(site) == []


def the_button_to_enable(page: Page) -> Locator:
    return page.get_by_role("button", name="Enable push on this device")


def the_button_to_disable(page: Page) -> Locator:
    return page.get_by_role("button", name="Disable push on this device")


async def return_later(visitor: Visitor, path: str = SETTINGS) -> None:
    """As in a tab of another day."""
    await visitor.page.evaluate("sessionStorage.clear()")
    await visitor.open(path)


@pytest.mark.parametrize(
    "meanwhile",
    [
        "",
        "localStorage.pushManager = 'B' + 'A'.repeat(86)",  # its key is no longer ours
        "delete localStorage.pushManager",  # the browser has lost it by itself
    ],
    ids=["as it was", "another key", "lost"],
)
async def test_a_device_that_was_removed_elsewhere_does_not_come_back(
    site: Site,
    arrive: Arrive,
    push_service: PushService,
    bob: Account,
    meanwhile: str,
) -> None:
    laptop, phone = await arrive(bob), await arrive(bob)
    await enable(phone, push_service.browser(), push_service.browser())
    page = await laptop.open(SETTINGS)
    await page.get_by_role("button", name="Remove Chrome on Linux").click()
    await expect(page.get_by_text("Push is not enabled on any device yet.")).to_be_visible()
    await phone.page.evaluate(f"() => {{ {meanwhile} }}")

    await return_later(phone)

    await expect(the_button_to_enable(phone.page)).to_be_visible()
    assert await phone.page.evaluate("localStorage.push") == "off"
    assert await phone.page.evaluate("!localStorage.pushManager")
    assert await devices(site) == []


async def test_a_device_that_was_lost_comes_back_at_the_next_visit(
    site: Site, arrive: Arrive, push_service: PushService, bob: Account
) -> None:
    visitor, first, second = await arrive(bob), push_service.browser(), push_service.browser()
    await enable(visitor, first, second)
    async with site.db.write() as session:
        await session.execute(delete(PushSubscription))

    async with visitor.page.expect_response("**/api/push/subscribe"):
        await return_later(visitor, "/")

    assert [one.endpoint for one in await devices(site)] == [second.endpoint]
    await visitor.open(SETTINGS)
    await expect(visitor.page.get_by_text(ENABLED)).to_be_visible()


async def test_a_device_that_fails_is_given_another_chance_at_the_next_visit(
    site: Site, arrive: Arrive, push_service: PushService, bob: Account
) -> None:
    visitor = await arrive(bob)
    await enable(visitor, push_service.browser())
    async with site.db.write() as session:
        failing = {"failing_since": clock.now(), "error": "403 from push.example"}
        await session.execute(update(PushSubscription).values(failing))

    async with visitor.page.expect_response("**/api/push/subscribe"):
        await return_later(visitor, "/")

    [device] = await devices(site)
    assert (device.failing_since, device.error) == (None, None)


async def test_push_is_disabled_and_enabled_again_where_it_was_enabled(
    site: Site, arrive: Arrive, push_service: PushService, bob: Account
) -> None:
    visitor = await arrive(bob)
    await enable(visitor, push_service.browser())
    page = visitor.page
    await expect(page.get_by_role("button", name="Test Chrome on Linux")).to_be_visible()

    await the_button_to_disable(page).click()
    await expect(page.get_by_text("Push is not enabled on any device yet.")).to_be_visible()
    assert await devices(site) == []

    await the_button_to_enable(page).click()
    await expect(page.get_by_role("button", name="Test Chrome on Linux")).to_be_visible()
    assert await page.evaluate("localStorage.push") != "off"


async def test_the_focus_goes_on_from_a_button_that_vanishes(
    site: Site, arrive: Arrive, push_service: PushService, bob: Account
) -> None:
    visitor = await arrive(bob)
    await give_push(visitor, push_service.browser(), push_service.browser())
    page = await visitor.open(SETTINGS)

    await the_button_to_enable(page).press("Enter")
    await expect(the_button_to_disable(page)).to_be_focused()
    await the_button_to_disable(page).press("Enter")
    await expect(the_button_to_enable(page)).to_be_focused()
    await the_button_to_enable(page).press("Enter")
    await page.get_by_role("button", name="Remove Chrome on Linux").press("Enter")

    await expect(the_button_to_enable(page)).to_be_visible()
    await expect(page.get_by_role("heading", name="Devices")).to_be_focused()


async def test_the_focus_is_not_taken_from_where_it_is(
    site: Site, arrive: Arrive, push_service: PushService, bob: Account
) -> None:
    visitor = await arrive(bob)
    await give_push(visitor, push_service.browser(), push_service.browser())
    page = await visitor.open(SETTINGS)
    elsewhere = page.get_by_label("Send pushes also while a page is open")
    await elsewhere.focus()

    await the_button_to_enable(page).evaluate("(button) => button.click()")
    await expect(the_button_to_disable(page)).to_be_visible()
    await expect(elsewhere).to_be_focused()
    removal = page.get_by_role("button", name="Remove Chrome on Linux")
    await removal.evaluate("(button) => button.click()")
    await expect(the_button_to_enable(page)).to_be_visible()
    await expect(elsewhere).to_be_focused()


async def test_what_becomes_of_a_test_is_read_out_once_for_each_test_and_device(
    site: Site, arrive: Arrive, push_service: PushService, bob: Account
) -> None:
    visitor, browser, other = await arrive(bob), push_service.browser(), push_service.browser()
    channels.configure(site.settings)
    await enable_push(site.db, bob, other)
    await enable(visitor, browser)
    page = visitor.page
    await page.evaluate(LISTEN)
    heard = []

    for name, at, number in [
        ("Chrome on Linux", browser, 1),
        ("Firefox on Linux", other, 1),
        ("Chrome on Linux", browser, 2),
    ]:
        row = page.get_by_role("listitem").filter(has_text=name)
        button = row.get_by_role("button", name="Test")
        await button.press("Enter")
        await expect(row.get_by_text(ON_ITS_WAY)).to_be_visible()
        await push_service.next_push(at, number)
        await expect(row.get_by_text(TAKEN)).to_be_visible()
        await expect(button).to_be_focused()
        async with page.expect_response("**/push/subscription"):  # asked when the list is renewed
            await page.evaluate("htmx.trigger('#device-list', 'devices-changed')")
        heard += [f"{name}: {ON_ITS_WAY}", f"{name}: {TAKEN}"]

    assert await page.evaluate("heard") == heard


LISTEN = """
() => {
  window.heard = [];
  const [region] = document.querySelectorAll("#devices [role=status]");
  const hear = () => heard.push(region.textContent);
  new MutationObserver(hear).observe(region, { childList: true, characterData: true, subtree: true });
}
"""


async def test_push_is_off_also_where_the_browser_cannot_give_it_up_just_now(
    site: Site, arrive: Arrive, push_service: PushService, bob: Account
) -> None:
    visitor = await arrive(bob)
    await enable(visitor, push_service.browser())
    page = visitor.page
    await page.evaluate("localStorage.pushTrouble = 'unsubscribe'")

    await the_button_to_disable(page).click()
    await expect(the_button_to_enable(page)).to_be_visible()
    await return_later(visitor)
    await expect(the_button_to_enable(page)).to_be_visible()
    assert await page.evaluate("Boolean(localStorage.pushManager)")
    assert await devices(site) == []

    await page.evaluate("delete localStorage.pushTrouble")
    await return_later(visitor)
    await expect(the_button_to_enable(page)).to_be_visible()
    assert await page.evaluate("!localStorage.pushManager")
    assert await devices(site) == []


async def test_what_hinders_push_is_said_by_whom_it_hinders(
    site: Site, arrive: Arrive, push_service: PushService, bob: Account
) -> None:
    visitor = await arrive(bob)
    visitor.watch.expect(f"400|{SERVER_IS_AWAY}")
    await give_push(visitor, Browser("https://push.example/1"))
    page = await visitor.open(SETTINGS)

    await page.evaluate("localStorage.pushTrouble = 'subscribe'")
    await the_button_to_enable(page).click()
    await expect(page.get_by_text("could not reach its push service")).to_be_visible()

    await page.evaluate("delete localStorage.pushTrouble")
    await the_button_to_enable(page).click()
    refusal = "ClippyFront did not take it: This push service is not one of those that are allowed."
    await expect(page.get_by_text(refusal)).to_be_visible()
    await expect(page.get_by_text("could not reach its push service")).to_be_hidden()

    await site.web.stop()
    await the_button_to_enable(page).click()
    await expect(
        page.locator("#this-device").get_by_text("ClippyFront cannot be reached")
    ).to_be_visible()
    await site.web.start()


async def test_what_holds_is_shown_at_once_whether_or_not_the_push_service_answers(
    site: Site, arrive: Arrive, push_service: PushService, bob: Account
) -> None:
    visitor = await arrive(bob)
    await enable(visitor, push_service.browser())
    page = visitor.page
    await page.evaluate("localStorage.pushTrouble = 'silence'; delete localStorage.pushManager")

    await return_later(visitor)

    await expect(the_button_to_enable(page)).to_be_visible()
    await expect(page.get_by_text(SCRIPTS_ARE_OFF)).to_be_hidden()


async def test_a_push_service_that_does_not_answer_is_not_waited_for_and_may_be_tried_again(
    site: Site, arrive: Arrive, push_service: PushService, bob: Account
) -> None:
    visitor = await arrive(bob)
    await give_push(visitor, push_service.browser())
    await visitor.page.clock.install()
    page = await visitor.open(SETTINGS)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    await page.evaluate("localStorage.pushTrouble = 'silence'")
    await the_button_to_enable(page).click()
    await expect(page.get_by_text("One moment")).to_be_visible()
    await expect(the_button_to_enable(page)).to_be_disabled()
    await until(lambda: page.evaluate("window.isUnanswered"))
    await page.clock.fast_forward("00:20")
    await expect(page.get_by_text("could not reach its push service")).to_be_visible()
    await expect(page.get_by_text("One moment")).to_be_hidden()

    await page.evaluate("delete localStorage.pushTrouble")
    await the_button_to_enable(page).dblclick()
    await expect(page.get_by_text(ENABLED)).to_be_visible()
    await expect(page.get_by_role("button", name="Test Chrome on Linux")).to_be_visible()
    assert asked.count(site.url + "/api/push/subscribe") == 1


async def test_push_is_off_also_where_the_push_service_does_not_answer(
    site: Site, arrive: Arrive, push_service: PushService, bob: Account
) -> None:
    visitor = await arrive(bob)
    await visitor.page.clock.install()
    await enable(visitor, push_service.browser())
    page = visitor.page
    await page.evaluate("localStorage.pushTrouble = 'silence'")

    async with page.expect_response("**/api/push/unsubscribe"):
        await the_button_to_disable(page).click()
    await expect(page.get_by_text("One moment")).to_be_visible()
    await until(lambda: page.evaluate("window.isUnanswered"))
    await page.clock.fast_forward("00:20")

    await expect(the_button_to_enable(page)).to_be_enabled()
    await expect(page.get_by_text("Push is not enabled on any device yet.")).to_be_visible()
    assert await devices(site) == []


async def test_a_server_that_does_not_answer_is_not_waited_for_either(
    site: Site, arrive: Arrive, push_service: PushService, bob: Account
) -> None:
    visitor = await arrive(bob)
    visitor.watch.expect(SERVER_IS_AWAY)
    await visitor.page.clock.install()
    await enable(visitor, push_service.browser())
    page = visitor.page
    await page.evaluate("localStorage.pushTrouble = 'silence'")

    site.web.freeze()
    try:
        await the_button_to_disable(page).click()
        await until(lambda: page.evaluate("window.isUnanswered"))
        await page.clock.fast_forward("00:20")
        await expect(page.get_by_text("could not reach its push service")).to_be_visible()
    finally:
        site.web.thaw()


async def test_a_device_that_is_removed_is_shown_as_off_though_the_push_service_does_not_answer(
    site: Site, arrive: Arrive, push_service: PushService, bob: Account
) -> None:
    visitor = await arrive(bob)
    await enable(visitor, push_service.browser())
    page = visitor.page
    await page.evaluate("localStorage.pushTrouble = 'silence'")

    await page.get_by_role("button", name="Remove Chrome on Linux").click()

    await expect(the_button_to_enable(page)).to_be_visible()
    await expect(page.get_by_text(ENABLED)).to_be_hidden()


async def test_what_the_server_has_refused_is_not_asked_again_on_each_page(
    site: Site, arrive: Arrive, push_service: PushService, bob: Account
) -> None:
    visitor = await arrive(bob)
    visitor.watch.expect("400")
    await enable(visitor, push_service.browser(), Browser("https://push.example/1"))
    page = visitor.page
    async with site.db.write() as session:
        await session.execute(delete(PushSubscription))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    async with page.expect_response("**/api/push/subscribe"):
        await return_later(visitor, "/")
    for path in ("/teams", "/projects", SETTINGS):
        await visitor.open(path)

    await expect(page.get_by_text("This push service is not one of those")).to_be_visible()
    assert asked.count(site.url + "/api/push/subscribe") == 1


async def test_with_a_new_key_the_browser_subscribes_again_at_the_next_visit(
    site: Site, arrive: Arrive, push_service: PushService, bob: Account
) -> None:
    visitor, browser = await arrive(bob), push_service.browser()
    visitor.watch.expect(SERVER_IS_AWAY)
    screen = await enable(visitor, browser)
    for program in (site.web, site.worker):
        await program.stop()
    (site.settings.data_dir / "vapid_private_key").unlink()
    for program in (site.web, site.worker):
        await program.start()

    async with visitor.page.expect_response("**/api/push/subscribe"):
        await visitor.open("/")
    await close_app(visitor)
    await invite(site, bob)

    await screen.receive(await push_service.next_push(browser))
    await is_shown(screen, INVITED)
    [device] = await devices(site)
    assert device.vapid_key == browser_push.public_key


async def test_a_subscription_that_its_browser_has_renewed_is_told_of(
    site: Site, arrive: Arrive, push_service: PushService, bob: Account
) -> None:
    visitor, old, renewed = await arrive(bob), push_service.browser(), push_service.browser()
    screen = await enable(visitor, old)
    await close_app(visitor)

    await screen.renew_subscription(renewed, old=old)

    assert [one.endpoint for one in await devices(site)] == [renewed.endpoint]


async def test_a_subscription_is_not_renewed_where_it_is_not_wanted_or_nobody_is_signed_in(
    site: Site, arrive: Arrive, push_service: PushService, bob: Account
) -> None:
    visitor, old, renewed = await arrive(bob), push_service.browser(), push_service.browser()
    screen = await enable(visitor, old)
    await close_app(visitor)
    async with site.db.write() as session:
        [device] = await devices(site)
        await remove(session, bob, device.id)

    await screen.renew_subscription(renewed, old=old)
    assert await devices(site) == []

    await visitor.context.clear_cookies()
    await screen.renew_subscription(renewed)
    assert await devices(site) == []


@pytest.mark.parametrize("trouble", ["", "unsubscribe"])
async def test_logging_out_ends_push_here_and_nobody_inherits_it(
    site: Site,
    arrive: Arrive,
    push_service: PushService,
    alice: Account,
    bob: Account,
    trouble: str,
) -> None:
    visitor = await arrive(alice)
    await enable(visitor, push_service.browser())
    await visitor.page.evaluate(f"localStorage.pushTrouble = '{trouble}'")

    await log_out(visitor, "alice")
    await visitor.log_in(bob, PASSWORD)
    await visitor.open(SETTINGS)

    await expect(the_button_to_enable(visitor.page)).to_be_visible()
    assert await devices(site) == []


async def log_out(visitor: Visitor, name: str) -> None:
    await visitor.page.get_by_role("button", name=f"Account of {name}").click()
    await visitor.page.get_by_role("button", name="Log out").click()
    await expect(visitor.page.get_by_role("button", name="Log in")).to_be_visible()


async def test_push_moves_to_whoever_is_signed_in_in_that_browser(
    site: Site, arrive: Arrive, push_service: PushService, alice: Account, bob: Account
) -> None:
    visitor = await arrive(alice)
    await enable(visitor, push_service.browser())
    await visitor.context.clear_cookies()  # her session has ended by itself

    async with visitor.page.expect_response("**/api/push/subscribe"):
        await visitor.log_in(bob, PASSWORD)

    assert [one.account_id for one in await devices(site)] == [bob.id]


async def test_without_the_server_there_is_a_page_that_says_so(
    site: Site, arrive: Arrive, push_service: PushService, bob: Account
) -> None:
    visitor = await arrive(bob)
    visitor.watch.expect(SERVER_IS_AWAY)
    await enable(visitor, push_service.browser())
    await site.web.stop()

    await visitor.page.goto(site.url + "/teams")

    await expect(
        visitor.page.get_by_role("heading", name="ClippyFront cannot be reached")
    ).to_be_visible()
    assert await visitor.page.evaluate("document.styleSheets[0].cssRules.length > 10")
    await site.web.start()
    await visitor.page.get_by_role("link", name="Try again").click()
    await expect(visitor.page.get_by_role("heading", name="Teams")).to_be_visible()


async def test_what_a_browser_has_shown_by_itself_is_read_by_following_it(
    site: Site, arrive: Arrive, push_service: PushService, bob: Account
) -> None:
    visitor, browser = await arrive(bob), push_service.browser()
    await enable(visitor, browser)
    await close_app(visitor)
    await invite(site, bob)
    declared = (await push_service.next_push(browser)).payload["notification"]
    visitor.watch.expect("404")  # nobody has really invited, so there is nothing to accept

    await visitor.page.goto(declared["navigate"])

    await sees(visitor.page, 0)
    assert "#" not in visitor.page.url


PERMISSION = "Object.defineProperty(Notification, 'permission', { get: () => '%s' })"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605 Safari/604.1"


STATES: list[tuple[str, dict[str, Any], str]] = [
    (PERMISSION % "default", {}, "Your browser will ask you once."),
    (PERMISSION % "denied", {}, "This browser was told to block notifications"),
    ("delete window.PushManager", {}, "This browser cannot show pushes."),
    ("delete window.PushManager", {"user_agent": IPHONE}, "on the Home Screen"),
    ("", {"java_script_enabled": False}, SCRIPTS_ARE_OFF),
]


async def test_each_state_of_a_browser_is_explained_in_words(
    site: Site, arrive: Arrive, bob: Account
) -> None:
    for script, options, words in STATES:
        visitor = await arrive(bob, **options)
        await visitor.context.add_init_script(script)

        page = await visitor.open(SETTINGS)

        explained = page.locator("#this-device > :visible, #devices > .without-scripts:visible")
        await expect(explained).to_have_count(1)
        await expect(explained).to_contain_text(words)
        await visitor.context.close()


async def test_that_push_needs_https_is_said_on_a_site_without_it(
    site: Site, arrive: Arrive, bob: Account
) -> None:
    visitor = await arrive(bob, at=site.url.replace("127.0.0.1", "livingroom.test"))

    page = await visitor.open(SETTINGS)

    await expect(page.get_by_text("Browsers allow push only over HTTPS.")).to_be_visible()
