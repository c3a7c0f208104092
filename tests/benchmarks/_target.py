"""What a server must offer to be measured, and the two small ones beside this file."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

import httpx

from tests.benchmarks._prober import Probe, probing
from tests.benchmarks._readers import Person, request_of
from tests.benchmarks._server import Server, serving

EVENT_BYTES = 600


class Publisher(Protocol):
    """How a server is made to publish; all answer the monotonic moment of the act."""

    async def tell_everyone_the_same(self) -> float | None: ...
    async def tell_everyone_their_own(self) -> float: ...
    async def tell_one(self, number: int) -> float: ...
    async def change_everyones_bell(self) -> float | None: ...


@dataclass
class Running:
    """A server that runs, who opens streams there, how it is made to publish; and what somebody
    asks of it who wants no stream.
    """

    server: Server
    people: list[Person]
    publisher: Publisher
    other: bytes

    def probing(self) -> AbstractAsyncContextManager[Probe]:
        """How long that takes within the block."""
        return probing(self.server.port, self.other)


class Target(Protocol):
    name: str

    def running(self, streams: int) -> AbstractAsyncContextManager[Running]: ...


@dataclass
class SmallApp:
    """One of the two small applications beside this file: they have the same routes. With
    `opening_bytes`, sse-starlette starts each stream with so many.
    """

    name: str
    app: str
    opening_bytes: int = 0

    @asynccontextmanager
    async def running(self, streams: int) -> AsyncIterator[Running]:
        people = [
            Person(
                request_of(f"/streams/{number}?opening={self.opening_bytes}"),
                f" for {number}.".encode(),
                f"hello {number}".encode(),
            )
            for number in range(streams)
        ]
        async with (
            serving(f"tests.benchmarks.{self.app}:app") as server,
            httpx.AsyncClient(base_url=server.base_url, timeout=60) as client,
        ):
            yield Running(server, people, SmallAppPublisher(client), request_of("/healthz"))


EVERYONE = b" for everyone."


@dataclass
class SmallAppPublisher:
    client: httpx.AsyncClient

    async def tell_everyone_the_same(self) -> float | None:
        return await self._post("/everyone", own="false")

    async def tell_everyone_their_own(self) -> float:
        return await self._post("/everyone", own="true")

    async def tell_one(self, number: int) -> float:
        return await self._post(f"/people/{number}")

    async def change_everyones_bell(self) -> float | None:
        """Not supported: it has no bell."""
        return None

    async def _post(self, path: str, **values: str) -> float:
        answer = await self.client.post(path, params={"size": str(EVENT_BYTES), **values})
        return float(answer.raise_for_status().json())
