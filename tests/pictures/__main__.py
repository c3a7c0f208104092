"""Makes the pictures: each scene at three widths, light and dark."""

import asyncio
import sys
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from playwright.async_api import Browser, async_playwright

from tests.journeys.browsing import ARGUMENTS, Visitor, find_chromium, visit
from tests.journeys.running import serving
from tests.pictures.scenes import SCENES, enter
from tests.pictures.world import build

SIZES = {"1440x900": (1440, 900), "900x700": (900, 700), "360x740": (360, 740)}
COLOURS: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def main(arguments: Sequence[str]) -> None:
    folder, *parts = [*arguments, "pictures"][: len(arguments) or 1]
    names = [name for name in SCENES if not parts or any(part in name for part in parts)]
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as data:
        asyncio.run(_take_all(Path(data), names, target))
    print(f"{len(list(target.glob('*.png')))} pictures in {target}")


async def _take_all(data: Path, names: Sequence[str], target: Path) -> None:
    async with serving(data, worker=False) as site, async_playwright() as playwright:
        world = await build(site)
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        looks = list(product(SIZES, COLOURS))
        visitors = [await _visit(browser, site.url, size, colour) for size, colour in looks]
        # Reading changes what later scenes show, so each scene is taken in every look at once.
        for name, (visitor, look) in product(names, zip(visitors, looks, strict=True)):
            if SIZES[look[0]][0] >= SCENES[name].least_width:
                page = await enter(SCENES[name], visitor, world)
                path = target / f"{'-'.join([name, *look])}.png"
                await page.screenshot(path=path, animations="disabled")
        await browser.close()


async def _visit(
    browser: Browser, url: str, size: str, colour: Literal["light", "dark"]
) -> Visitor:
    width, height = SIZES[size]
    is_phone = width < 600
    return await visit(
        browser,
        url,
        viewport={"width": width, "height": height},
        color_scheme=colour,
        has_touch=is_phone,
        is_mobile=is_phone,
    )


if __name__ == "__main__":
    main(sys.argv[1:])
