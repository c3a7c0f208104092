import asyncio
import shutil
import socket
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from app.broker.relay import CHANGES, LocalRelay, ProcessRelay, Relay
from app.broker.runtime_directory import runtime_directory
from tests.broker.conftest import StartProcess, said

# A deadline for what should happen soon, also on a busy machine.
SECONDS = 10

OpenRelay = Callable[..., LocalRelay]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return runtime_directory(tmp_path)


@pytest.fixture
async def new_relay(directory: Path) -> AsyncIterator[OpenRelay]:
    made: list[LocalRelay] = []

    def new_relay(database: Path | None = None, poll_seconds: float = 0.02) -> LocalRelay:
        made.append(LocalRelay(directory, database, poll_seconds=poll_seconds))
        return made[-1]

    yield new_relay
    for relay in made:
        await relay.disconnect()


@pytest.fixture(params=["within a process", "on a machine"])
async def relay(request: pytest.FixtureRequest, new_relay: OpenRelay) -> AsyncIterator[Relay]:
    relay: Relay = ProcessRelay() if request.param == "within a process" else new_relay()
    await relay.connect()
    yield relay
    await relay.disconnect()


@pytest.fixture
async def alice(new_relay: OpenRelay) -> LocalRelay:
    return await connected(new_relay())


@pytest.fixture
async def bob(new_relay: OpenRelay) -> LocalRelay:
    return await connected(new_relay())


async def test_a_listener_is_called_after_pokes_of_its_topic_only(relay: Relay) -> None:
    changes, queue = event_of(relay, CHANGES), event_of(relay, "queue")
    relay.poke(CHANGES)
    await asyncio.wait_for(changes.wait(), SECONDS)
    assert not queue.is_set()


async def test_pokes_that_come_together_call_a_listener_once(relay: Relay) -> None:
    calls: list[str] = []
    relay.listen(CHANGES, lambda: calls.append("changes"))
    last = event_of(relay, "last")
    for topic in (CHANGES, CHANGES, CHANGES, "last"):
        relay.poke(topic)
    await asyncio.wait_for(last.wait(), SECONDS)
    assert calls == ["changes"]


async def test_a_listener_for_ids_gets_those_of_its_kind(relay: Relay) -> None:
    ids: list[int] = []
    stop_listening = relay.listen_for_ids("team", ids.append)
    last = event_of(relay, "last")
    for topic in ("team 5", "team 7", "teams 1", "project 9", "team", "team x", "last"):
        relay.poke(topic)
    await asyncio.wait_for(last.wait(), SECONDS)
    stop_listening()
    relay.poke("team 8")
    await asyncio.sleep(0.05)
    assert sorted(ids) == [5, 7]


async def test_many_topics_at_once_all_arrive_in_the_other_process(
    alice: LocalRelay, bob: LocalRelay
) -> None:
    ids: set[int] = set()
    bob.listen_for_ids("user", ids.add)
    for id in range(10**9, 10**9 + 10_000):
        alice.poke(f"user {id}")
    await eventually(lambda: len(ids) == 10_000)


async def test_a_listener_that_was_stopped_is_not_called(relay: Relay) -> None:
    calls: list[str] = []
    stop_listening = relay.listen(CHANGES, lambda: calls.append("changes"))
    still = event_of(relay, CHANGES)
    stop_listening()
    stop_listening()
    relay.poke(CHANGES)
    await asyncio.wait_for(still.wait(), SECONDS)
    assert calls == []


async def test_a_listener_that_fails_does_not_stop_the_others(
    relay: Relay, caplog: pytest.LogCaptureFixture
) -> None:
    relay.listen(CHANGES, lambda: 1 / 0)  # type: ignore[arg-type]
    other = event_of(relay, CHANGES)
    relay.poke(CHANGES)
    await asyncio.wait_for(other.wait(), SECONDS)
    assert "A listener of 'changes' failed" in caplog.text


async def test_a_thread_may_poke(relay: Relay) -> None:
    asyncio.get_running_loop().set_debug(True)  # which refuses calls that only the loop may make
    here = event_of(relay, CHANGES)
    threading.Thread(target=relay.poke, args=[CHANGES]).start()
    await asyncio.wait_for(here.wait(), SECONDS)


async def test_a_relay_that_is_not_connected_does_nothing(new_relay: OpenRelay) -> None:
    relay = new_relay()
    changes = event_of(relay, CHANGES)
    assert not relay.is_connected
    relay.poke(CHANGES)
    await asyncio.sleep(0.01)
    assert not changes.is_set()


async def test_a_relay_knows_whether_it_is_connected(relay: Relay) -> None:
    states = [relay.is_connected]
    await relay.disconnect()
    states.append(relay.is_connected)
    assert states == [True, False]


async def test_pokes_reach_every_other_process(alice: LocalRelay, bob: LocalRelay) -> None:
    there = event_of(bob, CHANGES)
    alice.poke(CHANGES)
    await asyncio.wait_for(there.wait(), SECONDS)
    back = event_of(alice, CHANGES)
    bob.poke(CHANGES)
    await asyncio.wait_for(back.wait(), SECONDS)


async def test_a_poke_does_not_come_back_to_the_process_that_sent_it(
    alice: LocalRelay, bob: LocalRelay
) -> None:
    calls: list[str] = []
    alice.listen(CHANGES, lambda: calls.append("changes"))
    there, back = event_of(bob, CHANGES), event_of(alice, "back")
    alice.poke(CHANGES)
    await asyncio.wait_for(there.wait(), SECONDS)
    bob.poke("back")
    await asyncio.wait_for(back.wait(), SECONDS)
    assert calls == ["changes"]


