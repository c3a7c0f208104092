"""Creating, renaming and deleting projects, and who may do so."""

import pytest
from sqlalchemy import func, select
from sqlalchemy.event import listen

from app.database import Database
from app.errors import Forbidden, Invalid, NotFound, Taken
from app.models import Clip, Project, Share, User
from app.projects.access import find_project, may_compile
from app.projects.media_storage import clip_files
from app.projects.project_views import list_projects, whole_projects
from app.projects.projects import (
    MAX_PROJECTS,
    create_project,
    delete_project,
    delete_projects_of,
    rename_project,
    set_muted,
)
from app.projects.sharing import share_project
from app.settings import Settings
from tests.bell import newest_notices
from tests.factories import make_team
from tests.projects.conftest import add, finished


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


async def test_a_user_owns_a_limited_number_of_projects(
    db: Database, alice: User, bob: User
) -> None:
    async with db.act() as session:
        own = [Project(name="Reel", owner_id=alice.id) for _ in range(MAX_PROJECTS - 1)]
        session.add_all([*own, Project(name="Bob's own", owner_id=bob.id)])
        await create_project(session, alice, "The last")

        with pytest.raises(Taken) as refused:
            await create_project(session, alice, "One too many")

    assert "at most 1000 projects" in refused.value.fields["name"]


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
    assert [project.id for project in seen] == [reel.id]


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
        told = await newest_notices(session, bob.id)
        left = await session.scalar(select(func.count()).select_from(Clip))
    assert [notice.text for notice in told] == [
        "Project 'Highlight Reel' is no longer shared with team 'Video Squad'"
    ]
    assert left == 0
    assert files == clip_files(settings, clip.stored_as)


async def test_the_projects_of_a_deleted_account_are_deleted(
    db: Database, settings: Settings, alice: User, bob: User, reel: Project
) -> None:
    async with db.act() as session:
        await create_project(session, bob, "Bob's own")

    async with db.act() as session:
        await delete_projects_of(session, settings, alice, most=9)

    async with db.read() as session:
        assert list(await session.scalars(select(Project.name))) == ["Bob's own"]
        assert (await session.execute(select(Share))).first() is None


async def test_whole_projects_take_five_statements_however_many_there_are(
    db: Database, alice: User, bob: User
) -> None:
    team, other = await make_team(db, alice, viewers=[bob]), await make_team(db, alice, "Others")
    async with db.act() as session:
        reels = [await create_project(session, alice, f"Reel {number}") for number in range(6)]
        await create_project(session, alice, "Private")
        await set_muted(session, alice, reels[0].id, muted=True)
        for reel in reels:
            for group in (team, other):
                await share_project(session, alice, reel.id, group.id)
            session.add_all([finished(reel) for _ in range(3)])
            session.add_all([_clip(reel, alice, position) for position in (1, 0)])
    statements: list[str] = []
    listen(db.engine.sync_engine, "before_cursor_execute", lambda *a: statements.append(a[2]))

    async with db.read() as session:
        seen = await whole_projects(session, bob, compilations=2)
    taken = [one for one in statements if one.startswith("SELECT")]
    async with db.read() as session:
        own = await whole_projects(session, alice, compilations=2, project_id=reels[0].id)

    assert len(taken) == 5
    assert [one.project.id for one in seen] == [reel.id for reel in reversed(reels)]
    for one in seen:
        assert (one.owner, one.is_muted) == ("alice", False)
        assert [known.id for known in one.teams] == [team.id]
        assert [clip.position for clip in one.clips] == [0, 1]
        ids = [compilation.id for compilation in one.compilations]
        assert (len(ids), ids) == (2, sorted(ids, reverse=True))
    assert [(one.is_muted, len(one.teams)) for one in own] == [(True, 2)]


def _clip(project: Project, uploader: User, position: int) -> Clip:
    return Clip(
        project_id=project.id,
        uploader_id=uploader.id,
        position=position,
        filename=f"{position}.mp4",
        stored_as=f"{project.id}-{position}",
        size=1,
    )
