"""The bytes of the inbox and the moment of its first paint over a slow line, cold and warm.

python -m tests.benchmarks.first_paint [--kbit 400] [--latency 100] [--rounds 5]
"""

from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from playwright.async_api import Browser, async_playwright

from app.accounts.sessions import start_session
from app.models import User
from tests.benchmarks._table import Line, Unmeasurable, alone
from tests.factories import make_account
from tests.journeys.browsing import ARGUMENTS, find_chromium, leave, visit
from tests.journeys.running import Site, serving
from tests.journeys.test_weight import fill_the_inbox_of
from tests.journeys.wire import Wire, first_paint


async def measure(kbit: int = 400, latency: int = 100, rounds: int = 5) -> list[Line]:
    """`latency` is in milliseconds, for a round trip."""
    if not find_chromium():
        raise Unmeasurable("there is no Chromium here")
    lines = list[Line]()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        with TemporaryDirectory() as folder:
            async with serving(Path(folder)) as site:
                alice, bob = (
                    await make_account(site.db, "alice"),
                    await make_account(site.db, "bob"),
                )
                await fill_the_inbox_of(site, bob, alice)
                for name, times in (("cold", 1), ("warm", 2)):
                    seen = [
                        await _open(browser, site, bob, kbit, latency, times) for _ in range(rounds)
                    ]
                    paints, sizes = [median(column) for column in zip(*seen, strict=True)]
                    lines += _lines(name, paints, sizes, kbit)
        await browser.close()
    return lines


def _lines(name: str, paint: float, size: float, kbit: int) -> list[Line]:
    """The limit of the first paint is the time that the line takes for the bytes alone."""
    seconds = size * 8 / kbit / 1000
    return [
        Line(f"inbox, {name}: bytes at {kbit} kbit/s", size / 1000, "KB"),
        Line(f"inbox, {name}: first paint", paint, "s", "its bytes on that line", seconds),
    ]


async def _open(
    browser: Browser, site: Site, user: User, kbit: int, latency: int, times: int
) -> tuple[float, float]:
    visitor = await visit(browser, site.url)
    async with site.db.write() as session:
        await visitor.take_session(await start_session(session, user, "a slow browser"))
    wire = Wire(visitor.page)
    devtools = await wire.begin()
    rate = kbit * 1000 / 8
    line = {"offline": False, "downloadThroughput": rate, "uploadThroughput": rate}
    await devtools.send("Network.emulateNetworkConditions", {**line, "latency": latency})
    before = 0
    for _ in range(times):
        before = wire.total
        await visitor.open("/notifications")
        await wire.until_quiet()
    paint = await first_paint(visitor.page)
    await leave(visitor.context)
    return paint, wire.total - before


if __name__ == "__main__":
    alone(measure)
