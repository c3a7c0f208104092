"""The devices that pushes go to: tested, removed, lost, renewed, and handed on."""

from dataclasses import replace

import pytest
from playwright.async_api import expect
from sqlalchemy import delete, update

from app import clock
from app.installation import install
from app.models import PushSubscription, User
from app.notifications.channels.push.devices import remove
from app.notifications.channels.push.vapid_keys import read_keys
from tests.factories import PASSWORD
from tests.journeys.browsing import SERVER_IS_AWAY
from tests.journeys.conftest import Arrive
from tests.journeys.push.pushing import until
from tests.journeys.push.steps import (
    ENABLED,
    INVITED,
    SETTINGS,
    close_app,
    devices,
    enable,
    invite,
    is_shown,
    log_out,
    return_later,
    the_button_to_enable,
    with_push,
)
from tests.journeys.running import Site
from tests.push_service import PushService
from tests.pushing import enable_push

pytestmark = with_push


ON_ITS_WAY = "A test is on its way."
TAKEN = "The test was accepted by its push service and should appear on its screen."


async def test_a_device_is_tested_and_removed_and_stays_removed(
    site: Site, arrive: Arrive, push_service: PushService, bob: User
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
    bob: User,
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
    site: Site, arrive: Arrive, push_service: PushService, bob: User
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
    site: Site, arrive: Arrive, push_service: PushService, bob: User
) -> None:
    visitor = await arrive(bob)
    await enable(visitor, push_service.browser())
    async with site.db.write() as session:
        failing = {"failing_since": clock.now(), "refused_status": 403}
        await session.execute(update(PushSubscription).values(failing))

    async with visitor.page.expect_response("**/api/push/subscribe"):
        await return_later(visitor, "/")

    [device] = await devices(site)
    assert (device.failing_since, device.refused_status) == (None, None)


async def test_what_becomes_of_a_test_is_read_out_once_for_each_test_and_device(
    site: Site, arrive: Arrive, push_service: PushService, bob: User
) -> None:
    visitor, browser, other = await arrive(bob), push_service.browser(), push_service.browser()
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


async def test_a_device_that_is_removed_is_shown_as_off_though_the_push_service_does_not_answer(
    site: Site, arrive: Arrive, push_service: PushService, bob: User
) -> None:
    visitor = await arrive(bob)
    await enable(visitor, push_service.browser())
    page = visitor.page
    await page.evaluate("localStorage.pushTrouble = 'silence'")

    await page.get_by_role("button", name="Remove Chrome on Linux").click()

    await expect(the_button_to_enable(page)).to_be_visible()
    await expect(page.get_by_text(ENABLED)).to_be_hidden()


async def test_with_a_new_key_the_browser_subscribes_again_at_the_next_visit(
    site: Site, arrive: Arrive, push_service: PushService, bob: User
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
    await invite(replace(site, db=install(site.settings).db), bob)

    await screen.receive(await push_service.next_push(browser))
    await is_shown(screen, INVITED)
    [device] = await devices(site)
    assert device.vapid_key == read_keys(site.settings).public


async def test_a_subscription_renewed_by_its_browser_is_reported(
    site: Site, arrive: Arrive, push_service: PushService, bob: User
) -> None:
    visitor, old, renewed = await arrive(bob), push_service.browser(), push_service.browser()
    screen = await enable(visitor, old)
    await close_app(visitor)

    await screen.renew_subscription(renewed, old=old)

    assert [one.endpoint for one in await devices(site)] == [renewed.endpoint]


async def test_a_subscription_is_not_renewed_where_it_is_not_wanted_or_nobody_is_signed_in(
    site: Site, arrive: Arrive, push_service: PushService, bob: User
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
    alice: User,
    bob: User,
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
    await the_button_to_enable(visitor.page).click()
    await expect(visitor.page.get_by_text(ENABLED)).to_be_visible()
    assert [one.user_id for one in await devices(site)] == [bob.id]


async def test_push_moves_to_the_signed_in_user_without_earlier_pushes(
    site: Site, arrive: Arrive, push_service: PushService, alice: User, bob: User
) -> None:
    visitor, of_alice, of_bob = await arrive(alice), push_service.browser(), push_service.browser()
    await enable(visitor, of_alice, of_bob)
    await visitor.context.clear_cookies()  # her session has ended by itself

    await visitor.log_in(bob, PASSWORD)

    async def is_bobs() -> bool:
        return [(one.user_id, one.endpoint) for one in await devices(site)] == [
            (bob.id, of_bob.endpoint)
        ]

    await until(is_bobs)
