"""Resuming a JSON stream; what its clients receive is in tests/notifications/api/test_stream.py."""

import asyncio
from collections.abc import Collection

import pytest

from app.broker.relay import ProcessRelay
from app.database import Database
from app.notifications.live import resuming
from app.notifications.live.follower import Changes, Follower
from app.notifications.live.hub import Hub
from app.notifications.live.resuming import READING_AT_ONCE, Resumption, Resumptions
from app.notifications.live.stream import Opening

NOBODY = 2**40


class NoPublisher:
    async def publish(self, changes: Changes) -> None:
        raise AssertionError("Nothing is published here.")


@pytest.fixture
def resumptions(db: Database) -> Resumptions:
    return Resumptions(db, Follower(db, ProcessRelay(), Hub(), NoPublisher()))


async def at_present(resumptions: Resumptions) -> Resumption:
    """A resumption that has read its first, empty part."""
    resumption = resumptions.begin(None)
    assert await resumption.read(NOBODY, 0) == Opening(b"", is_part=True)
    return resumption


async def test_a_user_who_no_longer_exists_gets_an_empty_opening(resumptions: Resumptions) -> None:
    resumption = await at_present(resumptions)

    assert await resumption.read(NOBODY, 0) == Opening(b"")


async def test_a_few_clients_at_a_time_read_their_missed_changes(
    resumptions: Resumptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading = most = 0

    async def read_languages(_db: Database, _users: Collection[int]) -> dict[int, str]:
        nonlocal reading, most
        reading += 1
        most = max(most, reading)
        await asyncio.sleep(0.01)
        reading -= 1
        return {}

    monkeypatch.setattr(resuming, "read_languages", read_languages)
    clients = [await at_present(resumptions) for _ in range(3 * READING_AT_ONCE)]

    await asyncio.gather(*(client.read(NOBODY, 0) for client in clients))

    assert most == READING_AT_ONCE
