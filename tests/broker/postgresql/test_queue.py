from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.broker.postgresql.queue import PostgresQueue
from app.broker.postgresql.server import open_pool
from app.broker.relay import Relay
from tests.broker.queue_case import OpenQueue, QueueCase, opening
from tests.broker.servers import schema


@pytest.fixture
async def open_queue() -> AsyncIterator[OpenQueue]:
    async with schema() as url:

        def new_queue(name: str, relay: Relay, **options: Any) -> PostgresQueue:
            return PostgresQueue(open_pool(url, 2), name, relay, **options)

        async with opening(new_queue) as open_queue:
            yield open_queue


class TestPostgresQueue(QueueCase):
    pass
