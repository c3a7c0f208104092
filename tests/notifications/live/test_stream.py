import asyncio
import gc
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from litestar import Litestar, get
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.exceptions import NotAuthorizedException
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath

from app.notifications.live.frames import frame
from app.notifications.live.hub import Hub
from app.notifications.live.stream import FRAMES_HELD, HTML, JSON, EventStream, Format, Opening
from tests.notifications._connection import (
    A_SESSION,
    ALICE,
    BOB,
    OPENING,
    Connection,
    opened,
    present_state,
    request_of,
)


@pytest.fixture
def hub() -> Hub:
    return Hub()


async def test_the_head_tells_proxies_not_to_buffer_the_stream(hub: Hub) -> None:
    connection = await opened(hub, ALICE)

    assert connection.status == 200
    assert connection.headers == {
        b"content-type": b"text/event-stream; charset=utf-8",
        b"cache-control": b"no-cache, no-transform",
        b"x-accel-buffering": b"no",
    }


async def test_frames_published_during_the_opening_follow_it(hub: Hub) -> None:
    async def opening_while_news_arrives(_user_id: int, _position: int) -> Opening:
        hub.send(ALICE, frame("first news"))
        hub.send(ALICE, frame("second news"))
        return Opening(OPENING)

    connection = Connection()
    connection.open(EventStream(hub, ALICE, A_SESSION, opening_while_news_arrives))
    await connection.until_received(b"second news")

    assert connection.body == OPENING + frame("first news") + frame("second news")


async def test_a_live_stream_writes_a_frame_at_once(hub: Hub) -> None:
    connection = await opened(hub, ALICE)

    hub.send(ALICE, frame("news"))

    assert connection.body == frame("news")


async def test_changes_that_the_opening_covers_are_left_out(hub: Hub) -> None:
    hub.position = 7
    connection = await opened(hub, ALICE)

    for position in (6, 7, 8):
        hub.send(ALICE, frame(f"change {position}"), position=position)

    assert connection.body == frame("change 8")


async def test_changes_that_the_page_has_already_are_left_out_by_a_process_that_lags_behind(
    hub: Hub,
) -> None:
    hub.position = 7
    connection = Connection()
    connection.open(EventStream(hub, ALICE, A_SESSION, present_state, since=9))
    await connection.until_received(OPENING)

    for position in (8, 9, 10):
        hub.send(ALICE, frame(f"change {position}"), position=position)

    assert connection.body == OPENING + frame("change 10")


async def test_an_opening_in_parts_is_read_to_its_end(hub: Hub) -> None:
    parts = iter(
        [Opening(b"one, ", is_part=True), Opening(b"two, ", is_part=True), Opening(OPENING)]
    )

    async def open_in_parts(_user_id: int, position: int) -> Opening:
        hub.position = position + 10
        hub.send(ALICE, frame("covered by the next part"), JSON, position + 10)
        return next(parts)

    connection = Connection()
    connection.open(EventStream(hub, ALICE, A_SESSION, open_in_parts, JSON))
    await connection.until_received(b"next part")

    assert connection.body == b"one, two, " + OPENING + frame("covered by the next part")


async def test_a_stream_overtaken_while_it_opens_reads_another_opening(hub: Hub) -> None:
    read_at: list[int] = []

    async def open_in_a_crowd(_user_id: int, position: int) -> Opening:
        read_at.append(position)
        if position == 0:
            hub.position = 10 * FRAMES_HELD
            for number in range(1, hub.position + 1):
                hub.send(ALICE, frame(f"news {number}"), JSON, number)
        return Opening(OPENING)

    connection = Connection()
    connection.open(EventStream(hub, ALICE, A_SESSION, open_in_a_crowd, JSON))
    await connection.until_received(OPENING + OPENING)

    assert read_at == [0, 10 * FRAMES_HELD]
    assert connection.body == OPENING + OPENING


async def test_a_paused_reader_gets_every_frame_in_order_after_reading_on(hub: Hub) -> None:
    connection = await opened(hub, ALICE)
    connection.pause()
    news = [frame(f"news {number}") for number in range(FRAMES_HELD)]

    for each in news:
        hub.send(ALICE, each)
    held = connection.body
    connection.resume()
    await connection.until_received(news[-1])
    hub.send(ALICE, frame("live again"))

    assert held == b""
    assert connection.body == b"".join(news) + frame("live again")


async def test_a_page_far_behind_gets_the_present_state_instead_of_the_past(hub: Hub) -> None:
    connection = await opened(hub, ALICE)
    connection.pause()

    for number in range(10 * FRAMES_HELD):
        hub.send(ALICE, frame(f"news {number}"))
    connection.resume()
    await connection.until_received(OPENING)
    hub.send(ALICE, frame("live again"))

    assert connection.body == frame("news 0") + OPENING + frame("live again")


async def test_a_stream_that_resumes_by_id_ends_when_its_reader_is_far_behind(
    hub: Hub,
) -> None:
    connection = await opened(hub, ALICE, format=JSON)
    connection.pause()

    for number in range(10 * FRAMES_HELD):
        hub.send(ALICE, frame(f"news {number}"), JSON)
    connection.resume()
    await connection.until_served()

    assert re.fullmatch(rb"data: news 0\n\nevent: bye\nretry: \d{4}\ndata: {}\n\n", connection.body)
    assert connection.is_complete
    assert hub.count == 0


