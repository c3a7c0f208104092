"""Teams: created, renamed, muted, deleted, and who is notified."""

import pytest
from sqlalchemy import func, select

from app.database import Database
from app.errors import Conflict, Forbidden, Invalid, NotFound, Taken
from app.models import Event, Invitation, Membership, Mute, Team, User
from app.notifications.events.catalogue import PROJECT_SHARED
from app.notifications.notify import notify
from app.teams.invitations import invite
from app.teams.membership import add_member, hand_over, leave_team
from app.teams.roles import RIGHTS
from app.teams.teams import (
    MAX_TEAMS,
    create_team,
    delete_team,
    mute_team,
    rename_team,
    unmute_team,
)
from tests.factories import make_account, make_team
from tests.teams.conftest import Bell, share


async def test_creating_a_team_makes_its_owner_and_notifies_nobody(
    db: Database, alice: User, bell: Bell
) -> None:
    async with db.act() as session:
        team = await create_team(session, alice, "  Video \t Squad ")

    async with db.read() as session:
        membership = await session.get_one(Membership, (team.id, alice.id))
        event = (await session.scalars(select(Event))).one()
    assert (team.name, membership.role, event.type) == ("Video Squad", "owner", "team_created")
    assert await bell(alice) == []


@pytest.mark.parametrize("name", ["", "   ", "\x01\x02", "\u200d", "n" * 81, "x" * 10_000])
async def test_an_empty_or_overlong_name_is_refused(db: Database, alice: User, name: str) -> None:
    with pytest.raises(Invalid) as invalid:
        async with db.act() as session:
            await create_team(session, alice, name)

    assert set(invalid.value.fields) == {"name"}


@pytest.mark.parametrize("name", ["🎬👩‍👩‍👧", "<script>alert(1)</script>", "n" * 80, "Übung & Co"])
async def test_any_other_name_is_accepted(db: Database, alice: User, name: str) -> None:
    async with db.act() as session:
        team = await create_team(session, alice, name)

    assert team.name == name


async def test_a_user_owns_a_limited_number_of_teams(
    db: Database, alice: User, bob: User, carol: User
) -> None:
    """Also by being handed one. Those that somebody else owns do not count."""
    await own_teams(db, bob, MAX_TEAMS - 1)
    await make_team(db, alice, admins=[bob])
    async with db.act() as session:
        await create_team(session, bob, "The last")
    team = await make_team(db, carol, admins=[bob])

    async with db.act() as session:
        with pytest.raises(Taken) as refused:
            await create_team(session, bob, "One too many")
        with pytest.raises(Conflict, match="already owns 200 teams"):
            await hand_over(session, carol, team.id, bob.id)

    assert "at most 200 teams" in refused.value.fields["name"]


async def own_teams(db: Database, owner: User, count: int) -> None:
    teams = [Team(name=f"Team {number}") for number in range(count)]
    async with db.write() as session:
        session.add_all(teams)
        await session.flush()
        for team in teams:
            session.add(Membership(team_id=team.id, user_id=owner.id, role="owner"))


async def test_members_are_notified_of_a_new_name(
    db: Database, alice: User, bob: User, bell: Bell
) -> None:
    team = await make_team(db, alice, editors=[bob])

    async with db.act() as session:
        await rename_team(session, alice, team.id, "Film Squad")

    assert await bell(bob) == ["Team 'Video Squad' is now called 'Film Squad'"]
    assert await bell(alice) == []


async def test_renaming_to_the_same_name_notifies_nobody(
    db: Database, alice: User, bob: User, bell: Bell
) -> None:
    team = await make_team(db, alice, editors=[bob])

    async with db.act() as session:
        await rename_team(session, alice, team.id, "Video Squad")

    assert await bell(bob) == []


