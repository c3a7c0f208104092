"""What of a stream's request stays alive while the stream is open: nothing."""

import asyncio
import gc
import weakref
from typing import Any

import pytest
from litestar import Litestar, Request, get
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from app.notifications.live.application import LET_IN_AT_ONCE, Application
from app.notifications.live.frames import frame
from app.notifications.live.hub import Hub
from app.notifications.live.stream import EventStream
from tests.notifications._connection import (
    A_SESSION,
    ALICE,
    OPENING,
    Connection,
    present_state,
    request_of,
)


class Weight:
    """Something a request brings along."""


class Bringing(ASGIMiddleware):
    def __init__(self) -> None:
        self.brought: list[weakref.ref[Weight]] = []

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        scope["state"]["weight"] = weight = Weight()
        self.brought.append(weakref.ref(weight))

        async def send_along(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"].append((b"x-brought", type(weight).__name__.encode()))
            await send(message)

        await next_app(scope, receive, send_along)

    @property
    def is_gone(self) -> bool:
        gc.collect()
        return all(one() is None for one in self.brought)


@pytest.fixture
def hub() -> Hub:
    return Hub()


@pytest.fixture
def middleware() -> Bringing:
    return Bringing()


def application(kind: type[Litestar], hub: Hub, middleware: Bringing) -> Litestar:
    @get("/stream")
    async def open_stream(request: Request[Any, Any, Any]) -> EventStream:
        request.scope["state"]["also"] = request
        return EventStream(hub, ALICE, A_SESSION, present_state)

    @get("/page")
    async def page() -> str:
        return "a page"

    return kind([open_stream, page], middleware=[middleware])


async def test_what_a_request_brought_is_gone_while_its_stream_is_open(
    hub: Hub, middleware: Bringing
) -> None:
    alice, scope = Connection(), request_of("/stream")

    alice.open(application(Application, hub, middleware), scope)
    await alice.until_received(OPENING)
    hub.send(ALICE, frame("news"))

    assert middleware.is_gone
    assert scope == {"type": "http", "method": "GET", "http_version": "1.1"}
    assert alice.headers[b"x-brought"] == b"Weight"
    assert alice.body == OPENING + frame("news")


async def test_litestar_alone_would_keep_it(hub: Hub, middleware: Bringing) -> None:
    alice = Connection()

    alice.open(application(Litestar, hub, middleware), request_of("/stream"))
    await alice.until_received(OPENING)

    assert not middleware.is_gone


async def test_who_leaves_is_counted_out(hub: Hub, middleware: Bringing) -> None:
    alice = Connection()
    alice.open(application(Application, hub, middleware), request_of("/stream"))
    await alice.until_received(OPENING)

    alice.disconnect()
    await alice.until_served()

    assert hub.count == 0


async def test_other_requests_are_answered_as_ever(middleware: Bringing) -> None:
    visitor = Connection()
    visitor.open(application(Application, Hub(), middleware), request_of("/page"))
    await visitor.until_served()

    assert (visitor.status, visitor.body) == (200, b"a page")


async def test_when_a_crowd_comes_back_a_few_at_a_time_are_let_in(hub: Hub) -> None:
    inside = most = 0

    @get("/notifications/stream")
    async def open_stream() -> EventStream:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await asyncio.sleep(0)
        inside -= 1
        return EventStream(hub, ALICE, A_SESSION, present_state)

    @get("/page")
    async def page() -> str:
        return f"while {hub.count} are in"

    app = Application([open_stream, page])
    crowd, visitor = [Connection() for _ in range(25)], Connection()
    for each in crowd:
        each.open(app, request_of("/notifications/stream"))
    visitor.open(app, request_of("/page"))
    await visitor.until_served()
    for each in crowd:
        await each.until_received(OPENING)

    assert most == LET_IN_AT_ONCE
    assert visitor.body in (b"while 0 are in", b"while 4 are in")
    assert hub.count == len(crowd)


async def test_a_full_hub_is_still_a_503(middleware: Bringing) -> None:
    late = Connection()
    late.open(application(Application, Hub(most_streams=0), middleware), request_of("/stream"))
    await late.until_served()

    assert late.status == 503