async def test_a_client_overtaken_right_after_its_opening_gets_nothing_twice(hub: Hub) -> None:
    connection = Connection()

    async def open_while_something_happens(_user_id: int, position: int) -> Opening:
        hub.position = position + 1
        hub.send(ALICE, frame(f"change {hub.position}"), JSON, hub.position)
        connection.pause()
        return Opening(OPENING)

    connection.open(EventStream(hub, ALICE, A_SESSION, open_while_something_happens, JSON))
    await connection.until(lambda: hub.position == 1)
    connection.resume()
    connection.pause()
    await connection.until_received(OPENING)
    for number in range(2, FRAMES_HELD + 3):
        hub.send(ALICE, frame(f"change {number}"), JSON, number)
    connection.resume()
    await connection.until_served()

    expected = OPENING + rb"data: change 1\n\nevent: bye\nretry: \d{4}\ndata: {}\n\n"
    assert re.fullmatch(expected, connection.body)


async def test_a_page_far_behind_gets_no_state_after_logging_out(hub: Hub) -> None:
    connection = await opened(hub, ALICE)
    connection.pause()
    for number in range(10 * FRAMES_HELD):
        hub.send(ALICE, frame(f"news {number}"))

    hub.close({A_SESSION})
    connection.resume()
    await connection.until_served()

    assert re.fullmatch(rb"data: news 0\n\nevent: bye\nretry: \d{4}\ndata: {}\n\n", connection.body)


async def test_a_stream_whose_paused_reader_leaves_is_freed(hub: Hub) -> None:
    connection = await opened(hub, ALICE)
    connection.pause()
    for number in range(3):
        hub.send(ALICE, frame(f"news {number}"))

    connection.disconnect()
    await connection.until_served()
    await asyncio.sleep(0)
    gc.collect()

    assert hub.count == 0
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert not [each for each in gc.get_objects() if isinstance(each, EventStream)]


async def test_a_second_opening_that_fails_ends_the_stream(
    hub: Hub, caplog: pytest.LogCaptureFixture
) -> None:
    openings = iter([OPENING])

    async def open_once(_user_id: int, _position: int) -> Opening:
        return Opening(next(openings))

    connection = await opened(hub, ALICE, opening=open_once)
    connection.pause()
    for number in range(2 * FRAMES_HELD):
        hub.send(ALICE, frame(f"news {number}"))
    connection.resume()
    await connection.until_served()

    assert b"event: bye" in connection.body
    assert connection.is_complete
    assert "StopIteration" in caplog.text


@pytest.mark.parametrize(
    ("format", "keep_alive"), [(HTML, b"event: alive\ndata: {}\n\n"), (JSON, b":\n\n")]
)
async def test_a_keep_alive_comes_within_25_seconds(
    hub: Hub, format: Format, keep_alive: bytes
) -> None:
    connection = await opened(hub, ALICE, format=format)
    now = asyncio.get_running_loop().time()

    for second in range(25):
        hub.tick(now + second)

    assert connection.body == keep_alive


async def test_keep_alives_of_many_streams_are_spread(hub: Hub) -> None:
    connections = [await opened(hub, user_id) for user_id in range(50)]
    now = asyncio.get_running_loop().time()

    hub.tick(now + 17.5)

    assert 0 < sum(bool(connection.body) for connection in connections) < 50


async def test_a_stream_lives_15_to_60_minutes(hub: Hub) -> None:
    connections = [await opened(hub, user_id) for user_id in range(50)]
    now = asyncio.get_running_loop().time()

    hub.tick(now + 15 * 60 - 1)
    after_15_minutes = hub.count
    hub.tick(now + 37 * 60)
    after_37_minutes = hub.count
    hub.tick(now + 60 * 60 + 1)

    assert (after_15_minutes, hub.count) == (50, 0)
    assert 0 < after_37_minutes < 50
    assert all(b"event: bye\nretry: " in connection.body for connection in connections)


async def test_an_ended_stream_takes_no_further_frame(hub: Hub) -> None:
    goodbye = frame("{}", event="bye")
    stream = EventStream(hub, ALICE, A_SESSION, present_state)
    connection = Connection()
    connection.open(stream)
    await connection.until_received(OPENING)

    stream.end(goodbye)
    stream.send(frame("too late"))
    stream.end(goodbye)

    assert connection.body == OPENING + goodbye


async def test_guards_apply_to_a_stream_and_dependencies_end_before_it_opens(hub: Hub) -> None:
    happened = []

    def only_alice(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        if connection.path_params["user_id"] != ALICE:
            raise NotAuthorizedException

    async def session() -> AsyncIterator[str]:
        happened.append("session opened")
        yield "session"
        happened.append("session closed")

    async def opening(user_id: int, _position: int) -> Opening:
        happened.append(f"opening for {user_id}")
        return Opening(OPENING)

    @get("/{user_id:int}", guards=[only_alice], dependencies={"session": session})
    async def open_stream(user_id: FromPath[int], session: NamedDependency[str]) -> EventStream:
        return EventStream(hub, user_id, A_SESSION, opening)

    app = Litestar([open_stream])
    alice, bob = Connection(), Connection()
    alice.open(app, request_of(f"/{ALICE}"))
    await alice.until_received(OPENING)
    bob.open(app, request_of(f"/{BOB}"))
    await bob.until_served()

    assert happened == ["session opened", "session closed", f"opening for {ALICE}"]
    assert (alice.status, bob.status, hub.count) == (200, 401, 1)


async def test_headers_added_by_middleware_do_not_leak_into_other_streams(hub: Hub) -> None:
    class Adding(Connection):
        async def send(self, message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"].append((b"set-cookie", b"session=secret"))
            await super().send(message)

    first = Adding()
    first.open(EventStream(hub, ALICE, A_SESSION, present_state))
    await first.until_received(OPENING)
    second = await opened(hub, BOB)

    assert b"set-cookie" in first.headers
    assert b"set-cookie" not in second.headers
