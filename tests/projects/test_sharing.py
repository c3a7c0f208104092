"""Sharing with a team, ending the share, and who is notified."""

import asyncio

import pytest
from sqlalchemy import select

from app.database import Database
from app.errors import Conflict, Forbidden, NotFound
from app.models import Project, Share, User
from app.projects.access import find_project
from app.projects.projects import create_project
from app.projects.sharing import end_all_shares, share_project, unshare_project
from tests.bell import newest_notices
from tests.factories import make_team

SHARED = "Project 'Highlight Reel' was shared with team 'Video Squad'"
UNSHARED = "Project 'Highlight Reel' is no longer shared with team 'Video Squad'"


async def share(db: Database, user: User, project: Project, team_id: int) -> None:
    async with db.act() as session:
        await share_project(session, user, project.id, team_id)


async def unshare(db: Database, user: User, project: Project, team_id: int) -> None:
    async with db.act() as session:
        await unshare_project(session, user, project.id, team_id)


async def notices_of(db: Database, user: User) -> list[str]:
    async with db.read() as session:
        return [notice.text for notice in await newest_notices(session, user.id)]


async def test_the_members_are_notified_and_the_sharer_is_not(
    db: Database, alice: User, bob: User, reel: Project
) -> None:
    team = await make_team(db, alice, viewers=[bob])

    await share(db, alice, reel, team.id)

    assert await notices_of(db, bob) == [SHARED]
    assert await notices_of(db, alice) == []


async def test_an_editor_shares_a_project_of_their_own(
    db: Database, alice: User, bob: User, reel: Project
) -> None:
    team = await make_team(db, bob, editors=[alice])

    await share(db, alice, reel, team.id)

    assert await notices_of(db, bob) == [SHARED]


async def test_a_viewer_may_not_share(db: Database, alice: User, bob: User, reel: Project) -> None:
    team = await make_team(db, bob, viewers=[alice])

    with pytest.raises(Forbidden):
        await share(db, alice, reel, team.id)


async def test_a_team_of_others_is_not_found(
    db: Database, alice: User, bob: User, reel: Project
) -> None:
    team = await make_team(db, bob)

    for team_id in (team.id, 999):
        with pytest.raises(NotFound):
            await share(db, alice, reel, team_id)


async def test_only_the_owner_shares_a_project(
    db: Database, alice: User, bob: User, reel: Project
) -> None:
    team = await make_team(db, alice, editors=[bob])
    own = await make_team(db, bob, "Bob's")
    await share(db, alice, reel, team.id)

    with pytest.raises(Forbidden):
        await share(db, bob, reel, own.id)


async def test_concurrent_requests_share_once(
    db: Database, alice: User, bob: User, reel: Project
) -> None:
    team = await make_team(db, alice, viewers=[bob])

    outcomes = await asyncio.gather(
        *(share(db, alice, reel, team.id) for _ in range(3)), return_exceptions=True
    )

    assert [type(outcome) for outcome in outcomes if outcome] == [Conflict, Conflict]
    assert await notices_of(db, bob) == [SHARED]


async def test_a_member_who_loses_access_keeps_only_the_notice_about_it(
    db: Database, alice: User, bob: User, reel: Project
) -> None:
    team = await make_team(db, alice, viewers=[bob])
    await share(db, alice, reel, team.id)

    await unshare(db, alice, reel, team.id)

    assert await notices_of(db, bob) == [UNSHARED]
    async with db.read() as session:
        with pytest.raises(NotFound):
            await find_project(session, bob, reel.id)


async def test_a_member_with_access_through_another_team_keeps_all_notices(
    db: Database, alice: User, bob: User, reel: Project
) -> None:
    team = await make_team(db, alice, viewers=[bob])
    other = await make_team(db, alice, "Editors", viewers=[bob])
    await share(db, alice, reel, team.id)
    await share(db, alice, reel, other.id)

    await unshare(db, alice, reel, team.id)

    assert len(await notices_of(db, bob)) == 3


