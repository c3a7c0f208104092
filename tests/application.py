"""The application in this process, begun and ended by one task, as its lifespan demands."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import httpx
from litestar import Litestar

from app.asgi import create_app, furnish
from app.installation import install
from app.notifications.live.detached_streams import OPENING_AT_ONCE, StreamingLitestar
from app.settings import Settings

# Applications that have ended, by the settings they were made for, but for where their data lies.
_ended: defaultdict[Settings, list[StreamingLitestar]] = defaultdict(list)


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[StreamingLitestar]:
    """The application over these settings' database.

    One that has ended is furnished anew, since to register all routes takes longer than most tests.
    """
    ended = _ended[replace(settings, data_dir=Path(), database_url="")]
    application = _furnished_anew(ended.pop(), settings) if ended else create_app(install(settings))
    async with running(application):
        yield application
    ended.append(application)


def _furnished_anew(application: StreamingLitestar, settings: Settings) -> StreamingLitestar:
    furnish(application, install(settings))
    # The other may belong to the event loop of an earlier test.
    application._opening = asyncio.Semaphore(OPENING_AT_ONCE)
    return application


@asynccontextmanager
async def running(application: Litestar) -> AsyncIterator[Litestar]:
    began, over = asyncio.Event(), asyncio.Event()

    async def live() -> None:
        async with application.lifespan():
            began.set()
            await over.wait()

    task = asyncio.create_task(live())
    await asyncio.wait([task, asyncio.create_task(began.wait())], return_when="FIRST_COMPLETED")
    try:
        yield application
    finally:
        over.set()
        await task


def browser(application: Litestar, url: str = "http://testserver") -> httpx.AsyncClient:
    """A browser with cookies of its own, for whom a crash is a page."""
    transport = httpx.ASGITransport(cast(Any, application), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=url)
