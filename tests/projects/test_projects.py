"""Creating, renaming and deleting projects, and who may do so."""

import pytest
from sqlalchemy import func, select

from app.database import Database
from app.errors import Forbidden, Invalid, NotFound
from app.models import Clip, Project, Share, User
from app.notifications.inbox import feed
from app.projects.access import find_project, may_compile
from app.projects.project_views import list_projects
from app.projects.projects import (
    create_project,
    delete_project,
    delete_projects_of,
    rename_project,
)
from app.projects.sharing import share_project
from app.settings import Settings
from tests.factories import make_team
from tests.projects.conftest import add


@pytest.mark.parametrize("name", ["", "   ", "x" * 121])
async def test_an_invalid_name_is_refused(db: Database, alice: User, name: str) -> None:
    async with db.act() as session:
        with pytest.raises(Invalid) as refused:
            await create_project(session, alice, name)

    assert "name" in refused.value.fields


async def test_extra_spaces_in_a_name_are_removed(db: Database, alice: User) -> None:
    async with db.act() as session:
        project = await create_project(session, alice, "  Best \t Clips ")

    assert project.name == "Best Clips"


async def test_the_owner_renames(db: Database, alice: User, reel: Project) -> None:
    async with db.act() as session:
        await rename_project(session, alice, reel.id, "Reel 2")

    async with db.read() as session:
        assert (await session.get_one(Project, reel.id)).name == "Reel 2"


async def test_a_project_does_not_exist_for_outsiders(
    db: Database, carol: User, reel: Project
) -> None:
    async with db.act() as session:
        with pytest.raises(NotFound):
            await find_project(session, carol, reel.id)
        with pytest.raises(NotFound):
            await rename_project(session, carol, reel.id, "Mine")


async def test_members_see_a_shared_project_but_may_not_change_it(
    db: Database, alice: User, bob: User, reel: Project
) -> None:
    team = await make_team(db, alice, editors=[bob])
    async with db.act() as session:
        await share_project(session, alice, reel.id, team.id)

    async with db.act() as session:
        seen = await list_projects(session, bob)
        with pytest.raises(Forbidden):
            await rename_project(session, bob, reel.id, "Mine")
    assert [project.id for project, _owner, _clips in seen] == [reel.id]


async def test_editors_may_compile_and_viewers_may_not(
    db: Database, alice: User, bob: User, carol: User, reel: Project
) -> None:
    team = await make_team(db, alice, editors=[bob], viewers=[carol])
    async with db.act() as session:
        await share_project(session, alice, reel.id, team.id)

    async with db.read() as session:
        assert await may_compile(session, alice, reel)
        assert await may_compile(session, bob, reel)
        assert not await may_compile(session, carol, reel)


async def test_deleting_a_shared_project_notifies_its_teams_and_leaves_nothing(
    db: Database, settings: Settings, alice: User, bob: User, reel: Project
) -> None:
    team = await make_team(db, alice, editors=[bob])
    clip = await add(db, settings, reel, alice)
    async with db.act() as session:
        await share_project(session, alice, reel.id, team.id)

    async with db.act() as session:
        files = await delete_project(session, settings, alice, reel.id)

    async with db.read() as session:
        told = await feed.newest(session, bob.id)
        left = await session.scalar(select(func.count()).select_from(Clip))
    assert [notice.text for notice in told] == [
        "Project 'Highlight Reel' is no longer shared with team 'Video Squad'"
    ]
    assert left == 0
    assert files == [settings.clips_dir / clip.stored_as]


async def test_the_projects_of_a_deleted_account_are_deleted(
    db: Database, settings: Settings, alice: User, bob: User, reel: Project
) -> None:
    async with db.act() as session:
        await create_project(session, bob, "Bob's own")

    async with db.act() as session:
        await delete_projects_of(session, settings, alice)

    async with db.read() as session:
        assert list(await session.scalars(select(Project.name))) == ["Bob's own"]
        assert (await session.execute(select(Share))).first() is None
