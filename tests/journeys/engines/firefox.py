"""Firefox, driven by its own end of WebDriver BiDi (https://www.w3.org/TR/webdriver-bidi/)."""

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from tests.journeys.browsing import WATCH_POLICY
from tests.journeys.engines import processes
from tests.journeys.engines.page import Interrupted, Tab
from tests.journeys.engines.webdriver import KEYS, clicking, typing

SECONDS_TO_ANSWER = 60
SIZE = {"width": 1280, "height": 720}
# What htmx says of a stream that ends because its page does.
_LEFT = "Error in input stream"


def why_missing() -> str:
    return processes.why_missing("firefox-esr")


@asynccontextmanager
async def started(folder: Path) -> AsyncIterator["Firefox"]:
    """Firefox with an empty profile. It writes into the profile where it listens."""
    profile = folder / "profile"
    profile.mkdir()
    command = ("firefox-esr", "--headless", "--remote-debugging-port=0", "--profile", str(profile))
    async with processes.running(*command, log=folder / "firefox.log"):
        address = await _address(profile / "WebDriverBiDiServer.json")
        async with (
            aiohttp.ClientSession() as client,
            client.ws_connect(f"ws://{address}/session", max_msg_size=0) as socket,
        ):
            connection = Connection(socket)
            await connection.call("session.new", capabilities={})
            await connection.call("session.subscribe", events=["log.entryAdded"])
            yield Firefox(connection)
            await connection.close()


async def _address(told_in: Path) -> str:
    await processes.until(lambda: processes.read(told_in).endswith("}"))
    told = json.loads(processes.read(told_in))
    return f"{told['ws_host']}:{told['ws_port']}"


class Connection:
    """Commands by number over one WebSocket, and the events between their answers."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket, self._numbers = socket, count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.tabs: dict[str, FirefoxTab] = {}
        self._reading = asyncio.create_task(self._read())

    async def call(self, method: str, **params: Any) -> Any:
        """Raises Interrupted with what the browser answers if it refuses."""
        number = next(self._numbers)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": params})
        async with asyncio.timeout(SECONDS_TO_ANSWER):
            told = await answer
        if told["type"] == "error":
            raise Interrupted(f"{told['error']}: {told['message']}")
        return told["result"]

    async def close(self) -> None:
        await self._socket.close()
        await self._reading

    async def _read(self) -> None:
        async for message in self._socket:
            told = json.loads(message.data)
            if told["type"] == "event":
                self._hear(told["params"])
            else:
                self._waiting.pop(told["id"]).set_result(told)

    def _hear(self, told: dict[str, Any]) -> None:
        if tab := self.tabs.get(told["source"].get("context", "")):
            tab.hear(told)


@dataclass
class Firefox:
    _connection: Connection

    async def open(self) -> Tab:
        """A user context is a browser with its own cookies."""
        made = await self._connection.call("browser.createUserContext")
        person = made["userContext"]
        await self._connection.call(
            "script.addPreloadScript",
            functionDeclaration=f"() => {{ {WATCH_POLICY} }}",
            userContexts=[person],
        )
        return await FirefoxTab.of(self._connection, person, "window", [])


@dataclass
class FirefoxTab:
    _connection: Connection
    _person: str
    _context: str
    problems: list[str]

    @classmethod
    async def of(
        cls, connection: Connection, person: str, kind: str, problems: list[str]
    ) -> "FirefoxTab":
        made = await connection.call("browsingContext.create", type=kind, userContext=person)
        tab = connection.tabs[made["context"]] = cls(connection, person, made["context"], problems)
        await tab.resize(**SIZE)
        return tab

    def hear(self, told: dict[str, Any]) -> None:
        """An entry of the console."""
        if told["level"] == "error" and not re.search(_LEFT, told["text"] or ""):
            self.problems.append(str(told["text"]))

    async def go_to(self, url: str) -> None:
        await self._call("browsingContext.navigate", url=url, wait="complete")

    async def reload(self) -> None:
        await self._call("browsingContext.reload", wait="complete")

    async def evaluate(self, function: str, *arguments: Any) -> Any:
        given = json.dumps(arguments)
        answer = await self._connection.call(
            "script.callFunction",
            functionDeclaration=f"async () => JSON.stringify(await ({function})(...{given}))",
            awaitPromise=True,
            target={"context": self._context},
        )
        if answer["type"] == "exception":
            raise Interrupted(answer["exceptionDetails"]["text"])
        return json.loads(answer["result"].get("value", "null"))

    async def click(self, x: int, y: int) -> None:
        await self._call("input.performActions", actions=clicking(x, y))

    async def type(self, text: str) -> None:
        await self._call("input.performActions", actions=typing(text))

    async def press(self, key: str) -> None:
        await self.type(KEYS[key])

    async def attach(self, selector: str, paths: Sequence[Path]) -> None:
        element = {"sharedId": (await self._locate("css", selector))[0]["sharedId"]}
        await self._call("input.setFiles", element=element, files=[str(path) for path in paths])

    async def set_cookie(self, name: str, value: str, url: str) -> None:
        kept = {"type": "string", "value": value}
        cookie = {"name": name, "value": kept, "domain": urlsplit(url).hostname}
        await self._connection.call("storage.setCookie", cookie=cookie, partition=self._partition)

    async def exposes(self, role: str, name: str) -> bool:
        return bool(await self._locate("accessibility", {"role": role, "name": name}))

    async def resize(self, width: int, height: int) -> None:
        viewport = {"width": width, "height": height}
        await self._call("browsingContext.setViewport", viewport=viewport)

    async def screenshot(self) -> bytes:
        return base64.b64decode((await self._call("browsingContext.captureScreenshot"))["data"])

    async def open_another(self) -> Tab:
        return await FirefoxTab.of(self._connection, self._person, "tab", self.problems)

    async def close(self) -> None:
        await self._connection.call("browser.removeUserContext", userContext=self._person)

    @property
    def _partition(self) -> dict[str, str]:
        return {"type": "storageKey", "userContext": self._person}

    async def _locate(self, kind: str, value: Any) -> list[dict[str, Any]]:
        locator = {"type": kind, "value": value}
        found = await self._call("browsingContext.locateNodes", locator=locator)
        return list(found["nodes"])

    async def _call(self, method: str, **params: Any) -> Any:
        return await self._connection.call(method, context=self._context, **params)
