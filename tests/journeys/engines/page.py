"""The page object of the journeys in three engines: what a user does and sees in a tab.

It finds elements by role and name with one script for all engines (questions.js). A driver only
moves the mouse, presses keys, evaluates that script and keeps the cookies: it implements `Tab`.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Protocol

QUESTIONS = Path(__file__).with_name("questions.js").read_text()
# Seconds: less than the 45 after which a page without a stream asks for the count, so that what is
# seen by then was sent by the stream.
DEADLINE = 30.0


class Interrupted(Exception):
    """The page could not answer, for example because another one was being loaded."""


class Tab(Protocol):
    """What a driver does. Points are in CSS pixels from the corner of the viewport."""

    problems: list[str]  # errors on the page's console, where the engine tells

    async def go_to(self, url: str) -> None:
        """Returns when the page is loaded."""

    async def reload(self) -> None:
        """As the user's key for it does."""

    async def evaluate(self, function: str, *arguments: Any) -> Any:
        """Calls a JavaScript function in the page, awaits it; arguments and result are JSON.

        Raises Interrupted.
        """

    async def click(self, x: int, y: int) -> None: ...

    async def type(self, text: str) -> None: ...

    async def press(self, key: str) -> None:
        """Presses a key of `KEYS`, such as "Escape"."""

    async def attach(self, selector: str, paths: Sequence[Path]) -> None:
        """Puts files into the file field."""

    async def set_cookie(self, name: str, value: str, url: str) -> None: ...

    async def exposes(self, role: str, name: str) -> bool:
        """Whether the engine's own accessibility tree contains such an element."""

    async def resize(self, width: int, height: int) -> None:
        """Sets the size of the viewport, as far as the engine can."""

    async def screenshot(self) -> bytes:
        """A PNG file of the viewport."""

    async def open_another(self) -> "Tab":
        """Another tab of the same browser, in front."""

    async def close(self) -> None:
        """Closes the browser with its cookies and every tab."""


@dataclass(frozen=True)
class Target:
    """One visible element, by role and accessible name; `is_part`: the name contains `name`."""

    role: str
    name: str
    within: str = "body"
    is_part: bool = False


def button(name: str, within: str = "body") -> Target:
    return Target("button", name, within)


def checkbox(name: str, within: str = "body") -> Target:
    return Target("checkbox", name, within)


def labelled(label: str, within: str = "body") -> Target:
    return Target("field", label, within)


def heading(name: str, within: str = "body") -> Target:
    return Target("heading", name, within)


def link(name: str, within: str = "body") -> Target:
    return Target("link", name, within)


def notice(sentence: str, within: str) -> Target:
    """The sentence, which leads to the notice. A hidden word before it says whether it is unread."""
    return Target("notice", sentence, within, is_part=True)


BELL = Target("button", "Notifications", "header", is_part=True)


def bell(unread: int) -> Target:
    count = "99+" if unread > 99 else str(unread)
    return button(f"Notifications, {count} unread" if unread else "Notifications", "header")


@dataclass(frozen=True)
class Box:
    """The upper and the lower edge of an element, in CSS pixels from the top of the viewport."""

    top: float
    bottom: float

    @property
    def height(self) -> float:
        return self.bottom - self.top


@dataclass
class Page:
    """A tab at the server `url`. Every method waits until it can be done; none is done blindly."""

    tab: Tab
    url: str
    announced: list[str] = field(default_factory=list)

    def expect(self, pattern: str) -> None:
        """Announces errors on the console that match this regular expression."""
        self.announced.append(pattern)

    @property
    def unexpected(self) -> list[str]:
        problems = self.tab.problems
        return [one for one in problems if not any(re.search(p, one) for p in self.announced)]

    async def open(self, path: str = "/") -> None:
        """Returns when the page's stream is open, if it has one."""
        await self.tab.go_to(self.url + path)
        await self.is_live()

    async def open_another(self, path: str) -> "Page":
        """Another tab of the same browser, which shares the stream of the first."""
        page = Page(await self.tab.open_another(), self.url)
        await page.tab.go_to(self.url + path)
        return page

    async def reload(self) -> None:
        await self.tab.reload()
        await self.is_live()

    # --- What a user does ---

    async def click(self, target: Target) -> None:
        x, y = await self._ask("point", asdict(target))
        await self.tab.click(x, y)

    async def fill(self, target: Target, text: str) -> None:
        await self.click(target)
        await self._ask("selectText", asdict(target))
        await self.tab.type(text)

    async def choose(self, target: Target, option: str) -> None:
        """Selects the option with this label."""
        await self._ask("choose", asdict(target), option)

    async def attach(self, target: Target, *paths: Path) -> None:
        await self.tab.attach(await self._ask("selectorOf", asdict(target)), paths)

    async def press(self, key: str) -> None:
        await self.tab.press(key)

    # --- What a user sees ---

    async def sees(self, target: Target) -> None:
        await self._ask("has", asdict(target))

    async def misses(self, target: Target) -> None:
        await self._ask("hasNo", asdict(target))

    async def shows(self, *places: tuple[str, str]) -> None:
        """Every text is shown in its place (a CSS selector) at the same time."""
        await self._ask("shows", places)

    async def is_checked(self, target: Target) -> bool:
        return bool(await self._ask("isChecked", asdict(target)))

    async def box(self, selector: str) -> Box:
        """Where the element is, once it no longer moves."""
        return Box(*await self._ask("box", selector))

    async def is_at(self, path: str) -> None:
        await self._ask("isAt", path)

    async def is_live(self) -> None:
        await self._ask("isLive")

    async def evaluate(self, function: str, *arguments: Any) -> Any:
        return await self.tab.evaluate(function, *arguments)

    async def _ask(self, question: str, *arguments: Any) -> Any:
        """Asks until the answer is found. Raises AssertionError with what was missing."""
        missing = ""
        try:
            async with asyncio.timeout(DEADLINE):
                while True:
                    answer = await self._answer(question, arguments)
                    if "found" in answer:
                        return answer["found"]
                    missing = answer["missing"]
                    await asyncio.sleep(0.05)
        except TimeoutError:
            picture = await self._picture()
            wanted = missing or question
            raise AssertionError(f"Missing for {DEADLINE:.0f} s: {wanted}; see {picture}") from None

    async def _picture(self) -> str:
        """The path of a screenshot."""
        with NamedTemporaryFile(suffix=".png", delete=False) as file:
            file.write(await self.tab.screenshot())
        return file.name

    async def _answer(self, question: str, arguments: Sequence[Any]) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = await self.tab.evaluate(_asking(question), *arguments)
        except Interrupted as error:
            return {"missing": str(error)}
        return answer


def _asking(question: str) -> str:
    return f"""async (...given) => {{
      {QUESTIONS}
      try {{
        return {{ found: await {question}(...given) }};
      }} catch (error) {{
        if (error.missing) return error;
        throw error;
      }}
    }}"""


@asynccontextmanager
async def without_reload(*pages: Page) -> AsyncIterator[None]:
    """Asserts that the pages are not loaded again within the block."""
    for page in pages:
        await page.evaluate("() => { window.isTheSame = true; }")
    yield
    for page in pages:
        assert await page.evaluate("() => window.isTheSame ?? false"), "the page was loaded again"
