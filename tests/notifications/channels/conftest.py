"""A push service on loopback."""

from collections.abc import AsyncIterator

import pytest

from tests.push_service import PushService, serving_push


@pytest.fixture
async def push_service() -> AsyncIterator[PushService]:
    async with serving_push() as service:
        yield service
    assert not service.complaints
