"""A push service, and settings under which it may be used."""

from collections.abc import AsyncIterator

import pytest

from app.settings import Settings
from tests.push_service import PushService, serving_push
from tests.pushing import allowing


@pytest.fixture
async def push_service() -> AsyncIterator[PushService]:
    async with serving_push() as service:
        yield service
    assert not service.complaints


@pytest.fixture
def settings(settings: Settings, push_service: PushService) -> Settings:
    return allowing(settings, push_service)
