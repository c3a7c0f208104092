"""Push in the browser one sits at: enabled and disabled, and why that may not be possible."""

from typing import Any

from playwright.async_api import Locator, Page, expect
from sqlalchemy import delete

from app.models import PushSubscription, User
from tests.journeys.browsing import SERVER_IS_AWAY, leave
from tests.journeys.conftest import Arrive
from tests.journeys.push.pushing import give_push, until
from tests.journeys.push.steps import (
    ENABLED,
    SETTINGS,
    devices,
    enable,
    return_later,
    the_button_to_enable,
    with_push,
)
from tests.journeys.running import Site
from tests.push_service import Browser, PushService

pytestmark = with_push


SCRIPTS_ARE_OFF = "Push needs JavaScript, which is turned off in this browser."


def the_button_to_disable(page: Page) -> Locator:
    return page.get_by_role("button", name="Disable push on this device")


async def test_push_is_disabled_and_enabled_again_where_it_was_enabled(
    site: Site, arrive: Arrive, push_service: PushService, bob: User
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
    site: Site, arrive: Arrive, push_service: PushService, bob: User
) -> None:
    visitor = await arrive(bob)
    await give_push(visitor, push_service.browser(), push_service.browser())
    page = await visitor.open(SETTINGS)

    await the_button_to_enable(page).press("Enter")
    await expect(the_button_to_disable(page)).to_be_focused()
    await the_button_to_disable(page).press("Enter")
    await expect(the_button_to_enable(page)).to_be_focused()
    # Otherwise the list may still show the device that is gone.
    await expect(page.get_by_text("Push is not enabled on any device yet.")).to_be_visible()
    await the_button_to_enable(page).press("Enter")
    await page.get_by_role("button", name="Remove Chrome on Linux").press("Enter")

    await expect(the_button_to_enable(page)).to_be_visible()
    await expect(page.get_by_role("heading", name="Devices")).to_be_focused()


async def test_the_focus_is_not_taken_from_where_it_is(
    site: Site, arrive: Arrive, push_service: PushService, bob: User
) -> None:
    visitor = await arrive(bob)
    await give_push(visitor, push_service.browser(), push_service.browser())
    page = await visitor.open(SETTINGS)
    elsewhere = page.get_by_label("Send pushes even while a page is open")
    await elsewhere.focus()

    await the_button_to_enable(page).evaluate("(button) => button.click()")
    await expect(the_button_to_disable(page)).to_be_visible()
    await expect(elsewhere).to_be_focused()
    removal = page.get_by_role("button", name="Remove Chrome on Linux")
    await removal.evaluate("(button) => button.click()")
    await expect(the_button_to_enable(page)).to_be_visible()
    await expect(elsewhere).to_be_focused()


