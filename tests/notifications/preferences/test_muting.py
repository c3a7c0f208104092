"""Muting: what a user has muted, sees listed, and lifts again."""

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database
from app.errors import NotFound
from app.models import Mute, Project, Share, Team, User
from app.notifications.preferences import muting
from tests.factories import make_team


async def make_project(session: AsyncSession, owner: User, name: str, *teams: Team) -> Project:
    """A project of `owner`, shared with `teams`."""
    project = Project(name=name, owner_id=owner.id)
    session.add(project)
    await session.flush()
    session.add_all(Share(project_id=project.id, team_id=team.id) for team in teams)
    return project


async def names_of(session: AsyncSession, user: User) -> list[str]:
    return [muted.name for muted in await muting.list_muted(session, user)]


async def test_a_team_and_a_project_are_muted_each_by_itself(
    alice: User, video_squad: Team, session: AsyncSession
) -> None:
    reel = await make_project(session, alice, "Highlight Reel", video_squad)
    other = await make_project(session, alice, "Best Clips 2025", video_squad)

    await muting.mute(session, alice, team_id=video_squad.id)
    assert await muting.is_muted(session, alice, team_id=video_squad.id)
    assert not await muting.is_muted(session, alice, project_id=reel.id)

    await muting.mute(session, alice, project_id=reel.id)
    assert await muting.is_muted(session, alice, project_id=reel.id)
    assert not await muting.is_muted(session, alice, project_id=other.id)

    await muting.unmute(session, alice, team_id=video_squad.id)
    assert not await muting.is_muted(session, alice, team_id=video_squad.id)
    assert await muting.is_muted(session, alice, project_id=reel.id)

    await muting.unmute(session, alice, project_id=reel.id)
    assert not await muting.is_muted(session, alice, project_id=reel.id)


async def test_muting_twice_leaves_one_row_and_unmuting_once_none(
    alice: User, video_squad: Team, session: AsyncSession
) -> None:
    reel = await make_project(session, alice, "Highlight Reel")
    for _ in range(2):
        await muting.mute(session, alice, team_id=video_squad.id)
        await muting.mute(session, alice, project_id=reel.id)
    assert await count(session) == 2

    await muting.unmute(session, alice, team_id=video_squad.id)
    await muting.unmute(session, alice, project_id=reel.id)

    assert await count(session) == 0


async def count(session: AsyncSession) -> int:
    return await session.scalar(select(func.count()).select_from(Mute)) or 0


async def test_a_mute_is_its_users_own(
    alice: User, bob: User, video_squad: Team, session: AsyncSession
) -> None:
    await muting.mute(session, alice, team_id=video_squad.id)
    [muted] = await muting.list_muted(session, alice)

    assert not await muting.is_muted(session, bob, team_id=video_squad.id)
    await muting.unmute(session, bob, team_id=video_squad.id)
    with pytest.raises(NotFound):
        await muting.lift(session, bob, muted.id)

    assert await names_of(session, alice) == ["Video Squad"]
    assert await names_of(session, bob) == []


async def test_a_mute_is_lifted_by_its_id_alone_and_once(
    alice: User, video_squad: Team, session: AsyncSession
) -> None:
    reel = await make_project(session, alice, "Highlight Reel")
    await muting.mute(session, alice, team_id=video_squad.id)
    await muting.mute(session, alice, project_id=reel.id)
    team, project = await muting.list_muted(session, alice)

    await muting.lift(session, alice, team.id)

    assert await muting.list_muted(session, alice) == [project]
    with pytest.raises(NotFound):
        await muting.lift(session, alice, team.id)


async def test_mutes_are_listed_with_their_pages_teams_first_each_by_name(
    db: Database, alice: User, bob: User
) -> None:
    """Teams of the same name stand in the order in which they were made."""
    teams = [
        await make_team(db, alice, name, viewers=[bob]) for name in ("Squad", "Editors", "Squad")
    ]
    async with db.act() as session:
        own = [await make_project(session, bob, name) for name in ("Reel", "Best", "Reel")]
        for team in reversed(teams):
            await muting.mute(session, bob, team_id=team.id)
        for project in reversed(own):
            await muting.mute(session, bob, project_id=project.id)
        listed = await muting.list_muted(session, bob)
        team_of = {one.id: one.team_id for one in await session.scalars(select(Mute))}

    first, second, third = teams
    assert [(muted.name, muted.url, muted.is_team) for muted in listed] == [
        ("Editors", f"/teams/{second.id}", True),
        ("Squad", f"/teams/{first.id}", True),
        ("Squad", f"/teams/{third.id}", True),
        ("Best", f"/projects/{own[1].id}", False),
        ("Reel", f"/projects/{own[0].id}", False),
        ("Reel", f"/projects/{own[2].id}", False),
    ]
    of_teams = [team_of[muted.id] for muted in listed]
    assert of_teams == [second.id, first.id, third.id, None, None, None]


async def test_mutes_of_subjects_out_of_sight_are_not_listed(
    db: Database, alice: User, bob: User, carol: User
) -> None:
    """Though carol sees the same teams and projects, and more."""
    left = await make_team(db, alice, "Left", viewers=[carol])
    joined = await make_team(db, alice, "Joined", viewers=[bob, carol])
    async with db.act() as session:
        projects = [
            await make_project(session, bob, "Own"),
            await make_project(session, alice, "Shared", joined),
            await make_project(session, alice, "Unshared"),
            await make_project(session, alice, "Shared with others", left),
        ]
        for user in (bob, carol):
            for team in (left, joined):
                await muting.mute(session, user, team_id=team.id)
            for project in projects:
                await muting.mute(session, user, project_id=project.id)

        assert await names_of(session, bob) == ["Joined", "Own", "Shared"]
        assert await names_of(session, carol) == [
            "Joined",
            "Left",
            "Shared",
            "Shared with others",
        ]
