"""Which queue and which relay the settings ask for: the only place that knows."""

from dataclasses import dataclass

from saq import Queue

from app.broker.directory import runtime_directory
from app.broker.relay import LocalRelay, Relay
from app.broker.sqlite_queue import SqliteQueue
from app.language import _
from app.settings import SettingError, Settings


@dataclass(frozen=True)
class Broker:
    """What wakes other processes, and what has them work.

    `compilations` is apart from `queue` so that minutes of ffmpeg never delay a mail.
    """

    relay: Relay
    queue: Queue
    compilations: Queue

    async def connect(self) -> None:
        await self.relay.connect()
        await self.queue.connect()
        await self.compilations.connect()

    async def disconnect(self) -> None:
        """Let go of everything, also after a `connect` that failed half-way."""
        await self.compilations.disconnect()
        await self.queue.disconnect()
        await self.relay.disconnect()


def open_broker(settings: Settings) -> Broker:
    """A broker not yet connected. Raises `SettingError` for a server that is not served."""
    if settings.redis_url:
        raise SettingError(_("REDIS_URL must be unset: the queue runs on SQLite only so far."))
    if not settings.is_sqlite:
        raise SettingError(_("DATABASE_URL must be a SQLite file: nothing else is served so far."))
    relay = LocalRelay(runtime_directory(settings.data_dir), settings.sqlite_path)
    path = settings.sqlite_path.with_name("queue.db")
    return Broker(
        relay=relay,
        queue=SqliteQueue(path, "default", relay),
        compilations=SqliteQueue(path, "compilations", relay),
    )
