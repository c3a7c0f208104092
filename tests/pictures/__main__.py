"""Makes the pictures: each scene at three widths, light and dark."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from playwright.async_api import Browser, Page, async_playwright

from app.accounts.sessions import start_session
from tests.journeys.browsing import ARGUMENTS, find_chromium, open_panel, visit
from tests.journeys.running import serving
from tests.pictures.world import World, build

SIZES = {"1440x900": (1440, 900), "900x700": (900, 700), "360x740": (360, 740)}
COLOURS: tuple[Literal["light", "dark"], ...] = ("light", "dark")

Act = Callable[[Page], Awaitable[None]]


async def _hover(page: Page) -> None:
    await page.locator("#inbox .notice").nth(3).hover()


async def _select(page: Page) -> None:
    for number in (1, 2):
        await page.locator("[name=ids]").nth(number).check()


async def _open_tools(page: Page) -> None:
    if await page.locator(".row-more").first.is_visible():
        await page.locator(".row-more").nth(1).click()


async def _open_group(page: Page) -> None:
    await page.locator(".parts button").first.click()
    await page.locator(".parts li").first.wait_for()


async def _play(page: Page) -> None:
    await page.locator(".clip summary").first.click()


async def _snooze(page: Page) -> None:
    await _open_tools(page)
    await page.locator("#inbox .notice").nth(1).get_by_role("button", name="Snooze").click()
    await page.locator("#question[open]").wait_for()


async def _open_filters(page: Page) -> None:
    if await page.locator(".filters-open").is_visible():
        await page.locator(".filters-open").click()


async def _nothing(_page: Page) -> None:
    """The page as it comes."""


# name: (path, what is done there before the picture is taken)
SCENES: dict[str, tuple[str, Act]] = {
    "inbox": ("/notifications", _nothing),
    "inbox-hover": ("/notifications", _hover),
    "inbox-selected": ("/notifications", _select),
    "inbox-group": ("/notifications", _open_group),
    "inbox-tools": ("/notifications", _open_tools),
    "inbox-filtered": ("/notifications?status=unread&type=member_added", _nothing),
    "inbox-no-match": ("/notifications?type=team_deleted", _nothing),
    "inbox-snooze": ("/notifications", _snooze),
    "inbox-filters": ("/notifications", _open_filters),
    "view-saved": ("/notifications?view=saved", _nothing),
    "view-done": ("/notifications?view=done", _nothing),
    "view-snoozed": ("/notifications?view=snoozed", _nothing),
    "panel": ("/teams", open_panel),
    "dashboard": ("/", _nothing),
    "account": ("/account", _nothing),
    "projects": ("/projects", _nothing),
    "project": ("/projects/1", _play),
}


def main(arguments: Sequence[str]) -> None:
    folder, *parts = [*arguments, "pictures"][: len(arguments) or 1]
    names = [name for name in SCENES if not parts or any(part in name for part in parts)]
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as data:
        asyncio.run(_take_all(Path(data), names, target))
    print(f"{len(names) * len(SIZES) * len(COLOURS)} pictures in {target}")


async def _take_all(data: Path, names: Sequence[str], target: Path) -> None:
    async with serving(data, worker=False) as site, async_playwright() as playwright:
        world = await build(site)
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        for size, colour in product(SIZES, COLOURS):
            await _take(browser, world, names, size, colour, target)
        await browser.close()


async def _take(
    browser: Browser,
    world: World,
    names: Sequence[str],
    size: str,
    colour: Literal["light", "dark"],
    target: Path,
) -> None:
    width, height = SIZES[size]
    is_phone = width < 600
    visitor = await visit(
        browser,
        world.site.url,
        viewport={"width": width, "height": height},
        color_scheme=colour,
        has_touch=is_phone,
        is_mobile=is_phone,
    )
    async with world.site.db.write() as session:
        await visitor.take_session(await start_session(session, world.alice, "pictures"))
    for name in names:
        path, act = SCENES[name]
        page = visitor.page
        await page.goto(world.site.url + path)
        await act(page)
        await page.screenshot(path=target / f"{name}-{size}-{colour}.png", animations="disabled")
    await visitor.context.close()


if __name__ == "__main__":
    main(sys.argv[1:])
