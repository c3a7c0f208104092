"""A page whose stream is gone, with or without a word, notices it and asks in the meantime."""

import re

from playwright.async_api import Request, Route, expect

from app.models import User
from app.notifications.events.catalogue import MEMBER_ADDED
from app.notifications.notify import notify
from tests.factories import make_team
from tests.journeys.browsing import SERVER_IS_AWAY
from tests.journeys.conftest import Arrive
from tests.journeys.running import Site

STREAM = re.compile(r"/notifications/stream")
BELL = re.compile(r"/notifications/bell")
# Whatever was being fetched when the page's clock was put forward has waited too long.
TOO_LONG = "htmx:error: timeout"


async def tell(site: Site, alice: User, bob: User) -> None:
    team = await make_team(site.db, alice, editors=[bob])
    async with site.db.act() as session:
        await notify(session, MEMBER_ADDED, actor=alice, affected=bob, team=team, role="editor")


async def test_a_server_gone_without_a_word_is_noticed_by_its_silence(
    site: Site, arrive: Arrive, alice: User, bob: User
) -> None:
    visitor = await arrive(bob)
    page = visitor.page
    visitor.watch.expect(f"{SERVER_IS_AWAY}|{TOO_LONG}")
    await page.clock.install()
    await visitor.open()

    site.web.freeze()
    async with page.expect_request(BELL), page.expect_request(STREAM):
        await page.clock.fast_forward("00:46")
        await page.clock.fast_forward("00:11")
    await expect(page.locator("#offline")).to_be_visible()
    site.web.thaw()
    await tell(site, alice, bob)

    await expect(page.get_by_role("button", name="Notifications, 1 unread")).to_be_visible()
    await expect(page.locator("#offline")).to_be_hidden()


async def test_without_a_stream_the_page_asks_every_minute_and_is_told_only_what_is_new(
    site: Site, arrive: Arrive, alice: User, bob: User
) -> None:
    visitor = await arrive(bob)
    page = visitor.page
    visitor.watch.expect(f"{SERVER_IS_AWAY}|{TOO_LONG}")
    asked: list[Request] = []

    def note(request: Request) -> None:
        if BELL.search(request.url):
            asked.append(request)

    page.on("request", note)

    async def no_way(route: Route) -> None:
        await route.abort()

    await page.route(STREAM, no_way)
    await page.clock.install()
    await page.goto(site.url)

    async with page.expect_response(BELL) as nothing_new:
        await page.clock.fast_forward("00:46")
    await tell(site, alice, bob)
    async with page.expect_response(BELL) as something:
        await page.clock.fast_forward("01:00")
    await expect(page.get_by_role("button", name="Notifications, 1 unread")).to_be_visible()
    async with page.expect_response(BELL) as nothing_again:
        await page.clock.fast_forward("01:00")

    answers = [await each.value for each in (nothing_new, something, nothing_again)]
    assert [answer.status for answer in answers] == [204, 200, 204]
    told = await answers[1].header_value("ETag")
    assert (await asked[-1].all_headers())["if-none-match"] == told
