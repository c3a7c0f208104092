"""Chromium, driven by Playwright."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, Error, Page, async_playwright

from tests.journeys.browsing import ARGUMENTS, WATCH_POLICY, Watch, find_chromium, leave
from tests.journeys.engines.page import Interrupted, Tab


def why_missing() -> str:
    return "" if find_chromium() else "chromium not installed"


@asynccontextmanager
async def started(folder: Path) -> AsyncIterator["Chromium"]:
    async with async_playwright() as playwright:
        path = find_chromium()
        browser = await playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield Chromium(browser)
        await browser.close()


@dataclass
class Chromium:
    _browser: Browser

    async def open(self) -> Tab:
        """A browser with its own cookies."""
        context = await self._browser.new_context(locale="en-GB", timezone_id="UTC")
        await context.add_init_script(WATCH_POLICY)
        watch = Watch()
        watch.over(context)
        return ChromiumTab(context, await context.new_page(), watch.problems)


@dataclass
class ChromiumTab:
    _context: BrowserContext
    _page: Page
    problems: list[str]

    async def go_to(self, url: str) -> None:
        await self._page.goto(url)

    async def reload(self) -> None:
        await self._page.reload()

    async def evaluate(self, function: str, *arguments: Any) -> Any:
        try:
            return await self._page.evaluate(f"given => ({function})(...given)", arguments)
        except Error as error:
            raise Interrupted(str(error)) from error

    async def click(self, x: int, y: int) -> None:
        await self._page.mouse.click(x, y)

    async def type(self, text: str) -> None:
        await self._page.keyboard.type(text)

    async def press(self, key: str) -> None:
        await self._page.keyboard.press(key)

    async def attach(self, selector: str, paths: Sequence[Path]) -> None:
        await self._page.locator(selector).set_input_files(paths)

    async def set_cookie(self, name: str, value: str, url: str) -> None:
        await self._context.add_cookies([{"name": name, "value": value, "url": url}])

    async def exposes(self, role: str, name: str) -> bool:
        session = await self._context.new_cdp_session(self._page)
        # Not by the id of a node: the browser gives new ones once it has read the page to its end.
        document = (await session.send("Runtime.evaluate", {"expression": "document"}))["result"]
        wanted = {"objectId": document["objectId"], "role": role, "accessibleName": name}
        found = await session.send("Accessibility.queryAXTree", wanted)
        return bool(found["nodes"])

    async def resize(self, width: int, height: int) -> None:
        await self._page.set_viewport_size({"width": width, "height": height})

    async def screenshot(self) -> bytes:
        return await self._page.screenshot()

    async def open_another(self) -> Tab:
        return ChromiumTab(self._context, await self._context.new_page(), self.problems)

    async def close(self) -> None:
        await leave(self._context)
