"""Real people's browsers: pages that watch for errors, and words for what a person sees."""

import asyncio
import os
import re
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    Response,
    expect,
)

from app.models import User
from tests.factories import PASSWORD

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
    # Each window would have a second page of the browser's own beside it, which takes the time of
    # ours; the others are what Playwright asks for, since the last list is the one that counts.
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup,HttpsUpgrades,PaintHolding,"
    "HttpsFirstBalancedModeAutoEnable,OptimizationHints,MediaRouter",
    # A name that is no secure context, as a server in the living room has.
    "--host-resolver-rules=MAP livingroom.test 127.0.0.1",
)
AT_ONCE = 1.0  # seconds in which everyone concerned has to see what happened
AT_LAST = 30.0  # seconds after which nobody waits any longer
SERVER_IS_AWAY = r"net::ERR_|Failed to load resource|[Nn]etwork ?[Ee]rror|Failed to fetch"

# Runs in every page before its own scripts; what was clicked last is known on the next page too.
_WATCH = """
addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI, sourceFile, lineNumber }) =>
  console.error(`The policy forbids ${violatedDirective} ${blockedURI} at ${sourceFile}:${lineNumber}`));
addEventListener("click", () => (sessionStorage.clickedAt = Date.now()), true);
"""
# The moment when all this could be seen (or heard, in a label) by the page's own clock: looking
# from outside is too coarse, and takes the time that is to be measured.
_SEE = """
wanted => new Promise(resolve => {
  const isSeen = ([id, text]) => {
    const place = document.getElementById(id);
    if (id === "bell") return place.ariaLabel === text;
    return place?.checkVisibility() && place.innerText.includes(text);
  };
  const look = () =>
    wanted.every(isSeen) && (watching.disconnect(), clearInterval(again), resolve(Date.now()));
  const watching = new MutationObserver(look);
  watching.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
  const again = setInterval(look, 50);
  look();
})
"""


def find_chromium() -> str:
    """The path of a Chromium: `CHROMIUM`, else the first that is installed, else ""."""
    found = (shutil.which(name) for name in (os.environ.get("CHROMIUM", ""), *NAMES) if name)
    return next((path for path in found if path), "")


@dataclass
class Watch:
    """What went wrong in any page of a browser, but for what the test announced."""

    problems: list[str] = field(default_factory=list)
    announced: list[str] = field(default_factory=list)

    def expect(self, pattern: str) -> None:
        """The test is about to cause problems that match this regular expression."""
        self.announced.append(pattern)

    def over(self, context: BrowserContext) -> None:
        context.on("console", self._hear)
        context.on("weberror", lambda error: self.problems.append(f"Uncaught: {error.error}"))
        context.on("response", self._look)

    @property
    def unexpected(self) -> list[str]:
        return [one for one in self.problems if not any(re.search(p, one) for p in self.announced)]

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.problems.append(f"{message.text} ({message.location.get('url', '')})")

    def _look(self, response: Response) -> None:
        if response.status >= 500:
            self.problems.append(f"{response.status} from {response.url}")


@dataclass
class Visitor:
    """One person's browser, with cookies of its own, at one server; `page` is its first tab."""

    context: BrowserContext
    url: str
    watch: Watch
    page: Page
    has_stream: bool = False

    async def open(self, path: str = "/") -> Page:
        """Go there with the first tab; return when the page's stream is open, if it has one."""
        if self.has_stream:
            async with self.page.expect_response("**/notifications/stream?*"):
                await self.page.goto(self.url + path)
        else:
            await self.page.goto(self.url + path)
        return self.page

    async def tab(self, path: str = "/") -> Page:
        """One more tab of this browser, which has no stream of its own: tabs share one."""
        page = await self.context.new_page()
        await page.goto(self.url + path)
        return page

    async def log_in(self, account: User, password: str = PASSWORD) -> None:
        await self.page.goto(self.url + "/login")
        await self.page.get_by_label("Email or username").fill(account.username)
        await self.page.get_by_label("Password").fill(password)
        await self.page.get_by_role("button", name="Log in").click()
        await expect(bell(self.page)).to_be_visible()

    async def take_session(self, token: str) -> None:
        """Be signed in from the next request on."""
        await self.context.add_cookies([{"name": "session", "value": token, "url": self.url}])


