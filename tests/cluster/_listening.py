"""Open streams that come back by themselves, wherever a server answers, as a browser's do."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec

from tests.benchmarks._readers import request_of
from tests.cluster._ledger import acts_in

SECONDS_TO_CONNECT = 5
# A stream sends something at least every 25 s (CONTRACT: 45 s without a word is dead).
SECONDS_OF_SILENCE = 45
PAUSE = 0.2, 1.0
OPENING_AT_ONCE = 50


@dataclass(frozen=True)
class Frame:
    event: str
    id: int | None
    data: bytes


@dataclass
class Listener:
    """One stream of JSON. `titles` and `positions` are those of the notices, as they arrived; `url`
    is where it is open.
    """

    team: int
    user_id: int
    token: str
    urls: Sequence[str]
    titles: list[str] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    last_id: int | None = None
    url: str = ""
    is_open: bool = False
    events: Counter[str] = field(default_factory=Counter)

    def request(self) -> str:
        since = f"Last-Event-ID: {self.last_id}\r\n" if self.last_id is not None else ""
        return (
            "GET /api/notifications/stream HTTP/1.1\r\nHost: {host}\r\n"
            f"Accept: text/event-stream\r\nAuthorization: Bearer {self.token}\r\n{since}\r\n"
        )

    def take(self, frame: Frame) -> None:
        self.events[frame.event] += 1
        if frame.id is not None:
            self.last_id = frame.id
        if frame.event == "notification":
            assert frame.id is not None
            self.positions.append(frame.id)
            self.titles.append(title_of(msgspec.json.decode(frame.data)))

    def faults(self) -> list[str]:
        """Positions that came twice or not in order, and losses that the server admitted."""
        faults = [
            f"position {after} after {before}"
            for before, after in zip(self.positions, self.positions[1:], strict=False)
            if after <= before
        ]
        return faults + ["resync"] * self.events["resync"]


@dataclass
class Page:
    """One stream of HTML, as a browser with a page open has it."""

    team: int
    user_id: int
    cookie: str
    urls: Sequence[str]
    newest: set[str] = field(default_factory=set)
    is_outdated: bool = False
    url: str = ""
    is_open: bool = False
    events: Counter[str] = field(default_factory=Counter)

    def request(self) -> str:
        path = "/notifications/stream"
        text = request_of(path, cookie=self.cookie).decode().replace("Accept-Encoding", "X-Ignored")
        return text.replace("127.0.0.1", "{host}")

    def take(self, frame: Frame) -> None:
        """The acts in the last data that names some. An opening counts groups and does not name them;
        the page of a browser fetches its panel then.
        """
        self.events[frame.event] += 1
        if frame.data == b"arranged":
            self.is_outdated = True
        self.look_at(frame.data.decode())

    def look_at(self, html: str) -> None:
        if acts := set(acts_in(html)):
            self.newest, self.is_outdated = acts, False

    async def fetch_panel(self, client: httpx.AsyncClient) -> None:
        answer = await client.get(f"{self.url}/notifications/bell", headers={"Cookie": self.cookie})
        self.look_at(answer.raise_for_status().text)


def title_of(notice: dict[str, Any]) -> str:
    """That of a message, or the new name of a team."""
    context = notice["context"]
    return str(context.get("title") or context.get("new_name") or notice["message"])


@dataclass
class Audience:
    """`connections` counts how often a stream was opened, `refusals` the answers that were not 200."""

    members: Sequence[Listener | Page]
    connections: int = 0
    refusals: Counter[int] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    _connections: dict[int, asyncio.WriteTransport] = field(default_factory=dict)

    @property
    def listeners(self) -> list[Listener]:
        return [one for one in self.members if isinstance(one, Listener)]

    @property
    def pages(self) -> list[Page]:
        return [one for one in self.members if isinstance(one, Page)]

    @property
    def pages_behind(self) -> list[Page]:
        """The pages that do not yet show the last event that a stream of their team received."""
        last = {one.team: one.titles[-1] for one in self.listeners if one.titles}
        return [one for one in self.pages if one.team in last and last[one.team] not in one.newest]

    async def fetch_panels(self) -> None:
        """As the browsers of outdated pages do."""
        async with httpx.AsyncClient(timeout=SECONDS_OF_SILENCE) as client:
            for one in self.pages:
                if one.is_open and one.is_outdated:
                    await one.fetch_panel(client)

    @property
    def count_open(self) -> int:
        return sum(one.is_open for one in self.members)

    def is_off(self, url: str) -> bool:
        """Whether no stream is open at this address."""
        return all(one.url != url for one in self.members)

    def leave(self, some: Sequence[Listener | Page]) -> None:
        """Breaks off the streams of these, without a word; they come back."""
        for one in some:
            if one.is_open:
                self._connections[id(one)].abort()

    @asynccontextmanager
    async def listening(self, *, seconds: float = 120) -> AsyncIterator[None]:
        """All are open on entry, and come back meanwhile whenever they end."""
        slots = asyncio.Semaphore(OPENING_AT_ONCE)
        tasks = [asyncio.create_task(self._keep_open(one, slots)) for one in self.members]
        try:
            await self.until_open(seconds)
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def until_open(self, seconds: float = 120) -> None:
        async with asyncio.timeout(seconds):
            while self.count_open < len(self.members):  # noqa: ASYNC110 - servers are awaited
                await asyncio.sleep(0.1)

    async def _keep_open(self, one: Listener | Page, slots: asyncio.Semaphore) -> None:
        while True:
            try:
                await self._listen(one, slots)
            except Exception as error:  # whatever it is, a browser comes back
                self.ends[type(error).__name__] += 1
            one.is_open = False
            await asyncio.sleep(random.uniform(*PAUSE))

    async def _listen(self, one: Listener | Page, slots: asyncio.Semaphore) -> None:
        async with slots:
            reader, writer = await self._open(one)
        self._connections[id(one)] = writer.transport
        try:
            async for frame in _frames(reader):
                one.take(frame)
                one.is_open = True
        finally:
            writer.transport.abort()

    async def _open(
        self, one: Listener | Page
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        one.url = random.choice(one.urls)
        address = urlsplit(one.url)
        async with asyncio.timeout(SECONDS_TO_CONNECT):
            opening = asyncio.open_connection(address.hostname, address.port)
            reader, writer = await opening
        self.connections += 1
        writer.write(one.request().format(host=address.netloc).encode())
        async with asyncio.timeout(SECONDS_OF_SILENCE):
            head = await reader.readuntil(b"\r\n\r\n")
        if (status := int(head.split(b" ", 2)[1])) != 200:
            self.refusals[status] += 1
            writer.transport.abort()
            raise ConnectionError(status)
        return reader, writer


async def _frames(reader: asyncio.StreamReader) -> AsyncIterator[Frame]:
    """Server-sent events out of a chunked body (RFC 9112, 7.1)."""
    rest = b""
    while True:
        async with asyncio.timeout(SECONDS_OF_SILENCE):
            size = int(await reader.readline(), 16)
            if not size:
                return
            rest += (await reader.readexactly(size + 2))[:-2]
        *whole, rest = rest.split(b"\n\n")
        for text in whole:
            yield _frame(text)


def _frame(text: bytes) -> Frame:
    event, id, data = "", None, list[bytes]()
    for name, value in _fields(text):
        if name == b"event":
            event = value.decode()
        elif name == b"id":
            id = int(value)
        elif name == b"data":
            data.append(value)
    return Frame(event, id, b"\n".join(data))


def _fields(text: bytes) -> Iterator[tuple[bytes, bytes]]:
    for line in text.splitlines():
        name, _colon, value = line.partition(b":")
        yield name, value.removeprefix(b" ")
