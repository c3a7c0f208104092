"""WebKit, the engine of Safari, driven by WebDriver (https://www.w3.org/TR/webdriver2/).

WebKitGTK needs a screen, and its driver has one session: each user has a driver and a browser.
"""

import asyncio
import base64
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import httpx

from tests.journeys.engines import processes
from tests.journeys.engines.page import Interrupted, Tab
from tests.journeys.engines.webdriver import KEYS, clicking, typing
from tests.journeys.running import free_port

# The size of the window with its bar of buttons, so that the page has 1280 by 720.
WINDOW = {"width": 1280, "height": 758}


def why_missing() -> str:
    return processes.why_missing("WebKitWebDriver", "Xvfb")


@asynccontextmanager
async def started(folder: Path) -> AsyncIterator["WebKit"]:
    """A screen. It tells its number when it is ready, on its standard output."""
    log = folder / "screen.log"
    command = ("Xvfb", "-displayfd", "1", "-screen", "0", "1600x1200x24", "-nolisten", "tcp")
    async with processes.running(*command, log=log):
        await processes.until(lambda: bool(_number(log)))
        yield WebKit(folder, f":{_number(log)}")


def _number(log: Path) -> str:
    return next((line for line in processes.read(log).splitlines() if line.isdigit()), "")


@dataclass
class WebKit:
    _folder: Path
    _display: str
    _numbers: "count[int]" = field(default_factory=count)

    async def open(self) -> Tab:
        """A driver and a browser, which keeps nothing on disk."""
        async with AsyncExitStack() as stack:
            port, log = free_port(), self._folder / f"driver-{next(self._numbers)}.log"
            command = ("WebKitWebDriver", f"--port={port}")
            environ = {"DISPLAY": self._display}
            await stack.enter_async_context(processes.running(*command, log=log, environ=environ))
            client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60)
            session = Session(await stack.enter_async_context(client), stack)
            await session.start()
            session.stack = stack.pop_all()
        return await WebKitTab.of(session, await session.call("GET", "/window"))


@dataclass
class Session:
    """Commands to one browser, one after the other, each to the tab that it is meant for."""

    client: httpx.AsyncClient
    stack: AsyncExitStack
    _path: str = ""
    _front: str = ""
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def start(self) -> None:
        await processes.until(lambda: _listens(self.client.base_url.port))
        made = await self.call("POST", "/session", capabilities={})
        self._path = f"/session/{made['sessionId']}"
        self._front = await self.call("GET", "/window")

    async def call(self, method: str, path: str, **body: Any) -> Any:
        """Raises Interrupted with what the driver answers if it refuses."""
        given = body if method == "POST" else None
        answer = (await self.client.request(method, self._path + path, json=given)).json()["value"]
        if isinstance(answer, dict) and "error" in answer:
            raise Interrupted(f"{answer['error']}: {answer['message']}")
        return answer

    async def call_in(self, tab: str, method: str, path: str, **body: Any) -> Any:
        async with self._lock:
            if tab != self._front:
                await self.call("POST", "/window", handle=tab)
                self._front = tab
            return await self.call(method, path, **body)

    async def close(self) -> None:
        async with self.stack:
            await self.call("DELETE", "")


def _listens(port: int | None) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


@dataclass
class WebKitTab:
    _session: Session
    _handle: str
    problems: list[str] = field(default_factory=list)  # this driver does not tell any

    @classmethod
    async def of(cls, session: Session, handle: str) -> "WebKitTab":
        tab = cls(session, handle)
        await tab._call("POST", "/window/rect", **WINDOW)
        return tab

    async def go_to(self, url: str) -> None:
        await self._call("POST", "/url", url=url)

    async def reload(self) -> None:
        await self._call("POST", "/refresh")

    async def evaluate(self, function: str, *arguments: Any) -> Any:
        script = f"return ({function})(...arguments)"
        return await self._call("POST", "/execute/sync", script=script, args=arguments)

    async def click(self, x: int, y: int) -> None:
        await self._call("POST", "/actions", actions=clicking(x, y))

    async def type(self, text: str) -> None:
        await self._call("POST", "/actions", actions=typing(text))

    async def press(self, key: str) -> None:
        await self.type(KEYS[key])

    async def attach(self, selector: str, paths: Sequence[Path]) -> None:
        (element,) = await self._find(selector)
        await self._call("POST", f"/element/{element}/value", text="\n".join(map(str, paths)))

    async def set_cookie(self, name: str, value: str, url: str) -> None:
        """A page of the server has to be open for that: any."""
        await self.go_to(url + "/login")
        await self._call("POST", "/cookie", cookie={"name": name, "value": value})

    async def exposes(self, role: str, name: str) -> bool:
        """Asks for the role and label of each element that may have that role."""
        for element in await self._find("body *"):
            label = await self._call("GET", f"/element/{element}/computedlabel")
            if (
                label == name
                and await self._call("GET", f"/element/{element}/computedrole") == role
            ):
                return True
        return False

    async def resize(self, width: int, height: int) -> None:
        """The viewport, without the window's bar; a window is at least 447 wide."""
        bar = await self.evaluate("() => outerHeight - innerHeight")
        await self._call("POST", "/window/rect", width=width, height=height + bar)

    async def screenshot(self) -> bytes:
        return base64.b64decode(await self._call("GET", "/screenshot"))

    async def open_another(self) -> Tab:
        made = await self._call("POST", "/window/new", type="tab")
        return WebKitTab(self._session, made["handle"])

    async def close(self) -> None:
        await self._session.close()

    async def _find(self, selector: str) -> list[str]:
        found = await self._call("POST", "/elements", using="css selector", value=selector)
        return [reference for one in found for reference in one.values()]

    async def _call(self, method: str, path: str, **body: Any) -> Any:
        return await self._session.call_in(self._handle, method, path, **body)
