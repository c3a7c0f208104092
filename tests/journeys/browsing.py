"""Real people's browsers: pages that watch for errors, and words for what a person sees."""

import asyncio
import os
import re
import shutil
from collections.abc import AsyncIterator, Awaitable
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

from app.models import Account
from tests.factories import PASSWORD

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
    # A name that is no secure context, as a server in the living room has.
    "--host-resolver-rules=MAP livingroom.test 127.0.0.1",
)
AT_ONCE = 1_000  # milliseconds in which everyone concerned has to see what happened
SERVER_IS_AWAY = r"net::ERR_|Failed to load resource|NetworkError|Failed to fetch"

# Runs in every page before its own scripts.
_WATCH = """
addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI, sourceFile, lineNumber }) =>
  console.error(`The policy forbids ${violatedDirective} ${blockedURI} at ${sourceFile}:${lineNumber}`));
"""
# When a text becomes visible, by the page's own clock: polling from outside is too coarse.
_SIGHT = """
text => new Promise(resolve => {
  const look = () => document.body.innerText.includes(text) && (watching.disconnect(), resolve(Date.now()));
  const watching = new MutationObserver(look);
  watching.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
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
            async with self.page.expect_response("**/notifications/stream"):
                await self.page.goto(self.url + path)
        else:
            await self.page.goto(self.url + path)
        return self.page

    async def tab(self, path: str = "/") -> Page:
        """One more tab of this browser, which has no stream of its own: tabs share one."""
        page = await self.context.new_page()
        await page.goto(self.url + path)
        return page

    async def log_in(self, account: Account, password: str = PASSWORD) -> None:
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


async def at_once(act: Awaitable[Any], *effects: Awaitable[Any]) -> None:
    """Do the act and watch for its effects meanwhile: `sees` and `is_told` give them a second."""
    await asyncio.gather(act, *effects)


async def is_told(page: Page, sentence: str, *, unread: int, timeout: int = AT_ONCE) -> None:
    """The open page shows it by itself: in the bell, in the open panel, and in the inbox."""
    await asyncio.gather(
        sees(page, unread, timeout=timeout),
        *(
            expect(notice(region, sentence).first).to_be_visible(timeout=timeout)
            for region in (panel(page), inbox(page))
        ),
    )


async def sees(page: Page, unread: int, *, timeout: int = AT_ONCE) -> None:
    """The bell says so many, to the eye and to the ear."""
    count = "99+" if unread > 99 else str(unread)
    name = f"Notifications, {count} unread" if unread else "Notifications"
    shown = [count] if unread else []
    await asyncio.gather(
        expect(bell(page)).to_have_accessible_name(name, timeout=timeout),
        expect(bell(page).locator(".badge:visible")).to_have_text(shown, timeout=timeout),
    )


def sighting(page: Page, text: str) -> "asyncio.Task[float]":
    """From here on watch for a text; the moment when it could be seen, in seconds of the epoch."""

    async def look() -> float:
        return float(await page.evaluate(_SIGHT, text)) / 1000

    return asyncio.create_task(look())


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
