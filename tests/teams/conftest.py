"""What the tests of teams read: who was told what, in the words they see."""

from collections.abc import Awaitable, Callable

import pytest

from app.database import Database
from app.models import Project, Share, Team, User
from app.notifications.inbox import feed

Told = Callable[[User], Awaitable[list[str]]]


@pytest.fixture
def told(db: Database) -> Told:
    """The sentences in a person's bell, newest first."""

    async def read(user: User) -> list[str]:
        async with db.read() as session:
            return [notice.text for notice in await feed.newest(session, user.id)]

    return read


async def share(db: Database, owner: User, name: str, *teams: Team) -> Project:
    """A project of `owner`, shared with `teams` without telling anybody."""
    project = Project(name=name, owner_id=owner.id)
    async with db.write() as session:
        session.add(project)
        await session.flush()
        session.add_all([Share(project_id=project.id, team_id=team.id) for team in teams])
    return project