async def test_nothing_is_kept_for_a_process_that_is_gone(
    alice: LocalRelay, directory: Path
) -> None:
    alice._send(directory / "gone", {CHANGES})
    assert alice._unsent == {}


async def test_a_poke_just_before_disconnecting_still_arrives(
    alice: LocalRelay, bob: LocalRelay
) -> None:
    there = event_of(bob, CHANGES)
    alice.poke(CHANGES)
    await alice.disconnect()
    await asyncio.wait_for(there.wait(), SECONDS)


async def test_a_relay_can_reconnect(alice: LocalRelay, bob: LocalRelay) -> None:
    there = event_of(bob, CHANGES)
    await bob.disconnect()
    alice.poke(CHANGES)
    await bob.connect()
    await bob.connect()
    assert not there.is_set()
    alice.poke(CHANGES)
    await asyncio.wait_for(there.wait(), SECONDS)


async def test_disconnecting_removes_the_socket(alice: LocalRelay, directory: Path) -> None:
    assert number_of_sockets(directory) == 1
    await alice.disconnect()
    assert number_of_sockets(directory) == 0


async def test_the_socket_of_a_dead_process_is_removed(alice: LocalRelay, directory: Path) -> None:
    dead = directory / "dead"
    peer = bound(dead)
    peer.close()
    assert dead.exists()
    alice.poke(CHANGES)
    await eventually(lambda: not dead.exists())


async def test_a_process_with_a_full_socket_gets_its_pokes_later(
    alice: LocalRelay, directory: Path
) -> None:
    busy = bound(directory / "busy")
    for topic in [*[CHANGES] * 1000, "queue"]:
        alice.poke(topic)
        await asyncio.sleep(0)
    read: set[str] = set()

    def has_received() -> bool:
        read.update(received(busy))
        return "queue" in read

    await eventually(has_received)
    assert read == {CHANGES, "queue"}
    busy.close()


async def test_a_directory_that_vanishes_does_no_harm(alice: LocalRelay, directory: Path) -> None:
    shutil.rmtree(directory)
    here = event_of(alice, CHANGES)
    alice.poke(CHANGES)
    await asyncio.wait_for(here.wait(), SECONDS)
    alice.poke(CHANGES)
    await alice.disconnect()
    assert not alice.is_connected


async def test_a_change_without_a_poke_is_noticed(new_relay: OpenRelay, tmp_path: Path) -> None:
    database = new_database(tmp_path / "clippyfront.db")
    relay = await connected(new_relay(tmp_path / "clippyfront.db"))
    changes = event_of(relay, CHANGES)
    database.execute("INSERT INTO clip VALUES ('Highlight Reel')")
    await asyncio.wait_for(changes.wait(), SECONDS)
    database.close()


async def test_polling_calls_nobody_while_nothing_changes(
    new_relay: OpenRelay, tmp_path: Path
) -> None:
    database = new_database(tmp_path / "clippyfront.db")
    relay = await connected(new_relay(tmp_path / "clippyfront.db"))
    changes = event_of(relay, CHANGES)
    database.execute("SELECT * FROM clip").fetchall()
    await asyncio.sleep(0.1)
    assert not changes.is_set()
    database.close()


async def test_polling_waits_for_a_database_that_does_not_exist_yet(
    new_relay: OpenRelay, tmp_path: Path
) -> None:
    relay = await connected(new_relay(tmp_path / "clippyfront.db"))
    changes = event_of(relay, CHANGES)
    await asyncio.sleep(0.05)
    assert not changes.is_set()
    database = new_database(tmp_path / "clippyfront.db")
    await asyncio.wait_for(changes.wait(), SECONDS)
    database.close()


async def test_polling_does_not_create_a_database(new_relay: OpenRelay, tmp_path: Path) -> None:
    await connected(new_relay(tmp_path / "clippyfront.db"))
    assert not (tmp_path / "clippyfront.db").exists()


async def test_each_poke_reaches_a_process_that_does_not_poll(
    alice: LocalRelay, directory: Path, start_process: StartProcess
) -> None:
    listening = await start_process("listen", directory)
    for _ in range(20):
        alice.poke(CHANGES)
        assert await said(listening) == CHANGES


async def test_a_killed_process_does_not_disturb_the_others(
    alice: LocalRelay, bob: LocalRelay, directory: Path, start_process: StartProcess
) -> None:
    killed = await start_process("listen", directory)
    killed.kill()
    await killed.wait()
    there = event_of(bob, CHANGES)
    alice.poke(CHANGES)
    await asyncio.wait_for(there.wait(), SECONDS)
    assert number_of_sockets(directory) == 2


async def connected(relay: LocalRelay) -> LocalRelay:
    await relay.connect()
    return relay


def event_of(relay: Relay, topic: str) -> asyncio.Event:
    event = asyncio.Event()
    relay.listen(topic, event.set)
    return event


def number_of_sockets(directory: Path) -> int:
    return len(list(directory.iterdir()))


def bound(address: Path) -> socket.socket:
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    peer.setblocking(False)
    peer.bind(str(address))
    return peer


def received(peer: socket.socket) -> set[str]:
    topics: set[str] = set()
    with suppress(BlockingIOError):
        while True:
            topics.update(peer.recv(65536).decode().split("\n"))
    return topics


def new_database(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("CREATE TABLE clip (name TEXT)")
    return database


async def eventually(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - the kernel has no event for this
            await asyncio.sleep(0.01)
