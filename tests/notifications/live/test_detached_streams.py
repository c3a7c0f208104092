"""Nothing of a stream's request stays in memory while the stream is open."""

import asyncio
import gc
import weakref
from collections import Counter
from typing import Any

import pytest
from litestar import Litestar, Request, get
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from app.notifications.live.detached_streams import OPENING_AT_ONCE, STREAM_PATHS, StreamingLitestar
from app.notifications.live.frames import frame
from app.notifications.live.hub import Hub
from app.notifications.live.stream import EventStream
from app.process.cancellation import end
from tests.notifications._connection import (
    A_SESSION,
    ALICE,
    OPENING,
    Connection,
    present_state,
    request_of,
)


class Baggage:
    """Something that a middleware adds to a request."""


class Adding(ASGIMiddleware):
    def __init__(self) -> None:
        self.added: list[weakref.ref[Baggage]] = []

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        scope["state"]["baggage"] = baggage = Baggage()
        self.added.append(weakref.ref(baggage))

        async def send_along(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"].append((b"x-added", type(baggage).__name__.encode()))
            await send(message)

        await next_app(scope, receive, send_along)

    @property
    def is_gone(self) -> bool:
        gc.collect()
        return all(one() is None for one in self.added)


@pytest.fixture
def hub() -> Hub:
    return Hub()


@pytest.fixture
def middleware() -> Adding:
    return Adding()


def application(
    kind: type[Litestar], hub: Hub, middleware: Adding, path: str = "/stream"
) -> Litestar:
    @get(path)
    async def open_stream(request: Request[Any, Any, Any]) -> EventStream:
        request.scope["state"]["also"] = request
        return EventStream(hub, ALICE, A_SESSION, present_state)

    @get("/page")
    async def page() -> str:
        return "a page"

    return kind([open_stream, page], middleware=[middleware])


async def test_what_was_added_to_a_request_is_freed_while_its_stream_is_open(
    hub: Hub, middleware: Adding
) -> None:
    alice, scope = Connection(), request_of("/stream")

    alice.open(application(StreamingLitestar, hub, middleware), scope)
    await alice.until_received(OPENING)
    hub.send(ALICE, frame("news"))

    assert middleware.is_gone
    assert scope == {"type": "http", "method": "GET", "http_version": "1.1"}
    assert alice.headers[b"x-added"] == b"Baggage"
    assert alice.body == OPENING + frame("news")


async def test_litestar_alone_would_keep_it_in_memory(hub: Hub, middleware: Adding) -> None:
    alice = Connection()

    alice.open(application(Litestar, hub, middleware), request_of("/stream"))
    await alice.until_received(OPENING)

    assert not middleware.is_gone


async def test_a_client_that_disconnects_leaves_the_hub(hub: Hub, middleware: Adding) -> None:
    alice = Connection()
    alice.open(application(StreamingLitestar, hub, middleware), request_of("/stream"))
    await alice.until_received(OPENING)

    alice.disconnect()
    await alice.until_served()

    assert hub.count == 0


async def test_other_requests_are_answered_as_usual(middleware: Adding) -> None:
    visitor = Connection()
    visitor.open(application(StreamingLitestar, Hub(), middleware), request_of("/page"))
    await visitor.until_served()

    assert (visitor.status, visitor.body) == (200, b"a page")


async def test_when_a_crowd_reconnects_a_few_streams_open_at_a_time(hub: Hub) -> None:
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

    app = StreamingLitestar([open_stream, page])
    crowd, visitor = [Connection() for _ in range(25)], Connection()
    for each in crowd:
        each.open(app, request_of("/notifications/stream"))
    visitor.open(app, request_of("/page"))
    await visitor.until_served()
    for each in crowd:
        await each.until_received(OPENING)

    assert most == OPENING_AT_ONCE
    assert visitor.body in (b"while 0 are in", b"while 4 are in")
    assert hub.count == len(crowd)


async def test_a_few_streams_open_in_one_turn_of_the_loop_even_if_none_has_to_wait(
    hub: Hub,
) -> None:
    turn, opened = 0, Counter[int]()

    @get("/notifications/stream")
    async def open_stream() -> EventStream:
        opened[turn] += 1
        return EventStream(hub, ALICE, A_SESSION, present_state)

    async def count_turns() -> None:
        nonlocal turn
        while True:
            turn += 1
            await asyncio.sleep(0)

    app = StreamingLitestar([open_stream])
    crowd = [Connection() for _ in range(25)]
    counting = asyncio.create_task(count_turns())
    for each in crowd:
        each.open(app, request_of("/notifications/stream"))
    for each in crowd:
        await each.until_received(OPENING)
    await end(counting)

    assert opened.total() == len(crowd)
    assert max(opened.values()) <= OPENING_AT_ONCE


async def test_clients_that_never_read_keep_nobody_out(hub: Hub) -> None:
    app = application(StreamingLitestar, hub, Adding(), "/notifications/stream")
    stuck, alice = [Connection() for _ in range(OPENING_AT_ONCE)], Connection()
    for each in stuck:
        each.pause()
        each.open(app, request_of("/notifications/stream"))

    alice.open(app, request_of("/notifications/stream"))
    await alice.until_received(OPENING)

    assert alice.status == 200
    for each in stuck:
        each.resume()
        await each.until_received(OPENING)


async def test_nor_do_clients_that_never_send_the_body_they_announce(hub: Hub) -> None:
    @get("/notifications/stream")
    async def open_stream(request: Request[Any, Any, Any]) -> EventStream:
        await request.body()
        return EventStream(hub, ALICE, A_SESSION, present_state)

    app = StreamingLitestar([open_stream])
    stuck, alice = [Connection() for _ in range(OPENING_AT_ONCE)], Connection()
    for each in [*stuck, alice]:
        each.open(app, request_of("/notifications/stream"))

    await alice.until_received(OPENING)

    assert hub.count == len(stuck) + 1


async def test_a_full_hub_is_still_a_503(middleware: Adding) -> None:
    late = Connection()
    late.open(
        application(StreamingLitestar, Hub(most_streams=0), middleware), request_of("/stream")
    )
    await late.until_served()

    assert late.status == 503


async def test_the_paths_of_the_streams_are_routes(app: Litestar) -> None:
    assert {route.path for route in app.routes} >= set(STREAM_PATHS)