async def test_the_owner_is_notified_when_a_team_ends_a_share(
    db: Database, alice: User, bob: User, reel: Project
) -> None:
    team = await make_team(db, bob, editors=[alice])
    await share(db, alice, reel, team.id)

    await unshare(db, bob, reel, team.id)

    assert await notices_of(db, alice) == [UNSHARED]


async def test_editors_may_not_end_the_shares_of_others(
    db: Database, alice: User, bob: User, reel: Project
) -> None:
    team = await make_team(db, alice, editors=[bob])
    await share(db, alice, reel, team.id)

    with pytest.raises(Forbidden):
        await unshare(db, bob, reel, team.id)


async def test_a_share_that_does_not_exist_cannot_be_ended(
    db: Database, alice: User, reel: Project
) -> None:
    team = await make_team(db, alice)

    with pytest.raises(NotFound):
        await unshare(db, alice, reel, team.id)


async def test_the_owner_of_the_project_ends_a_share_as_an_editor(
    db: Database, alice: User, bob: User, reel: Project
) -> None:
    team = await make_team(db, bob, editors=[alice])
    await share(db, alice, reel, team.id)

    await unshare(db, alice, reel, team.id)

    assert await notices_of(db, bob) == [UNSHARED]
    assert await notices_of(db, alice) == []


async def test_an_admin_may_not_end_the_share_with_another_team(
    db: Database, alice: User, bob: User, reel: Project
) -> None:
    squad = await make_team(db, alice, viewers=[bob])
    editors = await make_team(db, alice, "Editors", admins=[bob])
    await share(db, alice, reel, squad.id)
    await share(db, alice, reel, editors.id)

    with pytest.raises(Forbidden):
        await unshare(db, bob, reel, squad.id)


async def test_an_outsider_cannot_end_a_share(
    db: Database, alice: User, bob: User, reel: Project
) -> None:
    team = await make_team(db, alice)
    elsewhere = await make_team(db, bob, "Editors")
    await share(db, alice, reel, team.id)

    for team_id in (team.id, elsewhere.id):
        with pytest.raises(NotFound):
            await unshare(db, bob, reel, team_id)


async def test_a_share_that_exists_is_named_in_the_refusal(
    db: Database, alice: User, reel: Project
) -> None:
    team = await make_team(db, alice)
    await share(db, alice, reel, team.id)

    with pytest.raises(Conflict, match="'Highlight Reel' is already shared with 'Video Squad'"):
        await share(db, alice, reel, team.id)


async def test_ending_one_share_keeps_the_others(db: Database, alice: User, reel: Project) -> None:
    squad, editors = await make_team(db, alice), await make_team(db, alice, "Editors")
    await share(db, alice, reel, squad.id)
    await share(db, alice, reel, editors.id)

    await unshare(db, alice, reel, squad.id)

    assert await shares(db) == [(reel.id, editors.id)]


async def test_ending_all_shares_of_a_project_keeps_those_of_others(
    db: Database, alice: User, bob: User, reel: Project
) -> None:
    squad = await make_team(db, alice, viewers=[bob])
    editors = await make_team(db, alice, "Editors", viewers=[bob])
    async with db.act() as session:
        other = await create_project(session, alice, "Best Clips 2025")
    for team in (squad, editors):
        await share(db, alice, reel, team.id)
    await share(db, alice, other, squad.id)

    async with db.act() as session:
        await end_all_shares(session, reel, actor=alice)

    assert await shares(db) == [(other.id, squad.id)]
    assert await notices_of(db, alice) == []
    assert await notices_of(db, bob) == [
        UNSHARED.replace("Video Squad", "Editors"),
        UNSHARED,
        "Project 'Best Clips 2025' was shared with team 'Video Squad'",
    ]


async def shares(db: Database) -> list[tuple[int, int]]:
    async with db.read() as session:
        rows = await session.execute(select(Share.project_id, Share.team_id))
        return [(project_id, team_id) for project_id, team_id in rows]
