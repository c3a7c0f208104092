import asyncio
import shutil
import socket
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from app.broker.directory import runtime_directory
from app.broker.relay import CHANGES, LocalRelay, ProcessRelay, Relay
from tests.broker.conftest import StartProcess, said

OpenRelay = Callable[..., LocalRelay]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return runtime_directory(tmp_path)


@pytest.fixture
async def new_relay(directory: Path) -> AsyncIterator[OpenRelay]:
    made: list[LocalRelay] = []

    def new_relay(database: Path | None = None, look_seconds: float = 0.02) -> LocalRelay:
        made.append(LocalRelay(directory, database, look_seconds=look_seconds))
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


async def test_whoever_listens_hears_pokes_of_the_topic(relay: Relay) -> None:
    changes, queue = heard(relay, CHANGES), heard(relay, "queue")
    relay.poke(CHANGES)
    await asyncio.wait_for(changes.wait(), 1)
    assert not queue.is_set()


async def test_pokes_that_come_together_are_heard_once(relay: Relay) -> None:
    calls: list[str] = []
    relay.listen(CHANGES, lambda: calls.append("changes"))
    last = heard(relay, "last")
    for topic in (CHANGES, CHANGES, CHANGES, "last"):
        relay.poke(topic)
    await asyncio.wait_for(last.wait(), 1)
    assert calls == ["changes"]


async def test_who_stops_listening_hears_no_more(relay: Relay) -> None:
    calls: list[str] = []
    stop_listening = relay.listen(CHANGES, lambda: calls.append("changes"))
    still = heard(relay, CHANGES)
    stop_listening()
    stop_listening()
    relay.poke(CHANGES)
    await asyncio.wait_for(still.wait(), 1)
    assert calls == []


async def test_a_listener_that_fails_does_not_deafen_the_others(
    relay: Relay, caplog: pytest.LogCaptureFixture
) -> None:
    relay.listen(CHANGES, lambda: 1 / 0)  # type: ignore[arg-type]
    other = heard(relay, CHANGES)
    relay.poke(CHANGES)
    await asyncio.wait_for(other.wait(), 1)
    assert "A listener to 'changes' failed" in caplog.text


async def test_a_thread_may_poke(relay: Relay) -> None:
    asyncio.get_running_loop().set_debug(True)  # which refuses calls that only the loop may make
    here = heard(relay, CHANGES)
    threading.Thread(target=relay.poke, args=[CHANGES]).start()
    await asyncio.wait_for(here.wait(), 1)


async def test_a_relay_that_is_not_connected_is_silent(new_relay: OpenRelay) -> None:
    relay = new_relay()
    changes = heard(relay, CHANGES)
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
    there = heard(bob, CHANGES)
    alice.poke(CHANGES)
    await asyncio.wait_for(there.wait(), 1)
    back = heard(alice, CHANGES)
    bob.poke(CHANGES)
    await asyncio.wait_for(back.wait(), 1)


async def test_a_poke_just_before_leaving_still_arrives(alice: LocalRelay, bob: LocalRelay) -> None:
    there = heard(bob, CHANGES)
    alice.poke(CHANGES)
    await alice.disconnect()
    await asyncio.wait_for(there.wait(), 1)


async def test_one_may_leave_and_come_back(alice: LocalRelay, bob: LocalRelay) -> None:
    there = heard(bob, CHANGES)
    await bob.disconnect()
    alice.poke(CHANGES)
    await bob.connect()
    await bob.connect()
    assert not there.is_set()
    alice.poke(CHANGES)
    await asyncio.wait_for(there.wait(), 1)


async def test_who_leaves_takes_its_socket_along(alice: LocalRelay, directory: Path) -> None:
    assert number_of_sockets(directory) == 1
    await alice.disconnect()
    assert number_of_sockets(directory) == 0


async def test_what_a_dead_process_left_is_cleared_away(alice: LocalRelay, directory: Path) -> None:
    dead = directory / "dead"
    peer = bound(dead)
    peer.close()
    assert dead.exists()
    alice.poke(CHANGES)
    await eventually(lambda: not dead.exists())


async def test_who_does_not_read_hears_of_everything_later(
    alice: LocalRelay, directory: Path
) -> None:
    busy = bound(directory / "busy")
    for topic in [*[CHANGES] * 1000, "queue"]:
        alice.poke(topic)
        await asyncio.sleep(0)
    read: set[str] = set()

    def has_heard() -> bool:
        read.update(received(busy))
        return "queue" in read

    await eventually(has_heard)
    assert read == {CHANGES, "queue"}
    busy.close()


async def test_a_directory_that_vanishes_does_no_harm(alice: LocalRelay, directory: Path) -> None:
    shutil.rmtree(directory)
    here = heard(alice, CHANGES)
    alice.poke(CHANGES)
    await asyncio.wait_for(here.wait(), 1)
    alice.poke(CHANGES)
    await alice.disconnect()
    assert not alice.is_connected


async def test_the_net_catches_a_change_nobody_told_of(
    new_relay: OpenRelay, tmp_path: Path
) -> None:
    database = new_database(tmp_path / "clippyfront.db")
    relay = await connected(new_relay(tmp_path / "clippyfront.db"))
    changes = heard(relay, CHANGES)
    database.execute("INSERT INTO clip VALUES ('Highlight Reel')")
    await asyncio.wait_for(changes.wait(), 1)
    database.close()


async def test_the_net_is_silent_while_nothing_changes(
    new_relay: OpenRelay, tmp_path: Path
) -> None:
    database = new_database(tmp_path / "clippyfront.db")
    relay = await connected(new_relay(tmp_path / "clippyfront.db"))
    changes = heard(relay, CHANGES)
    database.execute("SELECT * FROM clip").fetchall()
    await asyncio.sleep(0.1)
    assert not changes.is_set()
    database.close()


async def test_the_net_waits_for_a_database_that_is_not_there_yet(
    new_relay: OpenRelay, tmp_path: Path
) -> None:
    relay = await connected(new_relay(tmp_path / "clippyfront.db"))
    changes = heard(relay, CHANGES)
    await asyncio.sleep(0.05)
    assert not changes.is_set()
    database = new_database(tmp_path / "clippyfront.db")
    await asyncio.wait_for(changes.wait(), 1)
    database.close()


async def test_the_net_never_makes_a_database(new_relay: OpenRelay, tmp_path: Path) -> None:
    await connected(new_relay(tmp_path / "clippyfront.db"))
    assert not (tmp_path / "clippyfront.db").exists()


async def test_another_process_hears_at_once(
    alice: LocalRelay, directory: Path, start_process: StartProcess
) -> None:
    there = await start_process("listen", directory)
    delays = []
    for _ in range(20):
        sent = time.time()
        alice.poke(CHANGES)
        delays.append(float(await said(there)) - sent)
    assert sorted(delays)[18] < 0.05


async def test_a_process_that_was_killed_disturbs_nobody(
    alice: LocalRelay, bob: LocalRelay, directory: Path, start_process: StartProcess
) -> None:
    killed = await start_process("listen", directory)
    killed.kill()
    await killed.wait()
    there = heard(bob, CHANGES)
    alice.poke(CHANGES)
    await asyncio.wait_for(there.wait(), 1)
    assert number_of_sockets(directory) == 2


async def connected(relay: LocalRelay) -> LocalRelay:
    await relay.connect()
    return relay


def heard(relay: Relay, topic: str) -> asyncio.Event:
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
