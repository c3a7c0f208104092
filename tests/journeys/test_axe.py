"""axe-core finds nothing to mend in any scene of the pictures, on a desk and on a phone, light and dark."""

from typing import Any, Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

from tests.journeys.conftest import Arrive
from tests.journeys.running import Site
from tests.pictures.scenes import SCENES, enter
from tests.pictures.world import build

COLOURS: tuple[Literal["light", "dark"], ...] = ("light", "dark")
# Rules for the levels A and AA of WCAG 2.2, and what is good practice besides; those that axe calls
# experimental too, such as that a button's name contains what is written on it.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice", "experimental"]
OPTIONS = {"runOnly": RULES, "resultTypes": ["violations"]}


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (360, 740)])
async def test_axe_has_no_findings(site: Site, arrive: Arrive, width: int, height: int) -> None:
    world = await build(site)
    visitor = await arrive(
        viewport={"width": width, "height": height},
        reduced_motion="reduce",
        has_touch=width < 600,
        is_mobile=width < 600,
    )
    found = []

    for name, scene in SCENES.items():
        if width < scene.least_width:
            continue
        page = await enter(scene, visitor, world)
        for colours in COLOURS:
            await page.emulate_media(color_scheme=colours)
            found += [f"{name}, {colours}: {one}" for one in await findings(page)]

    assert not found, "\n".join(found)


async def findings(page: Page) -> list[str]:
    """The rules that axe finds broken, each with its elements."""
    results: dict[str, Any] = (await Axe().run(page, options=OPTIONS)).response
    return [
        f"{rule['id']} {node['html'][:300]} {node['failureSummary']}"
        for rule in results["violations"]
        for node in rule["nodes"]
    ]
