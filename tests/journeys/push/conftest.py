"""The push service of a site, which stays as long as the site does."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.journeys.push.steps import PORT
from tests.push_service import PushService, serving_push


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def open_service() -> AsyncIterator[PushService]:
    """There for as long as the site is, whose worker keeps its connections."""
    async with serving_push(PORT) as service:
        yield service


@pytest_asyncio.fixture(loop_scope="session")
async def push_service(open_service: PushService) -> AsyncIterator[PushService]:
    yield open_service
    assert not open_service.complaints
