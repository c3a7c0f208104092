"""Browsers whose pages are watched for errors, and assertions about what a user sees."""

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
    # The first two would open a second page of the browser itself in each window, which costs time.
    # The others are Playwright's own: only the last list of features counts.
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup,HttpsUpgrades,PaintHolding,"
    "HttpsFirstBalancedModeAutoEnable,OptimizationHints,MediaRouter",
    # A host name that is not a secure context, like that of a server in a home network.
    "--host-resolver-rules=MAP livingroom.test 127.0.0.1",
)
# Seconds: less than the 45 after which a page without a stream asks for the count, so that what is
# seen by then was sent by the stream.
DEADLINE = 30.0
# Milliseconds for one step of a user. On a busy machine a page may load for that long.
PATIENCE = 60_000
SERVER_IS_AWAY = (
    r"net::ERR_|Failed to load resource|[Nn]etwork ?[Ee]rror|Failed to fetch"
    r"|error occurred when fetching the script"
)

expect.set_options(timeout=DEADLINE * 1000)

# Runs in every page before its own scripts.
WATCH_POLICY = """
addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI, sourceFile, lineNumber }) =>
  console.error(`The policy forbids ${violatedDirective} ${blockedURI} at ${sourceFile}:${lineNumber}`));
"""
# Waits until everything wanted can be seen (or heard, in a label) at the same time.
_SEE = """
wanted => new Promise(resolve => {
  const isSeen = ([id, text]) => {
    const place = document.getElementById(id);
    if (id === "bell") return place.ariaLabel === text;
    return place?.checkVisibility() && place.innerText.includes(text);
  };
  const look = () =>
    wanted.every(isSeen) && (watching.disconnect(), clearInterval(again), resolve());
  const watching = new MutationObserver(look);
  watching.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
  const again = setInterval(look, 50);
  look();
})
"""


def find_chromium() -> str:
    """The path of Chromium: `CHROMIUM` if set, otherwise the first one installed, or ""."""
    found = (shutil.which(name) for name in (os.environ.get("CHROMIUM", ""), *NAMES) if name)
    return next((path for path in found if path), "")


@dataclass
class Watch:
    """Errors in the pages of a browser, except those the test announced."""

    problems: list[str] = field(default_factory=list)
    announced: list[str] = field(default_factory=list)

    def expect(self, pattern: str) -> None:
        """Announces errors that match this regular expression."""
        self.announced.append(pattern)

    def over(self, context: BrowserContext) -> None:
        context.on("console", self._on_console)
        context.on("weberror", lambda error: self.problems.append(f"Uncaught: {error.error}"))
        context.on("response", self._on_response)

    @property
    def unexpected(self) -> list[str]:
        return [one for one in self.problems if not any(re.search(p, one) for p in self.announced)]

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.problems.append(f"{message.text} ({message.location.get('url', '')})")

    def _on_response(self, response: Response) -> None:
        if response.status >= 500:
            self.problems.append(f"{response.status} from {response.url}")


@dataclass
class Visitor:
    """A browser with its own cookies, at one server. `page` is its first tab."""

    context: BrowserContext
    url: str
    watch: Watch
    page: Page
    has_stream: bool = False

    async def open(self, path: str = "/") -> Page:
        """Opens the path in the first tab. Returns when the page's stream is open, if it has one."""
        if self.has_stream:
            async with self.page.expect_response("**/notifications/stream?*"):
                await self.page.goto(self.url + path)
        else:
            await self.page.goto(self.url + path)
        return self.page

    async def tab(self, path: str = "/") -> Page:
        """Opens another tab, which shares the stream of the first."""
        page = await self.context.new_page()
        await page.goto(self.url + path)
        return page

    async def log_in(self, user: User, password: str = PASSWORD) -> None:
        await self.page.goto(self.url + "/login")
        await self.page.get_by_label("Email or username").fill(user.username)
        await self.page.get_by_label("Password").fill(password)
        await self.page.get_by_role("button", name="Log in").click()
        await expect(bell(self.page)).to_be_visible()

    async def take_session(self, token: str) -> None:
        """Signs in with this session, from the next request on."""
        await self.context.add_cookies([{"name": "session", "value": token, "url": self.url}])


async def visit(browser: Browser, url: str, **options: Any) -> Visitor:
    """A new browser at this server. `options` are Playwright's options of a context."""
    context = await browser.new_context(**{"locale": "en-GB", "timezone_id": "UTC", **options})
    context.set_default_timeout(PATIENCE)
    await context.add_init_script(WATCH_POLICY)
    watch = Watch()
    watch.over(context)
    return Visitor(context, url, watch, await context.new_page())


async def leave(context: BrowserContext) -> None:
    """Closes a browser context after leaving its pages: Chromium hangs if it is closed while one of
    them navigates.
    """
    async with asyncio.timeout(DEADLINE):
        for page in context.pages:
            await page.goto("about:blank")
        await context.close()


@dataclass
class Sight:
    """What a page must show at the same time. `wanted` is a list of (element id, text); for the
    bell, the text is its label.
    """

    page: Page
    wanted: list[tuple[str, str]]

    async def wait(self) -> None:
        try:
            async with asyncio.timeout(DEADLINE):
                await self.page.evaluate(_SEE, self.wanted)
        except TimeoutError:
            raise AssertionError(f"{self} was not seen within {DEADLINE:.0f} s.") from None


def shows(
    page: Page, sentence: str = "", *, unread: int, where: Sequence[str] = ("panel", "inbox")
) -> Sight:
    """The bell shows and announces the count, and the sentence is in these places."""
    count = "99+" if unread > 99 else str(unread)
    label = f"Notifications, {count} unread" if unread else "Notifications"
    return Sight(page, [("bell", label), *((place, sentence) for place in where if sentence)])


async def click_and_see(button: Locator, *sights: Sight) -> None:
    """Clicks, and waits until open pages show the sights."""
    watching = asyncio.create_task(wait_for(*sights))
    await button.click()
    await watching


async def wait_for(*sights: Sight) -> None:
    """Waits until the pages show the sights."""
    await asyncio.gather(*(sight.wait() for sight in sights))


async def sees(page: Page, unread: int) -> None:
    """The bell shows and announces the count."""
    await shows(page, unread=unread).wait()
    badge = bell(page).locator(".badge:visible")
    await expect(badge).to_have_text([str(min(unread, 99)) + "+" * (unread > 99)] if unread else [])


@asynccontextmanager
async def without_reload(*pages: Page) -> AsyncIterator[None]:
    """Asserts that the pages are not reloaded within the block."""
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
    """The link with the notice's sentence."""
    return region.get_by_role("link", name=sentence)
