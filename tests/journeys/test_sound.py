"""Urgent notifications are heard: once over all tabs, in one that was used, if their user wants it."""

from playwright.async_api import Page, expect

from app.models import User
from app.notifications.events.catalogue import ACCOUNT_PASSWORD_CHANGED
from app.notifications.notify import notify
from app.notifications.preferences import switches
from tests.journeys.browsing import sees, toasts
from tests.journeys.conftest import Arrive
from tests.journeys.running import Site

# Counts what has started to play. The browser takes whatever Playwright evaluates for the use of a page.
COUNT = """
window.sounded = 0;
const play = HTMLMediaElement.prototype.play;
HTMLMediaElement.prototype.play = function () {
  return play.call(this).then(() => { window.sounded += 1; });
};
const activation = { hasBeenActive: false };
Object.defineProperty(navigator, "userActivation", { value: activation });
addEventListener("keydown", () => { activation.hasBeenActive = true; });
"""
WAIT = """
new Promise((resolve) => {
  const again = setInterval(() => localStorage.soundedAt && resolve(clearInterval(again)), 50);
})
"""


async def sounded(*tabs: Page) -> list[int]:
    return [await tab.evaluate("window.sounded") for tab in tabs]


async def something_urgent_happens_to(user: User, site: Site) -> None:
    async with site.db.act() as session:
        await notify(session, ACCOUNT_PASSWORD_CHANGED, affected=user)


async def test_one_of_the_tabs_that_were_used_sounds_and_then_none_for_a_while(
    site: Site, arrive: Arrive, bob: User
) -> None:
    async with site.db.act() as session:
        await switches.change(session, bob, {"sound": True})
    visitor = await arrive(bob)
    await visitor.context.add_init_script(COUNT)
    tabs = [await visitor.open("/"), await visitor.tab("/teams"), await visitor.tab("/projects")]

    await something_urgent_happens_to(bob, site)
    await expect(toasts(tabs[0]).get_by_text("Urgent")).to_have_count(1)
    await sees(tabs[1], 1)
    assert await sounded(*tabs) == [0, 0, 0], "no page was used"

    for tab in tabs[:2]:
        await tab.keyboard.press("Shift")
    await something_urgent_happens_to(bob, site)
    await tabs[0].evaluate(WAIT)
    await something_urgent_happens_to(bob, site)
    for tab in tabs:
        await sees(tab, 3)
    await tabs[0].evaluate("navigator.locks.request('clippyfront-sound', () => {})")
    assert sum(await sounded(*tabs[:2])) == 1
    assert await sounded(tabs[2]) == [0]


async def test_nothing_sounds_unless_switched_on(site: Site, arrive: Arrive, bob: User) -> None:
    visitor = await arrive(bob)
    await visitor.context.add_init_script(COUNT)
    page = await visitor.open("/")
    await page.keyboard.press("Shift")

    await something_urgent_happens_to(bob, site)

    await expect(toasts(page).get_by_text("Urgent")).to_have_count(1)
    assert await sounded(page) == [0]
