"""A relay through Redis, and a watch over the database for lost pokes."""

import asyncio

from redis.asyncio import Redis
from redis.asyncio.client import PubSub

from app.broker.relay import Watch
from app.broker.server_relay import SILENT_SECONDS, Loop, ServerRelay


class RedisRelay(ServerRelay):
    """A relay between the processes that use the same `prefix`.

    `watch` calls its argument after changes to the database; it ends only with an error.
    """

    most_bytes = 60_000

    def __init__(
        self,
        client: Redis,
        prefix: str,
        watch: Watch,
    ) -> None:
        super().__init__()
        self._client, self._watch = client, watch
        # Unlike keys, channels are shared by all databases of a server.
        self._channel = f"{prefix}:{client.connection_pool.connection_kwargs.get('db', 0)}"

    def _loops(self) -> list[tuple[str, Loop]]:
        watching = ("the database", self._keep_watching)
        return [("Redis", self._hear), ("Redis", self._send), watching]

    async def disconnect(self) -> None:
        await super().disconnect()
        await self._client.aclose()

    async def _hear(self) -> None:
        async with self._client.pubsub() as pubsub:
            try:
                await pubsub.subscribe(self._channel)
                await self._hear_all(pubsub)
            finally:
                self._stop_hearing()

    async def _hear_all(self, pubsub: PubSub) -> None:
        is_asked = False
        while True:
            message = await pubsub.get_message(timeout=SILENT_SECONDS)
            if message is None:
                if is_asked:
                    raise ConnectionError("it no longer answers")
                await pubsub.ping()
            is_asked = message is None
            if message and message["type"] == "subscribe":
                self._begin_hearing()
            elif message and message["type"] == "message":
                self._receive(message["data"].decode())

    async def _send(self) -> None:
        while True:
            await self._has_unsent.wait()
            await self._send_waiting(self._publish)

    async def _publish(self, messages: list[str]) -> None:
        for message in messages:
            async with asyncio.timeout(SILENT_SECONDS):
                await self._client.publish(self._channel, message)

    async def _keep_watching(self) -> None:
        await self._watch(self._database_has_changed)
