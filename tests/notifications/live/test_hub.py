import asyncio
import os
import re
import signal

import pytest
from litestar import Litestar, get
from litestar.exceptions import ServiceUnavailableException

from app.notifications.live import hub as hubs
from app.notifications.live import stream as streams
from app.notifications.live.frames import frame
from app.notifications.live.hub import STREAMS_PER_USER, USERS_PER_TURN, Hub
from app.notifications.live.stream import (
    FRAMES_HELD,
    HTML,
    JSON,
    SESSION,
    TOKEN,
    EventStream,
    Format,
    Opening,
)
from app.process import background
from tests.notifications._connection import (
    A_SESSION,
    ALICE,
    BOB,
    CAROL,
    OPENING,
    Connection,
    opened,
    present_state,
    request_of,
)


@pytest.fixture
def hub() -> Hub:
    return Hub()


async def test_a_frame_reaches_every_tab_of_its_user_and_nobody_else(hub: Hub) -> None:
    alices = [await opened(hub, ALICE) for _ in range(3)]
    bobs = await opened(hub, BOB)

    hub.send(ALICE, frame("for alice"))
    hub.send(CAROL, frame("for carol, who is not connected"))

    assert [tab.body for tab in alices] == [frame("for alice")] * 3
    assert bobs.body == b""


async def test_html_and_json_streams_get_only_their_own_frames(hub: Hub) -> None:
    page = await opened(hub, ALICE, format=HTML)
    client = await opened(hub, ALICE, format=JSON)
    await opened(hub, BOB, format=JSON)

    hub.send(ALICE, frame("<p>"), HTML)
    await hub.broadcast([(ALICE, frame("{}"))], JSON)

    assert (page.body, client.body) == (frame("<p>"), frame("{}"))
    assert (set(hub.connected(HTML)), set(hub.connected(JSON))) == ({ALICE}, {ALICE, BOB})


async def test_a_broadcast_gives_each_user_their_own_frame(hub: Hub) -> None:
    alice, bob = await opened(hub, ALICE), await opened(hub, BOB)

    await hub.broadcast((user_id, frame(f"for {user_id}")) for user_id in hub.connected())

    assert (alice.body, bob.body) == (frame(f"for {ALICE}"), frame(f"for {BOB}"))


async def test_broadcasts_keep_their_order(hub: Hub) -> None:
    people = range(USERS_PER_TURN + 50)
    crowd = [await opened(hub, user_id) for user_id in people]

    await asyncio.gather(
        hub.broadcast((user_id, frame("first")) for user_id in people),
        hub.broadcast((user_id, frame("second")) for user_id in reversed(people)),
    )

    assert {connection.body for connection in crowd} == {frame("first") + frame("second")}


async def test_other_tasks_run_during_a_large_broadcast(hub: Hub) -> None:
    crowd = [await opened(hub, user_id) for user_id in range(3 * USERS_PER_TURN)]
    seen = []

    async def count_streams_reached() -> None:
        for _ in range(3):
            seen.append(sum(bool(connection.body) for connection in crowd))
            await asyncio.sleep(0)

    await asyncio.gather(
        hub.broadcast((user_id, frame("news")) for user_id in hub.connected()),
        count_streams_reached(),
    )

    assert seen == [USERS_PER_TURN, 2 * USERS_PER_TURN, 3 * USERS_PER_TURN]


async def test_a_stream_that_opens_during_a_broadcast_has_the_change_only_in_its_opening(
    hub: Hub,
) -> None:
    for user_id in range(USERS_PER_TURN):
        await opened(hub, user_id)
    last = USERS_PER_TURN
    people = [*range(USERS_PER_TURN), last]
    hub.position = 1

    broadcast = asyncio.create_task(
        hub.broadcast(((each, frame("news")) for each in people), position=1)
    )
    await asyncio.sleep(0)
    latecomer = await opened(hub, last)
    await broadcast

    assert latecomer.body == b""


async def test_a_stream_ended_during_a_send_does_not_make_another_miss_a_frame(hub: Hub) -> None:
    slow, fast = [await opened(hub, ALICE, format=JSON) for _ in range(2)]
    slow.pause()

    news = [frame(f"news {number}") for number in range(FRAMES_HELD + 2)]
    for each in news:
        hub.send(ALICE, each, JSON)

    assert hub.count == 1
    assert fast.body == b"".join(news)


