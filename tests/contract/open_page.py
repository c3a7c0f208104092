"""A page left open: what its stream brings, put into place as the browser's script does."""

import re
from typing import Any

from litestar import Litestar

from tests.contract.markup import Shown, notices, words
from tests.notifications._connection import Connection

PIECE = re.compile(r'<hx-partial hx-target="(#[\w-]+)" hx-swap="(\w+)">(.*?)</hx-partial>', re.S)
BELL = re.compile(r'data-unread="(\d+)" data-position="(\d+)"')
TOAST = re.compile(r'class="notice-text"[^>]*>(.*?)</a>', re.S)


class OpenPage:
    """`panel` holds the notices of the bell by id, `toasts` the texts that popped up."""

    def __init__(self) -> None:
        self.panel: dict[int, Shown] = {}
        self.unread = self.position = 0
        self.toasts: list[str] = []
        self.raw = ""
        self._connection = Connection()

    async def open(self, app: Litestar, cookies: str) -> None:
        headers = [(b"host", b"testserver"), (b"cookie", cookies.encode())]
        self._connection.open(app, _scope("/notifications/stream", headers))
        await self._connection.until(lambda: self._read() and self.is_open)

    @property
    def is_open(self) -> bool:
        return "bell" in self.raw

    @property
    def is_closed(self) -> bool:
        return self._connection.is_complete

    async def until_closed(self) -> None:
        await self._connection.until(lambda: self.is_closed)

    async def until_position(self, position: int) -> None:
        await self._connection.until(lambda: self._read() and self.position >= position)

    def catch_up(self) -> None:
        """Swap the received fragments into the page."""
        self._read()

    async def close(self) -> None:
        self._connection.disconnect()
        await self._connection.until_served()

    def _read(self) -> bool:
        messages, _end, rest = self._connection.body.rpartition(b"\n\n")
        self._connection.body = rest
        for message in messages.decode().split("\n\n"):
            lines = message.split("\n")
            data = "\n".join(line[6:] for line in lines if line.startswith("data: "))
            self.raw += data
            for target, swap, content in PIECE.findall(data):
                self._put(target, swap, content)
        return True

    def _put(self, target: str, swap: str, content: str) -> None:
        match target, swap:
            case "#bell", _:
                self.unread, self.position = map(int, BELL.search(content).groups())  # type: ignore[union-attr]
            case "#panel-list", "outerMorph":
                self.panel = {one.id: one for one in notices(content)}
            case "#panel-list", "afterbegin":
                self.panel = {one.id: one for one in notices(content)} | self.panel
            case "#toasts", _:
                self.toasts += [words(text) for text in TOAST.findall(content)]


def _scope(path: str, headers: list[tuple[bytes, bytes]]) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("testserver", 80),
        "state": {},
    }
