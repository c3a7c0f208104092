from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.broker.redis.queue import RedisQueue
from app.broker.redis.server import open_client
from app.broker.relay import Relay
from tests.broker.queue_case import OpenQueue, QueueCase, opening
from tests.broker.servers import redis_prefix
from tests.setups import REDIS_URL


@pytest.fixture
async def open_queue() -> AsyncIterator[OpenQueue]:
    async with redis_prefix() as prefix:

        def new_queue(name: str, relay: Relay, **options: Any) -> RedisQueue:
            return RedisQueue(open_client(REDIS_URL), prefix, name, relay, **options)

        async with opening(new_queue) as open_queue:
            yield open_queue


class TestRedisQueue(QueueCase):
    pass
