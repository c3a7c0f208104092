"""Chromium, Firefox and WebKit behind one page object: `page.py` is the contract, the rest drives."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from types import ModuleType
from typing import Protocol

import pytest

from tests.journeys.engines import chromium, firefox, webkit
from tests.journeys.engines.page import Tab

_MODULES: dict[str, ModuleType] = {"chromium": chromium, "firefox": firefox, "webkit": webkit}
KNOWN = tuple(_MODULES)


class Engine(Protocol):
    async def open(self) -> Tab:
        """A browser with its own cookies, at an empty page."""


class Engines:
    """The engines, each started when it is first asked for, and ended together."""

    def __init__(self, make_folder: Callable[[], Path]) -> None:
        self._make_folder, self._stack = make_folder, AsyncExitStack()
        self._started: dict[str, Engine] = {}

    async def start(self, name: str) -> Engine:
        """Skips the test if the engine is not installed."""
        if reason := _MODULES[name].why_missing():
            pytest.skip(reason)
        if name not in self._started:
            starting = _MODULES[name].started(self._make_folder())
            self._started[name] = await self._stack.enter_async_context(starting)
        return self._started[name]

    async def __aenter__(self) -> "Engines":
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._stack.aclose()
