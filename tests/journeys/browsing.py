"""Real people's browsers: pages that watch for errors, and ways to say what a person does."""

import asyncio
import os
import re
import shutil
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Response, expect

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
)
AT_ONCE = 1_000  # milliseconds in which everyone concerned has to see what happened

# Runs in every page before its own scripts: what the policy forbids is told as an error, and
# a reload would forget the page's birth.
_WATCH = """
addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI, sourceFile, lineNumber }) =>
  console.error(`The policy forbids ${violatedDirective} ${blockedURI} at ${sourceFile}:${lineNumber}`));
"""


def find_chromium() -> str:
    """The path of a Chromium: `CHROMIUM`, else the first that is installed, else ""."""
    found = (shutil.which(name) for name in (os.environ.get("CHROMIUM", ""), *NAMES) if name)
    return next((path for path in found if path), "")


@dataclass
class Visitor:
    """One person's browser, with cookies of its own, at one server; `page` is its first tab."""

    context: BrowserContext
    url: str
    watch: "Watch"
    page: Page
    has_scripts: bool = True

    async def open(self, path: str = "/", *, at: str = "", page: Page | None = None) -> Page:
        """Go there with the first tab; return when the page's stream is open, if it has one."""
        page = page or self.page
        address = (at or self.url) + path
        if await self._is_signed_in():
            async with page.expect_response("**/notifications/stream"):
                await page.goto(address)
        else:
            await page.goto(address)
        return page

    async def tab(self, path: str = "/", *, at: str = "") -> Page:
        """One more tab of this browser, without waiting for a stream: tabs share one."""
        page = await self.context.new_page()
        await page.goto((at or self.url) + path)
        return page

    async def log_in(self, account: Account, password: str = PASSWORD) -> None:
        await self.page.goto(self.url + "/login")
        await self.page.get_by_label("Email or username").fill(account.username)
        await self.page.get_by_label("Password").fill(password)
        await self.page.get_by_role("button", name="Log in").click()
        await expect(bell_of(self.page)).to_be_visible()

    async def _is_signed_in(self) -> bool:
        cookies = await self.context.cookies(self.url)
        return self.has_scripts and any(cookie["name"] == "session" for cookie in cookies)


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


async def visit(browser: Browser, url: str, watch: Watch, **options: Any) -> Visitor:
    """A new browser at this server; `options` are Playwright's for a context."""
    context = await browser.new_context(**{"locale": "en-GB", "timezone_id": "UTC", **options})
    context.set_default_timeout(10_000)
    await context.add_init_script(_WATCH)
    watch.over(context)
    has_scripts = options.get("java_script_enabled", True)
    return Visitor(context, url, watch, await context.new_page(), has_scripts)


async def at_once(act: Awaitable[Any], *effects: Awaitable[Any]) -> None:
    """Do the act, and see its effects meanwhile; give those `timeout=AT_ONCE`."""
    await asyncio.gather(act, *effects)


def bell_of(page: Page) -> Any:
    return page.get_by_role("banner").get_by_role("button", name=re.compile("^Notifications"))