async def test_one_broken_connection_does_not_stop_a_broadcast(
    hub: Hub, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Connection):
        async def send(self, message: object) -> None:
            if self.body:
                raise OSError("The cable is cut.")
            await super().send(message)

    broken = Broken()
    broken.open(EventStream(hub, ALICE, A_SESSION, present_state))
    await broken.until_received(OPENING)
    bob = await opened(hub, BOB)

    await hub.broadcast([(ALICE, frame("news")), (BOB, frame("news"))])

    assert bob.body == frame("news")
    assert set(hub.connected()) == {BOB}
    assert "The cable is cut." in caplog.text


async def test_a_position_is_needed_by_streams_opened_before_it(hub: Hub) -> None:
    hub.position = 7
    await opened(hub, ALICE)

    assert [hub.needs(HTML, position) for position in (6, 7, 8)] == [False, False, True]
    assert not hub.needs(JSON, 8)


async def test_a_stream_leaves_the_hub_when_its_client_disconnects(hub: Hub) -> None:
    alice, bob = await opened(hub, ALICE), await opened(hub, BOB)

    alice.disconnect()
    await alice.until_served()

    assert (hub.count, set(hub.connected())) == (1, {BOB})
    hub.send(ALICE, frame("nobody gets this"))
    assert bob.body == b""


@pytest.mark.parametrize("oldest", [HTML, JSON], ids=lambda format: format.name)
async def test_a_users_31st_stream_ends_the_oldest(hub: Hub, oldest: Format) -> None:
    tabs = [await opened(hub, ALICE, format=oldest)]
    await asyncio.sleep(0.01)  # the loop's clock has to move on
    tabs += [await opened(hub, ALICE) for _ in range(STREAMS_PER_USER - 1)]
    bob = await opened(hub, BOB)

    newest = await opened(hub, ALICE, format=JSON)

    assert tabs[0].body == b"event: bye\nretry: 60000\ndata: {}\n\n"
    assert tabs[0].is_complete
    assert not any(tab.body for tab in [*tabs[1:], bob, newest])
    assert hub.count == STREAMS_PER_USER + 1


async def test_a_full_hub_refuses_with_retry_after() -> None:
    hub = Hub(most_streams=1)
    await opened(hub, ALICE)
    bob = Connection()

    bob.open(EventStream(hub, BOB, A_SESSION, present_state))
    with pytest.raises(ServiceUnavailableException) as refused:
        await bob.until_served()

    assert refused.value.headers
    assert 5 <= int(refused.value.headers["Retry-After"]) <= 30
    assert (bob.status, hub.count) == (0, 1)


async def test_litestar_turns_that_into_a_503() -> None:
    @get("/")
    async def open_stream() -> EventStream:
        return EventStream(Hub(most_streams=0), ALICE, A_SESSION, present_state)

    connection = Connection()
    connection.open(Litestar([open_stream]), request_of("/"))
    await connection.until_served()

    assert connection.status == 503
    assert b"retry-after" in connection.headers


async def test_closing_a_session_ends_its_streams_only(hub: Hub) -> None:
    tabs = [await opened(hub, ALICE, (SESSION, "7")) for _ in range(2)]
    phone, program = (
        await opened(hub, ALICE, (SESSION, "8")),
        await opened(hub, ALICE, (TOKEN, "7")),
    )

    hub.close({(SESSION, "7")})

    assert [each.is_complete for each in (*tabs, phone, program)] == [True, True, False, False]
    assert tabs[0].body.startswith(b"event: bye\n")


async def test_the_keys_of_all_open_streams_are_known(hub: Hub) -> None:
    await opened(hub, ALICE, (SESSION, "7"))
    await opened(hub, ALICE, (SESSION, "7"), format=JSON)
    gone = await opened(hub, BOB, (SESSION, "8"))
    await opened(hub, BOB, (TOKEN, "7"), format=JSON)

    gone.disconnect()
    await gone.until_served()

    assert hub.keys() == {(SESSION, "7"), (TOKEN, "7")}


