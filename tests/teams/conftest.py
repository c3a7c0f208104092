"""What the tests of teams share: a view of the bell, and shared projects."""

from collections.abc import Awaitable, Callable

import pytest

from app.database import Database
from app.models import Project, Share, Team, User
from tests.bell import bell_of
from tests.notifications.conftest import hands

__all__ = ["Bell", "bell", "hands", "share"]

Bell = Callable[[User], Awaitable[list[str]]]


@pytest.fixture
def bell(db: Database) -> Bell:
    """The sentences in a user's bell, newest first."""

    async def read(user: User) -> list[str]:
        return await bell_of(db, user)

    return read


async def share(db: Database, owner: User, name: str, *teams: Team) -> Project:
    """A project of `owner`, shared with `teams`. Notifies nobody."""
    project = Project(name=name, owner_id=owner.id)
    async with db.write() as session:
        session.add(project)
        await session.flush()
        session.add_all([Share(project_id=project.id, team_id=team.id) for team in teams])
    return project