async def test_members_of_a_deleted_team_keep_only_that_notification(
    db: Database, alice: User, bob: User, carol: User, bell: Bell
) -> None:
    team = await make_team(db, alice, editors=[bob])
    project = await share(db, alice, "Best Clips", team)
    async with db.act() as session:
        await notify(session, PROJECT_SHARED, actor=alice, team=team, project=project)
        await rename_team(session, alice, team.id, "Film Squad")
        await invite(session, alice, team.id, carol.email, "editor")

    async with db.act() as session:
        await delete_team(session, alice, team.id)

    assert await bell(bob) == ["Team 'Film Squad' was deleted"]
    assert await bell(carol) == []
    async with db.read() as session:
        for model in (Team, Membership, Invitation):
            assert await session.scalar(select(func.count()).select_from(model)) == 0


async def test_a_former_member_is_not_notified_of_the_deletion(
    db: Database, alice: User, bob: User, bell: Bell
) -> None:
    team = await make_team(db, alice, editors=[bob])
    async with db.act() as session:
        await leave_team(session, bob, team.id)

    async with db.act() as session:
        await delete_team(session, alice, team.id)

    assert await bell(bob) == []


async def test_a_muted_team_sends_no_ordinary_notifications(
    db: Database, alice: User, bob: User, carol: User, bell: Bell
) -> None:
    team = await make_team(db, alice, admins=[bob])
    async with db.act() as session:
        await mute_team(session, bob, team.id)
        await mute_team(session, bob, team.id)

    async with db.act() as session:
        await add_member(session, alice, team.id, "carol", "viewer")

    assert await bell(bob) == []
    assert len(await bell(carol)) == 1


async def test_deleting_a_muted_team_notifies_its_members_and_deletes_the_mutes(
    db: Database, alice: User, bob: User, bell: Bell
) -> None:
    team = await make_team(db, alice, "Choir", editors=[bob])
    async with db.act() as session:
        await mute_team(session, bob, team.id)

    async with db.act() as session:
        await delete_team(session, alice, team.id)

    assert await bell(bob) == ["Team 'Choir' was deleted"]
    async with db.read() as session:
        assert (await session.scalars(select(Mute))).all() == []


async def test_unmuting_resumes_notifications(
    db: Database, alice: User, bob: User, bell: Bell
) -> None:
    team = await make_team(db, alice, editors=[bob])
    async with db.act() as session:
        await mute_team(session, bob, team.id)
        await unmute_team(session, bob, team.id)

    async with db.act() as session:
        await rename_team(session, alice, team.id, "Film Squad")

    assert len(await bell(bob)) == 1
    async with db.read() as session:
        assert (await session.scalars(select(Mute))).all() == []


@pytest.mark.parametrize("role", ["admin", "editor", "viewer"])
async def test_only_the_owner_can_delete_a_team(db: Database, alice: User, role: str) -> None:
    user = await make_account(db, "dora")
    team = await make_team(db, alice, **{f"{role}s": [user]})  # type: ignore[arg-type]

    with pytest.raises(Forbidden):
        async with db.act() as session:
            await delete_team(session, user, team.id)


@pytest.mark.parametrize("role", ["editor", "viewer"])
async def test_editors_and_viewers_cannot_rename(db: Database, alice: User, role: str) -> None:
    user = await make_account(db, "dora")
    team = await make_team(db, alice, **{f"{role}s": [user]})  # type: ignore[arg-type]

    with pytest.raises(Forbidden):
        async with db.act() as session:
            await rename_team(session, user, team.id, "Mine")


async def test_an_outsider_does_not_find_the_team(
    db: Database, video_squad: Team, carol: User
) -> None:
    for verb in (delete_team, mute_team, unmute_team, leave_team):
        with pytest.raises(NotFound):
            async with db.act() as session:
                await verb(session, carol, video_squad.id)


def test_the_owner_has_every_right_but_to_leave() -> None:
    lacking = {right for right, roles in RIGHTS.items() if "owner" not in roles}

    assert all(RIGHTS.values())
    assert lacking == {"leave"}
