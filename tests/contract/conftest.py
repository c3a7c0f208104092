"""One application for all tests of the contract, emptied before each: starting it takes longest."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from litestar import Litestar

from app.asgi import create_app
from app.installation import install
from app.settings import load
from tests.application import running
from tests.contract.building import build, renew
from tests.contract.cast import Stage, on_stage
from tests.contract.keeping import Rows, empty, put_back, read_rows
from tests.contract.world import World
from tests.factories import SECRET_KEY
from tests.setups import Servers


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def house(
    servers: Servers, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Litestar]:
    environ = {
        "SECRET_KEY": SECRET_KEY,
        "BASE_URL": "http://testserver",
        "RATE_LIMITS": "0",
        "ALLOWED_HOSTS": "testserver",
    }
    with servers.installation(tmp_path_factory.mktemp("house")) as database:
        async with running(create_app(install(load(environ | database)))) as application:
            yield application


@pytest_asyncio.fixture(loop_scope="session")
async def empty_house(house: Litestar) -> Litestar:
    await empty(house.state.db)
    return house


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def first_world(house: Litestar) -> tuple[World, Rows]:
    await empty(house.state.db)
    world = await build(house)
    return world, await read_rows(house.state.db)


@pytest_asyncio.fixture(loop_scope="session")
async def world(empty_house: Litestar, first_world: tuple[World, Rows]) -> World:
    first, rows = first_world
    await put_back(empty_house.state.db, rows)
    return await renew(first)


@pytest_asyncio.fixture(loop_scope="session")
async def stage(empty_house: Litestar) -> AsyncIterator[Stage]:
    async with on_stage(empty_house) as everybody:
        yield everybody
