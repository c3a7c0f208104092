"""Opens the queues and the relay that the settings ask for; no other module chooses them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from saq import Queue

from app.broker.relay import LocalRelay, Relay, Watch, watch_file
from app.broker.runtime_directory import runtime_directory
from app.broker.sqlite.queue import SqliteQueue
from app.language import _
from app.settings import SettingError, Settings


@dataclass(frozen=True)
class Broker:
    """The relay wakes other processes; the queues give them work.

    `compilations` is a queue of its own so that minutes of ffmpeg never delay a mail.
    """

    relay: Relay
    queue: Queue
    compilations: Queue

    async def connect(self) -> None:
        await self.relay.connect()
        await self.queue.connect()
        await self.compilations.connect()

    async def disconnect(self) -> None:
        """Close everything, also after a `connect` that failed half-way."""
        await self.compilations.disconnect()
        await self.queue.disconnect()
        await self.relay.disconnect()


def open_broker(settings: Settings) -> Broker:
    """A broker that is not connected yet.

    The drivers of PostgreSQL and Redis are imported only for settings that need them.
    """
    if settings.redis_url:
        return _on_redis(settings)
    return _on_sqlite(settings) if settings.is_sqlite else _on_postgres(settings)


def require_supported(settings: Settings) -> None:
    """Raises `SettingError` where REDIS_URL cannot be used. Creates nothing."""
    if not settings.redis_url:
        return
    try:
        from app.broker.redis.server import require_redis
    except ImportError:
        sentence = _("REDIS_URL needs the driver of Redis. Run `pip install '.[redis]'`.")
        raise SettingError(sentence) from None
    require_redis(settings.redis_url)


def _on_sqlite(settings: Settings) -> Broker:
    relay = LocalRelay(runtime_directory(settings.data_dir), settings.sqlite_path)
    path = settings.sqlite_path.with_name("queue.db")
    return _broker(relay, lambda name: SqliteQueue(path, name, relay))


def _on_postgres(settings: Settings) -> Broker:
    from app.broker.postgresql.queue import PostgresQueue
    from app.broker.postgresql.relay import PostgresRelay
    from app.broker.postgresql.server import open_pool

    relay = PostgresRelay(settings.database_url)
    pool = open_pool(settings.database_url, settings.connections.queue)
    return _broker(relay, lambda name: PostgresQueue(pool, name, relay))


def _on_redis(settings: Settings) -> Broker:
    from app.broker.redis.queue import RedisQueue
    from app.broker.redis.relay import RedisRelay
    from app.broker.redis.server import installation_prefix, open_client

    client, prefix = open_client(settings.redis_url), installation_prefix(settings)
    relay = RedisRelay(open_client(settings.redis_url), prefix, _watch(settings))
    return _broker(relay, lambda name: RedisQueue(client, prefix, name, relay))


def _watch(settings: Settings) -> Watch:
    if settings.is_sqlite:
        return partial(watch_file, settings.sqlite_path)
    from app.broker.postgresql.relay import watch_postgres

    return partial(watch_postgres, settings.database_url)


def _broker(relay: Relay, new_queue: Callable[[str], Queue]) -> Broker:
    return Broker(relay, new_queue("default"), new_queue("compilations"))
