"""Sharing with a team, ending the share, and who is notified."""

import asyncio

import pytest

from app.database import Database
from app.errors import Conflict, Forbidden, NotFound
from app.models import Project, User
from app.notifications.inbox import feed
from app.projects.access import find_project
from app.projects.sharing import share_project, unshare_project
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
        return [notice.text for notice in await feed.newest(session, user.id)]


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
