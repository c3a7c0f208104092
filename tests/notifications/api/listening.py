"""A client of the JSON stream."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from litestar import Litestar

from app.database import Database
from app.models import User
from tests.api.conftest import key_of
from tests.notifications._connection import Connection, request_of

FIELD = re.compile(r"^(event|id|retry|data): ?(.*)$", re.M)


@dataclass
class Heard:
    """One event of the stream."""

    event: str
    id: int
    data: dict[str, Any]
    retry: int | None = None


@dataclass
class Program:
    """`last` is the id of the last event it has taken; events after that are lost to it."""

    key: str
    last: str = ""
    heard: list[Heard] = field(default_factory=list)
    connection: Connection = field(default_factory=Connection)

    def connect(self, app: Litestar, query: str = "", **headers: str) -> None:
        self.connection = Connection()
        scope = request_of("/api/notifications/stream")
        given = {"host": "testserver", "authorization": f"Bearer {self.key}", **headers}
        if self.last:
            given["last-event-id"] = self.last
        scope["headers"] = [(name.encode(), value.encode()) for name, value in given.items()]
        scope["query_string"] = query.encode()
        self.connection.open(app, scope)

    async def hang_up(self) -> None:
        self.connection.disconnect()
        await self.connection.until_served()

    async def until(self, *events: str) -> list[Heard]:
        """Wait until the last events are of these kinds, in this order; take all that arrived."""
        await self.connection.until(
            lambda: [one.event for one in self.waiting()][-len(events) :] == list(events)
        )
        return self.take()

    def waiting(self) -> list[Heard]:
        """The complete events that have arrived but are not taken."""
        frames = self.connection.body.decode().split("\n\n")[:-1]
        return [_read(frame) for frame in frames if not frame.startswith(":")]

    def take(self) -> list[Heard]:
        taken = self.waiting()
        self.connection.body = self.connection.body.rpartition(b"\n\n")[2]
        self.heard += taken
        if ids := [one.id for one in taken if one.id >= 0]:
            self.last = str(ids[-1])
        return taken


def _read(frame: str) -> Heard:
    fields = dict(FIELD.findall(frame))
    retry = int(fields["retry"]) if "retry" in fields else None
    return Heard(fields["event"], int(fields.get("id", -1)), json.loads(fields["data"]), retry)


async def program_of(db: Database, user: User) -> Program:
    return Program(await key_of(db, user, "read"))
