from pathlib import Path

import pytest

from app.broker import open_broker
from app.settings import SettingError, load


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
    ("name", "url"),
    [
        ("REDIS_URL", "redis://localhost"),
        ("DATABASE_URL", "postgresql+psycopg://localhost/clippyfront"),
    ],
)
def test_a_setting_for_an_unsupported_server_is_named(tmp_path: Path, name: str, url: str) -> None:
    with pytest.raises(SettingError, match=name):
        open_broker(load({"DATA_DIR": str(tmp_path), name: url}))
