"""The scenes that people look at in pictures and axe checks in a journey."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from playwright.async_api import Page

from app.accounts.sessions import start_session
from tests.journeys.browsing import Visitor, open_panel
from tests.pictures.world import World

Act = Callable[[Page], Awaitable[None]]


async def _nothing(_page: Page) -> None:
    """The page as it comes."""


@dataclass(frozen=True)
class Scene:
    """`act` is done on the page before it is looked at. `{reel}` in the path is the id of the project that has
    clips. Below `least_width` pixels there is no such scene.
    """

    path: str
    act: Act = _nothing
    user: str = "alice"
    least_width: int = 0


async def enter(scene: Scene, visitor: Visitor, world: World) -> Page:
    """The page as the scene shows it, in a new tab and with a new session of its user."""
    await visitor.page.close()
    visitor.page = await visitor.context.new_page()
    async with world.site.db.write() as session:
        user = world.people[scene.user]
        await visitor.take_session(await start_session(session, user, "pictures"))
    page = await visitor.open(scene.path.format(reel=world.projects["reel"].id))
    await scene.act(page)
    return page


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


async def _open_more_filters(page: Page) -> None:
    await _open_filters(page)
    await page.get_by_role("button", name="More filters").click()
    await page.get_by_label("Person", exact=True).wait_for()


async def _open_keys(page: Page) -> None:
    await page.keyboard.press("?")
    await page.locator("#keys[open]").wait_for()


async def _open_pane(page: Page) -> None:
    await page.locator("#show-pane").click()


async def _read(text: str, page: Page) -> None:
    """The row with this text, in the reading pane."""
    await _open_pane(page)
    await page.locator("#inbox .notice-text", has_text=re.compile(text)).first.click()
    await page.locator("#sentence", has_text=re.compile(text)).wait_for()
    await page.locator("#inbox:not(.htmx-request) [aria-current]:not(.is-unread)").wait_for()


async def _open_notice(page: Page) -> None:
    await page.get_by_role("link", name="The nightly render is done").click()
    await page.locator("#sentence").wait_for()


SEVERAL = "type=member_left&type=team_updated&type=project_shared&date_range=month&q=northlight"

SCENES = {
    "inbox": Scene("/notifications"),
    "inbox-hover": Scene("/notifications", _hover),
    "inbox-selected": Scene("/notifications", _select),
    "inbox-group": Scene("/notifications", _open_group),
    "inbox-tools": Scene("/notifications", _open_tools),
    "inbox-filtered": Scene("/notifications?status=unread&type=member_left"),
    "inbox-chips": Scene(f"/notifications?{SEVERAL}"),
    "inbox-no-match": Scene("/notifications?type=team_deleted"),
    "inbox-search": Scene("/notifications?q=northlight"),
    "inbox-found-nothing": Scene("/notifications?q=zeppelin"),
    "inbox-snooze": Scene("/notifications", _snooze),
    "inbox-filters": Scene("/notifications", _open_filters),
    "inbox-more-filters": Scene("/notifications", _open_more_filters),
    "inbox-keys": Scene("/notifications", _open_keys),
    "inbox-zero": Scene("/notifications", user="bob"),
    "view-saved": Scene("/notifications?view=saved"),
    "view-done": Scene("/notifications?view=done"),
    "view-snoozed": Scene("/notifications?view=snoozed"),
    "panel": Scene("/teams", open_panel),
    "dashboard": Scene("/"),
    "preferences": Scene("/account/notifications"),
    "account": Scene("/account"),
    "projects": Scene("/projects"),
    "project": Scene("/projects/{reel}", _play),
    # These read what they show.
    "pane": Scene("/notifications", _open_pane, least_width=1200),
    "pane-invitation": Scene("/notifications", partial(_read, "invited you"), least_width=1200),
    "pane-failure": Scene(
        "/notifications", partial(_read, "Compilation.*summer"), least_width=1200
    ),
    "pane-video": Scene("/notifications", partial(_read, "Compilation.*Reel"), least_width=1200),
    "pane-thread": Scene("/notifications", partial(_read, "emil"), least_width=1200),
    "notice": Scene("/notifications", _open_notice),
}
