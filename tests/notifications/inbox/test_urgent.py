"""Which notices stand above the list for a user who chose "Urgent first"."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import select

from app import clock
from app.database import Database
from app.models import Notification, Team, User
from app.models.notification import DONE, SNOOZED
from app.notifications.events.catalogue import ACCOUNT_PASSWORD_CHANGED, ANNOUNCEMENT, CUSTOM
from app.notifications.events.event_type import HIGH, NORMAL
from app.notifications.inbox import urgent
from app.notifications.inbox.urgent import MOST_URGENT, read_urgent, read_urgent_groups
from app.notifications.notify import notify
from tests.notifications.inbox.conftest import Alter, Tell

Warn = Callable[..., Awaitable[list[int]]]


@pytest.fixture
def warn(db: Database, alice: User, bob: User, squad: Team) -> Warn:
    """Tells the team so many things, in one group; returns the ids of all of bob's notifications, oldest
    first.
    """

    async def tell(times: int, *, priority: str = HIGH, key: str = "a") -> list[int]:
        async with db.act() as session:
            for _ in range(times):
                facts: dict[str, Any] = {"title": "Fire", "group_key": key, "priority": priority}
                await notify(session, CUSTOM, actor=alice, team=squad, **facts)
            mine = select(Notification.id).where(Notification.user_id == bob.id)
            return list(await session.scalars(mine.order_by(Notification.id)))

    return tell


async def urgent_of(db: Database, user: User, up_to: int | None = None) -> list[int]:
    async with db.read() as session:
        return [notice.id for notice in await read_urgent(session, user.id, up_to)]


async def groups_of(db: Database, user: User, up_to: int | None = None) -> list[str]:
    """What the sender called them."""
    async with db.read() as session:
        keys = await read_urgent_groups(session, user.id, up_to)
    return [key.rpartition(":")[2] for key in keys]


async def test_urgent_notices_by_type_or_sender_are_newest_first(
    db: Database, alice: User, bob: User, warn: Warn, tell_bob: Tell
) -> None:
    await warn(1)
    await warn(1, priority=NORMAL)
    await tell_bob(1)
    async with db.act() as session:
        await notify(session, ACCOUNT_PASSWORD_CHANGED, affected=bob)
        await notify(session, ANNOUNCEMENT, actor=alice, title="The server rests", priority=HIGH)
    ids = await tell_bob(0)

    assert await urgent_of(db, bob) == [ids[4], ids[3], ids[0]]


@pytest.mark.parametrize(
    "columns",
    [
        {"read_at": clock.now()},
        {"folder": DONE},
        {"folder": SNOOZED, "snoozed_until": clock.now()},
        {"deleted_at": clock.now()},
        {"hidden": True},
    ],
)
async def test_read_notices_and_those_outside_the_inbox_are_not_among_them(
    db: Database, bob: User, warn: Warn, alter: Alter, columns: dict[str, object]
) -> None:
    first, second = await warn(2)
    await alter([first], **columns)

    assert await urgent_of(db, bob) == [second]


async def test_nobody_sees_urgent_notices_of_others(
    db: Database, bob: User, alice: User, warn: Warn
) -> None:
    await warn(1)

    assert await urgent_of(db, alice) == []


async def test_nothing_that_came_after_a_position_is_among_them(
    db: Database, bob: User, warn: Warn
) -> None:
    await warn(1, key="a")
    async with db.read() as session:
        [first] = await read_urgent(session, bob.id, None)
    await warn(1, key="b")

    assert await urgent_of(db, bob, first.position) == [first.id]
    assert await groups_of(db, bob, first.position) == ["a"]


async def test_groups_are_in_the_order_of_their_newest_urgent_part(
    db: Database, bob: User, warn: Warn
) -> None:
    for key in ("a", "b", "c", "a"):
        await warn(1, key=key)
    await warn(1, key="b", priority=NORMAL)
    await warn(1, key="d", priority=NORMAL)

    assert await groups_of(db, bob) == ["a", "c", "b"]


async def test_there_are_twenty_at_most_and_a_group_counts_as_one(
    db: Database, bob: User, warn: Warn
) -> None:
    await warn(1, key="old")
    ids = await warn(MOST_URGENT + 1, key="new")

    assert await urgent_of(db, bob) == ids[: -MOST_URGENT - 1 : -1]
    assert await groups_of(db, bob) == ["new", "old"]


async def test_they_are_looked_for_among_the_newest_unread_ones_alone(
    db: Database, bob: User, warn: Warn, monkeypatch: pytest.MonkeyPatch
) -> None:
    [first] = await warn(1)
    await warn(2, priority=NORMAL)

    for most, found in {3: [first], 2: []}.items():
        monkeypatch.setattr(urgent, "LOOKED_AT", most)
        assert await urgent_of(db, bob) == found
