"""Opens the queues and the relay that the settings ask for; no other module chooses them."""

from dataclasses import dataclass

from saq import Queue

from app.broker.relay import LocalRelay, Relay
from app.broker.runtime_directory import runtime_directory
from app.broker.sqlite_queue import SqliteQueue
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
    """A broker that is not connected yet. Raises `SettingError` for an unsupported server."""
    if settings.redis_url:
        raise SettingError(_("REDIS_URL must not be set: only SQLite is supported so far."))
    if not settings.is_sqlite:
        raise SettingError(
            _("DATABASE_URL must be a SQLite file: only SQLite is supported so far.")
        )
    relay = LocalRelay(runtime_directory(settings.data_dir), settings.sqlite_path)
    path = settings.sqlite_path.with_name("queue.db")
    return Broker(
        relay=relay,
        queue=SqliteQueue(path, "default", relay),
        compilations=SqliteQueue(path, "compilations", relay),
    )
