"""Fixtures of the journeys: an empty site for each test, and one browser of each engine for all."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright
from sqlalchemy import select

from app.accounts.sessions import start_session
from app.models import User
from tests.factories import make_account
from tests.journeys.browsing import ARGUMENTS, Visitor, find_chromium, leave, visit
from tests.journeys.engines import KNOWN, Engines
from tests.journeys.engines.page import Page
from tests.journeys.large_world import LargeWorld
from tests.journeys.reading import Reader
from tests.journeys.running import Site
from tests.journeys.site_pool import SitePool

Arrive = Callable[..., Awaitable[Visitor]]
Browse = Callable[..., Awaitable[Page]]
Sit = Callable[[User], Awaitable[Reader]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks every journey, and runs it on the event loop of the browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("browser")
            item.add_marker(pytest.mark.timeout(600))
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    path = find_chromium()
    if not path:
        pytest.skip("no Chromium is installed (CHROMIUM may name one)")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def engines(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Engines]:
    async with Engines(lambda: tmp_path_factory.mktemp("engine")) as engines:
        yield engines


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def large_world(
    migrated: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[LargeWorld]:
    world = LargeWorld(tmp_path_factory.mktemp("large"), migrated)
    yield world
    await world.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site_pool(
    migrated: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SitePool]:
    sites = SitePool(migrated, lambda: tmp_path_factory.mktemp("site"))
    yield sites
    await sites.close()


@pytest_asyncio.fixture(loop_scope="session")
async def site(
    request: pytest.FixtureRequest, site_pool: SitePool, large_world: LargeWorld
) -> AsyncIterator[Site]:
    """The shipped commands on an empty database, or on the large world for tests marked so.

    A parameter adds to the environment.
    """
    if request.node.get_closest_marker("large_world"):
        site = await large_world.as_built()
    else:
        site = await site_pool.as_started(getattr(request, "param", {}))
    yield site
    assert "Traceback" not in site.log, site.log


@pytest_asyncio.fixture(loop_scope="session")
async def arrive(chromium: Browser, site: Site) -> AsyncIterator[Arrive]:
    """A new browser, signed in if a user is given: `await arrive(bob)`.

    `at` is a URL other than the site's; other options are passed to Playwright's context.
    """
    visitors: list[Visitor] = []

    async def one(user: User | None = None, *, at: str = "", **options: Any) -> Visitor:
        visitor = await visit(chromium, at or site.url, **options)
        visitors.append(visitor)
        if user:
            async with site.db.write() as session:
                token = await start_session(session, user, "a journey's browser")
            await visitor.take_session(token)
            visitor.has_stream = options.get("java_script_enabled", True)
        return visitor

    yield one
    for visitor in visitors:
        await leave(visitor.context)
    problems = [problem for visitor in visitors for problem in visitor.watch.unexpected]
    assert not problems, problems


@pytest_asyncio.fixture(params=KNOWN, loop_scope="session")
async def browse(
    request: pytest.FixtureRequest, engines: Engines, site: Site
) -> AsyncIterator[Browse]:
    """A new browser of each engine in turn, signed in if a user is given: `await browse(bob)`."""
    engine, pages = await engines.start(request.param), list[Page]()

    async def one(user: User | None = None, *, at: str = "") -> Page:
        page = Page(await engine.open(), at or site.url)
        pages.append(page)
        if user:
            async with site.db.write() as session:
                token = await start_session(session, user, "a journey's browser")
            await page.tab.set_cookie("session", token, page.url)
        return page

    yield one
    for page in pages:
        await page.tab.close()
    problems = [problem for page in pages for problem in page.unexpected]
    assert not problems, problems


@pytest_asyncio.fixture(params=[True, False], ids=["scripts", "no scripts"], loop_scope="session")
async def sit(request: pytest.FixtureRequest, arrive: Arrive) -> Sit:
    """A user of the inbox, once in a browser with scripts and once without."""

    async def one(user: User) -> Reader:
        return Reader(await arrive(user, java_script_enabled=request.param))

    return one


@pytest_asyncio.fixture(loop_scope="session")
async def reader(sit: Sit, alice: User) -> Reader:
    return await sit(alice)


@pytest_asyncio.fixture(loop_scope="session")
async def alice(site: Site) -> User:
    return await _user(site, "alice")


@pytest_asyncio.fixture(loop_scope="session")
async def bob(site: Site) -> User:
    return await _user(site, "bob")


@pytest_asyncio.fixture(loop_scope="session")
async def carol(site: Site) -> User:
    return await _user(site, "carol")


async def _user(site: Site, name: str) -> User:
    """The user of the large world, or a new one."""
    async with site.db.read() as session:
        known = await session.scalar(select(User).where(User.username_key == name))
    return known or await make_account(site.db, name)
