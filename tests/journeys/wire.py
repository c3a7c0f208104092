"""What a page costs: the bytes that the browser receives for it, heads included."""

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import CDPSession, Page

QUIET_SECONDS = 1.5
# Returned by the browser once it has painted something.
_FIRST_PAINT = """() => new Promise((resolve) => new PerformanceObserver((list) => {
  for (const { name, startTime } of list.getEntries())
    if (name === "first-contentful-paint") resolve(startTime);
}).observe({ type: "paint", buffered: true }))"""


@dataclass
class Wire:
    """The bytes received by `page` since `begin`, by URL."""

    page: Page
    bytes_of: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _urls: dict[str, str] = field(default_factory=dict)
    _awaited: set[str] = field(default_factory=set)
    _counted: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _session: CDPSession | None = None

    async def begin(self) -> CDPSession:
        self._session = session = await self.page.context.new_cdp_session(self.page)
        await session.send("Network.enable")
        session.on("Network.requestWillBeSent", self._note)
        session.on("Network.requestServedFromCache", self._forget)
        session.on("Network.responseReceived", self._add_head)
        session.on("Network.dataReceived", self._add_data)
        session.on("Network.loadingFinished", self._finish)
        session.on("Network.loadingFailed", self._end)
        return session

    @property
    def total(self) -> int:
        return sum(self.bytes_of.values())

    async def until_quiet(self) -> None:
        """Waits until nothing has arrived for a while; a stream stays open."""
        before = -1
        while before != self.total or self._awaited:
            before = self.total
            await asyncio.sleep(QUIET_SECONDS)

    def report(self) -> str:
        lines = sorted(self.bytes_of.items(), key=lambda pair: -pair[1])
        return "\n".join(f"{size:8,} {url}" for url, size in lines if size)

    def _note(self, event: dict[str, Any]) -> None:
        self._urls[event["requestId"]] = url = event["request"]["url"]
        if "/notifications/stream" not in url:
            self._awaited.add(event["requestId"])

    def _add_head(self, event: dict[str, Any]) -> None:
        self._add(event["requestId"], int(event["response"]["encodedDataLength"]))

    def _add_data(self, event: dict[str, Any]) -> None:
        self._add(event["requestId"], int(event["encodedDataLength"]))

    def _finish(self, event: dict[str, Any]) -> None:
        """The sum, where it is more than the parts; Chromium leaves out the one or the other."""
        self._end(event)
        id = event["requestId"]
        self._add(id, max(0, int(event["encodedDataLength"]) - self._counted[id]))

    def _end(self, event: dict[str, Any]) -> None:
        self._awaited.discard(event["requestId"])

    def _forget(self, event: dict[str, Any]) -> None:
        """The browser had it."""
        self._urls.pop(event["requestId"], None)

    def _add(self, id: str, size: int) -> None:
        if id in self._urls:
            self._counted[id] += size
            self.bytes_of[self._urls[id]] += size


async def first_paint(page: Page) -> float:
    """Seconds from the beginning of the navigation."""
    return float(await page.evaluate(_FIRST_PAINT)) / 1000
