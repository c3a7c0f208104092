"""The application in this process, begun and ended by one task, as its lifespan demands."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import httpx
from litestar import Litestar


@asynccontextmanager
async def running(application: Litestar) -> AsyncIterator[Litestar]:
    began, over = asyncio.Event(), asyncio.Event()

    async def live() -> None:
        async with application.lifespan():
            began.set()
            await over.wait()

    task = asyncio.create_task(live())
    await asyncio.wait([task, asyncio.create_task(began.wait())], return_when="FIRST_COMPLETED")
    yield application
    over.set()
    await task


def browser(application: Litestar, url: str = "http://testserver") -> httpx.AsyncClient:
    """A browser with cookies of its own, for whom a crash is a page."""
    transport = httpx.ASGITransport(cast(Any, application), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=url)
