"""Bob's inbox, filled by alice's acts in a team. Carol gets the same notifications."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import select, update

from app.database import Database
from app.models import Notification, Team, User
from app.notifications.events.catalogue import TEAM_UPDATED
from app.notifications.notify import notify
from tests.factories import make_team

Tell = Callable[[int], Awaitable[list[int]]]
Alter = Callable[..., Awaitable[None]]


@pytest.fixture
async def squad(db: Database, alice: User, bob: User, carol: User) -> Team:
    return await make_team(db, alice, editors=[bob], viewers=[carol])


@pytest.fixture
def tell_bob(db: Database, alice: User, bob: User, squad: Team) -> Tell:
    """Renames the team so many times; returns the ids of all of bob's notifications, oldest first."""

    async def tell(times: int) -> list[int]:
        async with db.act() as session:
            for number in range(times):
                names: dict[str, Any] = {"old_name": "A", "new_name": str(number)}
                await notify(session, TEAM_UPDATED, actor=alice, team=squad, **names)
            mine = select(Notification.id).where(Notification.user_id == bob.id)
            return list(await session.scalars(mine.order_by(Notification.id)))

    return tell


@pytest.fixture
def alter(db: Database) -> Alter:
    """Sets columns of notifications, as in `alter([1, 2], hidden=True)`."""

    async def set_columns(ids: list[int], **values: Any) -> None:
        async with db.write() as session:
            await session.execute(
                update(Notification).where(Notification.id.in_(ids)).values(values)
            )

    return set_columns