async def visit(browser: Browser, url: str, **options: Any) -> Visitor:
    """A new browser at this server; `options` are Playwright's for a context."""
    context = await browser.new_context(**{"locale": "en-GB", "timezone_id": "UTC", **options})
    context.set_default_timeout(10_000)
    await context.add_init_script(_WATCH)
    watch = Watch()
    watch.over(context)
    return Visitor(context, url, watch, await context.new_page())


@dataclass
class Sight:
    """What a page is to show all at once; `wanted` is a list of (element's id, its text; the bell's label)."""

    page: Page
    wanted: list[tuple[str, str]]

    async def moment(self) -> float:
        """Wait for it; when it could be seen, in seconds of the epoch."""
        async with asyncio.timeout(AT_LAST):
            return float(await self.page.evaluate(_SEE, self.wanted)) / 1000


def shows(
    page: Page, sentence: str = "", *, unread: int, where: Sequence[str] = ("panel", "inbox")
) -> Sight:
    """The bell says so many, to the eye and to the ear; the sentence stands in these places."""
    count = "99+" if unread > 99 else str(unread)
    label = f"Notifications, {count} unread" if unread else "Notifications"
    return Sight(page, [("bell", label), *((place, sentence) for place in where if sentence)])


async def at_once(button: Locator, *sights: Sight, seconds: float = AT_ONCE) -> None:
    """Click, and others see this in their open pages within a second, by the pages' own clocks."""
    watching = asyncio.create_task(when_seen(*sights))
    await button.click()
    moments = await watching
    clicked_at = float(await button.page.evaluate("sessionStorage.clickedAt")) / 1000
    assert_prompt(clicked_at, sights, moments, seconds)


async def seen_soon(since: float, *sights: Sight, seconds: float = AT_ONCE) -> None:
    """All this is seen within these seconds of `since`, a moment of the epoch."""
    assert_prompt(since, sights, await when_seen(*sights), seconds)


async def when_seen(*sights: Sight) -> list[float | BaseException]:
    """The moment of each; what was never seen has an error instead."""
    return await asyncio.gather(*(sight.moment() for sight in sights), return_exceptions=True)


def assert_prompt(
    since: float,
    sights: Sequence[Sight],
    moments: Sequence[float | BaseException],
    seconds: float = AT_ONCE,
) -> None:
    wrong = []
    for sight, moment in zip(sights, moments, strict=True):
        if isinstance(moment, BaseException):
            wrong.append(f"{sight} was never seen: {moment!r}")
        elif moment - since > seconds:
            wrong.append(f"{sight} was seen after {moment - since:.2f} s")
    assert not wrong, "\n".join(wrong)


async def sees(page: Page, unread: int) -> None:
    """The bell says so many, to the eye and to the ear."""
    await shows(page, unread=unread).moment()
    badge = bell(page).locator(".badge:visible")
    await expect(badge).to_have_text([str(min(unread, 99)) + "+" * (unread > 99)] if unread else [])


@asynccontextmanager
async def without_reload(*pages: Page) -> AsyncIterator[None]:
    """What happens within happens in these very pages."""
    for page in pages:
        await page.evaluate("window.isTheSame = true")
    yield
    for page in pages:
        assert await page.evaluate("window.isTheSame"), f"{page.url} was loaded again"


async def open_panel(page: Page) -> None:
    await bell(page).click()
    await expect(panel(page)).to_be_visible()


def bell(page: Page) -> Locator:
    return page.get_by_role("banner").get_by_role("button", name=re.compile("^Notifications"))


def panel(page: Page) -> Locator:
    return page.get_by_role("region", name="Notifications", exact=True)


def inbox(page: Page) -> Locator:
    return page.get_by_role("region", name="Inbox")


def toasts(page: Page) -> Locator:
    return page.get_by_role("region", name="Messages")


def notice(region: Locator, sentence: str) -> Locator:
    """The button that a notice's sentence is."""
    return region.get_by_role("button", name=sentence)
