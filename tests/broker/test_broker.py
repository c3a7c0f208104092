from pathlib import Path

import pytest
from redis import Redis

from app.broker import open_broker, require_supported
from app.settings import SettingError, load, read
from tests.broker.servers import redis_prefix
from tests.setups import REDIS_URL


async def test_the_queues_are_stored_beside_the_database(tmp_path: Path) -> None:
    database = tmp_path / "elsewhere" / "clippyfront.db"
    database.parent.mkdir()
    broker = open_broker(
        load({"DATA_DIR": str(tmp_path), "DATABASE_URL": f"sqlite+aiosqlite:///{database}"})
    )
    await broker.connect()
    assert broker.relay.is_connected
    assert (broker.queue.name, broker.compilations.name) == ("default", "compilations")
    assert (database.parent / "queue.db").exists()
    await broker.disconnect()
    assert not broker.relay.is_connected


async def test_two_brokers_of_one_installation_share_their_queues(tmp_path: Path) -> None:
    web, worker = [open_broker(load({"DATA_DIR": str(tmp_path)})) for _ in range(2)]
    for broker in (web, worker):
        await broker.connect()
    job = await web.compilations.enqueue("compile")
    assert await worker.compilations.dequeue(timeout=5) == job
    for broker in (web, worker):
        await broker.disconnect()


async def test_a_broker_that_could_not_connect_can_be_disconnected(tmp_path: Path) -> None:
    broker = open_broker(load({"DATA_DIR": str(tmp_path)}))
    (tmp_path / "queue.db").write_text("not a database" * 100)
    with pytest.raises(Exception, match="not a database"):
        await broker.connect()
    await broker.disconnect()
    assert not broker.relay.is_connected


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("redis://127.0.0.1:1", "cannot be reached"),
        ("redis://nobody:wrong@127.0.0.1:6379/15", "refuses the connection"),
    ],
)
async def test_an_unusable_redis_is_reported_in_a_sentence(
    tmp_path: Path, url: str, reason: str
) -> None:
    async with redis_prefix():
        with pytest.raises(SettingError, match=f"REDIS_URL names a server that {reason}"):
            require_supported(read({"DATA_DIR": str(tmp_path), "REDIS_URL": url}))


async def test_an_outdated_redis_is_reported_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Redis, "info", lambda *_: {"redis_version": "6.0.16"})
    with pytest.raises(SettingError, match=r"Redis 6\.0\.16, but 6\.2"):
        require_supported(read({"DATA_DIR": str(tmp_path), "REDIS_URL": REDIS_URL}))
