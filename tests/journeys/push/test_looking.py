"""Who looks at a page needs no push."""

import asyncio

from playwright.async_api import Route
from sqlalchemy import select

from app import clock
from app.models import Delivery, User
from app.notifications.events.audience import personally
from app.notifications.events.catalogue import COMPILATION_COMPLETED
from app.notifications.events.event_type import PUSH
from app.notifications.notify import notify
from tests.journeys.browsing import sees
from tests.journeys.conftest import Arrive
from tests.journeys.push.pushing import until
from tests.journeys.push.steps import (
    TURN,
    close_app,
    enable,
    with_push,
)
from tests.journeys.running import Site
from tests.push_service import PushService

pytestmark = with_push


async def test_a_visible_page_prevents_pushes_and_a_left_one_does_not(
    site: Site, arrive: Arrive, push_service: PushService, bob: User
) -> None:
    visitor, browser = await arrive(bob), push_service.browser()
    await enable(visitor, browser)
    await tell_of_compilation(site, bob)
    await sees(visitor.page, 1)
    await until(lambda: is_put_off(site))
    assert browser.pushed == []

    await close_app(visitor)
    await tell_of_compilation(site, bob)

    await push_service.next_push(browser)
    assert len(browser.pushed) == 1


async def test_switching_between_tabs_keeps_the_page_visible(
    site: Site, arrive: Arrive, push_service: PushService, bob: User
) -> None:
    visitor = await arrive(bob)
    await enable(visitor, push_service.browser())
    one, other = visitor.page, await visitor.context.new_page()
    async with other.expect_response("**/push/visibility"):
        await other.goto(site.url)
    async with one.expect_response("**/push/visibility"):
        await one.evaluate(TURN, True)

    async def a_little_later(route: Route) -> None:
        await asyncio.sleep(0.2)
        await route.continue_()

    await other.route("**/push/visibility", a_little_later)
    async with (
        other.expect_response("**/push/visibility"),
        one.expect_response("**/push/visibility"),
    ):
        await asyncio.gather(other.evaluate(TURN, True), one.evaluate(TURN, False))

    async with site.db.read() as session:
        looks_until = (await session.get_one(User, bob.id)).visible_until
    assert looks_until
    assert looks_until > clock.now()


async def tell_of_compilation(site: Site, user: User) -> None:
    """Of something that is not urgent, as an invitation is."""
    people = personally(User.id)
    async with site.db.act() as session:
        await notify(
            session,
            COMPILATION_COMPLETED,
            recipients=people.where(User.id == user.id),
            **COMPILATION_COMPLETED.example,
        )


async def is_put_off(site: Site) -> bool:
    """Whether the worker knows of a visible page."""
    async with site.db.read() as session:
        push = (await session.scalars(select(Delivery).where(Delivery.channel == PUSH))).one()
    return push.attempts == 0 and push.due_at > push.created_at