async def test_the_keys_of_new_streams_are_taken_once(hub: Hub) -> None:
    await opened(hub, ALICE, (SESSION, "7"))
    assert hub.take_new_keys() == {(SESSION, "7")}

    await opened(hub, BOB, (TOKEN, "8"), format=JSON)

    assert hub.take_new_keys() == {(TOKEN, "8")}
    assert hub.take_new_keys() == set()


async def test_a_stream_closed_during_its_opening_sends_nothing_private(hub: Hub) -> None:
    async def opening_after_logout(_user_id: int, _position: int) -> Opening:
        hub.close({A_SESSION})
        return Opening(frame("private"))

    connection = Connection()
    connection.open(EventStream(hub, ALICE, A_SESSION, opening_after_logout))
    await connection.until_served()

    assert re.fullmatch(rb"event: bye\nretry: \d{4}\ndata: {}\n\n", connection.body)
    assert connection.is_complete


async def test_streams_that_lack_a_change_are_ended_so_that_their_clients_resume(hub: Hub) -> None:
    before = [await opened(hub, ALICE), await opened(hub, BOB, format=JSON)]
    unconcerned = await opened(hub, CAROL, format=JSON)
    hub.position = 7
    after = await opened(hub, ALICE)

    hub.restart_streams(7, {ALICE, BOB})
    await asyncio.gather(*(connection.until_served() for connection in before))

    assert all(b"event: bye\n" in connection.body for connection in before)
    assert [(one.body, one.is_complete) for one in (after, unconcerned)] == [(b"", False)] * 2
    assert (set(hub.connected()), set(hub.connected(JSON))) == ({ALICE}, {CAROL})


async def test_draining_ends_every_stream_and_refuses_new_ones(hub: Hub) -> None:
    connections = [await opened(hub, ALICE), await opened(hub, BOB, format=JSON)]

    hub.drain()
    await asyncio.gather(*(connection.until_served() for connection in connections))

    for connection in connections:
        assert re.fullmatch(rb"event: bye\nretry: [1-8]\d{3}\ndata: {}\n\n", connection.body)
        assert connection.is_complete
    latecomer = Connection()
    latecomer.open(EventStream(hub, ALICE, A_SESSION, present_state))
    with pytest.raises(ServiceUnavailableException):
        await latecomer.until_served()


async def test_running_ticks_and_drains_at_the_end(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hubs, "TICK_SECONDS", 0.001)
    monkeypatch.setattr(streams, "KEEP_ALIVE_SECONDS", (0, 0))

    async with hub.running():
        connection = await opened(hub, ALICE)
        await connection.until_received(b"event: alive")

    assert b"event: bye" in connection.body
    assert connection.is_complete


async def test_streams_are_kept_alive_after_a_tick_that_failed(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hubs, "TICK_SECONDS", 0.001)
    monkeypatch.setattr(background, "RETRY_SECONDS", 0.001)
    monkeypatch.setattr(streams, "KEEP_ALIVE_SECONDS", (0, 0))
    tick, errors = Hub._tick_in_turns, [ValueError("a bug")]

    async def tick_at_last(hub: Hub) -> None:
        if errors:
            raise errors.pop()
        await tick(hub)

    monkeypatch.setattr(Hub, "_tick_in_turns", tick_at_last)
    async with hub.running():
        connection = await opened(hub, ALICE)
        await connection.until_received(b"event: alive")


async def test_a_signal_drains_the_hub_and_reaches_the_server(hub: Hub) -> None:
    heard: list[int] = []
    of_the_server = lambda number, _: heard.append(number)  # noqa: E731
    before = signal.signal(signal.SIGTERM, of_the_server)
    try:
        async with hub.running():
            connection = await opened(hub, ALICE)
            os.kill(os.getpid(), signal.SIGTERM)
            await connection.until_served()
        restored = signal.getsignal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)

    assert heard == [signal.SIGTERM]
    assert b"event: bye" in connection.body
    assert restored is of_the_server


async def test_a_signal_that_the_server_does_not_handle_is_left_alone(hub: Hub) -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        async with hub.running():
            handler = signal.getsignal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)

    assert handler is signal.SIG_DFL


async def test_a_hub_can_run_outside_the_main_thread(hub: Hub) -> None:
    async def run() -> bool:
        async with hub.running():
            return True

    assert await asyncio.to_thread(asyncio.run, run())