async def test_push_is_off_also_where_the_browser_cannot_give_it_up_just_now(
    site: Site, arrive: Arrive, push_service: PushService, bob: User
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
    site: Site, arrive: Arrive, push_service: PushService, bob: User
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
    refusal = "ClippyFront did not accept this browser: This push service is not allowed."
    await expect(page.get_by_text(refusal)).to_be_visible()
    await expect(page.get_by_text("could not reach its push service")).to_be_hidden()

    await site.web.stop()
    await the_button_to_enable(page).click()
    await expect(
        page.locator("#this-device").get_by_text("ClippyFront cannot be reached")
    ).to_be_visible()
    await site.web.start()


async def test_what_holds_is_shown_at_once_whether_or_not_the_push_service_answers(
    site: Site, arrive: Arrive, push_service: PushService, bob: User
) -> None:
    visitor = await arrive(bob)
    await enable(visitor, push_service.browser())
    page = visitor.page
    await page.evaluate("localStorage.pushTrouble = 'silence'; delete localStorage.pushManager")

    await return_later(visitor)

    await expect(the_button_to_enable(page)).to_be_visible()
    await expect(page.get_by_text(SCRIPTS_ARE_OFF)).to_be_hidden()


async def test_a_push_service_that_does_not_answer_is_not_waited_for_and_may_be_tried_again(
    site: Site, arrive: Arrive, push_service: PushService, bob: User
) -> None:
    visitor = await arrive(bob)
    await give_push(visitor, push_service.browser())
    await visitor.page.clock.install()
    page = await visitor.open(SETTINGS)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    await page.evaluate("localStorage.pushTrouble = 'silence'")
    await the_button_to_enable(page).click()
    await expect(page.get_by_text("Waiting for your browser")).to_be_visible()
    await expect(the_button_to_enable(page)).to_be_disabled()
    await until(lambda: page.evaluate("window.isUnanswered"))
    await page.clock.fast_forward("00:20")
    await expect(page.get_by_text("could not reach its push service")).to_be_visible()
    await expect(page.get_by_text("Waiting for your browser")).to_be_hidden()

    await page.evaluate("delete localStorage.pushTrouble")
    await the_button_to_enable(page).dblclick()
    await expect(page.get_by_text(ENABLED)).to_be_visible()
    await expect(page.get_by_role("button", name="Test Chrome on Linux")).to_be_visible()
    assert asked.count(site.url + "/api/push/subscribe") == 1


async def test_push_is_off_also_where_the_push_service_does_not_answer(
    site: Site, arrive: Arrive, push_service: PushService, bob: User
) -> None:
    visitor = await arrive(bob)
    await visitor.page.clock.install()
    await enable(visitor, push_service.browser())
    page = visitor.page
    await page.evaluate("localStorage.pushTrouble = 'silence'")

    async with page.expect_response("**/api/push/unsubscribe"):
        await the_button_to_disable(page).click()
    await expect(page.get_by_text("Waiting for your browser")).to_be_visible()
    await until(lambda: page.evaluate("window.isUnanswered"))
    await page.clock.fast_forward("00:20")

    await expect(the_button_to_enable(page)).to_be_enabled()
    await expect(page.get_by_text("Push is not enabled on any device yet.")).to_be_visible()
    assert await devices(site) == []


async def test_a_server_that_does_not_answer_is_not_waited_for_either(
    site: Site, arrive: Arrive, push_service: PushService, bob: User
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


async def test_what_the_server_has_refused_is_not_asked_again_on_each_page(
    site: Site, arrive: Arrive, push_service: PushService, bob: User
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

    await expect(page.get_by_text("This push service is not allowed.")).to_be_visible()
    assert asked.count(site.url + "/api/push/subscribe") == 1


PERMISSION = "Object.defineProperty(Notification, 'permission', { get: () => '%s' })"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605 Safari/604.1"
STATES: list[tuple[str, dict[str, Any], str]] = [
    (PERMISSION % "default", {}, "Your browser will ask for permission once."),
    (PERMISSION % "denied", {}, "This browser blocks notifications"),
    ("delete window.PushManager", {}, "This browser does not support push."),
    ("delete window.PushManager", {"user_agent": IPHONE}, "on the Home Screen"),
    ("", {"java_script_enabled": False}, SCRIPTS_ARE_OFF),
]


async def test_each_state_of_a_browser_is_explained_in_words(
    site: Site, arrive: Arrive, bob: User
) -> None:
    for script, options, words in STATES:
        visitor = await arrive(bob, **options)
        await visitor.context.add_init_script(script)

        page = await visitor.open(SETTINGS)

        explained = page.locator("#this-device > :visible, #devices > .without-scripts:visible")
        await expect(explained).to_have_count(1)
        await expect(explained).to_contain_text(words)
        await leave(visitor.context)


async def test_that_push_needs_https_is_said_on_a_site_without_it(
    site: Site, arrive: Arrive, bob: User
) -> None:
    visitor = await arrive(bob, at=site.url.replace("127.0.0.1", "livingroom.test"))

    page = await visitor.open(SETTINGS)

    await expect(page.get_by_text("Browsers allow push only over HTTPS.")).to_be_visible()
