from collections.abc import AsyncIterator

import pytest
from litestar import Litestar

from tests.contract.cast import Stage, on_stage


@pytest.fixture
async def stage(app: Litestar) -> AsyncIterator[Stage]:
    async with on_stage(app) as everybody:
        yield everybody
