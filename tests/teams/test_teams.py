"""A team as a whole: created, renamed, muted, deleted; each told to whom it concerns."""

import pytest
from sqlalchemy import func, select

from app.database import Database
from app.errors import Forbidden, Invalid, NotFound
from app.models import Event, Invitation, Membership, Mute, Team, User
from app.notifications.events.catalogue import PROJECT_SHARED
from app.notifications.notify import notify
from app.teams.invitations import invite
from app.teams.membership import add_member, leave_team
from app.teams.roles import RIGHTS
from app.teams.teams import create_team, delete_team, mute_team, rename_team, unmute_team
from tests.factories import make_account, make_team
from tests.teams.conftest import Told, share


async def test_who_creates_a_team_owns_it_and_is_told_nothing(
    db: Database, alice: User, told: Told
) -> None:
    async with db.act() as session:
        team = await create_team(session, alice, "  Video \n Squad ")

    async with db.read() as session:
        membership = await session.get_one(Membership, (team.id, alice.id))
        event = (await session.scalars(select(Event))).one()
    assert (team.name, membership.role, event.type) == ("Video Squad", "owner", "team_created")
    assert await told(alice) == []


@pytest.mark.parametrize("name", ["", "   ", "\x01\x02", "\u200d", "n" * 81, "x" * 10_000])
async def test_a_name_that_says_nothing_or_too_much_is_refused(
    db: Database, alice: User, name: str
) -> None:
    with pytest.raises(Invalid) as invalid:
        async with db.act() as session:
            await create_team(session, alice, name)

    assert set(invalid.value.fields) == {"name"}


@pytest.mark.parametrize("name", ["🎬👩‍👩‍👧", "<script>alert(1)</script>", "n" * 80, "Übung & Co"])
async def test_any_other_name_is_kept_as_it_is(db: Database, alice: User, name: str) -> None:
    async with db.act() as session:
        team = await create_team(session, alice, name)

    assert team.name == name


async def test_members_hear_of_the_new_name(
    db: Database, alice: User, bob: User, told: Told
) -> None:
    team = await make_team(db, alice, editors=[bob])

    async with db.act() as session:
        await rename_team(session, alice, team.id, "Film Squad")

    assert await told(bob) == ["Team 'Video Squad' is now called 'Film Squad'"]
    assert await told(alice) == []


async def test_the_same_name_again_is_no_news(
    db: Database, alice: User, bob: User, told: Told
) -> None:
    team = await make_team(db, alice, editors=[bob])

    async with db.act() as session:
        await rename_team(session, alice, team.id, "Video Squad")

    assert await told(bob) == []


async def test_of_a_deleted_team_the_members_keep_only_that_notice(
    db: Database, alice: User, bob: User, carol: User, told: Told
) -> None:
    team = await make_team(db, alice, editors=[bob])
    project = await share(db, alice, "Best Clips", team)
    async with db.act() as session:
        await notify(session, PROJECT_SHARED, actor=alice, team=team, project=project)
        await rename_team(session, alice, team.id, "Film Squad")
        await invite(session, alice, team.id, carol.email, "editor")

    async with db.act() as session:
        await delete_team(session, alice, team.id)

    assert await told(bob) == ["Team 'Film Squad' was deleted"]
    assert await told(carol) == []
    async with db.read() as session:
        for model in (Team, Membership, Invitation):
            assert await session.scalar(select(func.count()).select_from(model)) == 0


async def test_who_left_before_keeps_no_notice_of_the_deletion(
    db: Database, alice: User, bob: User, told: Told
) -> None:
    team = await make_team(db, alice, editors=[bob])
    async with db.act() as session:
        await leave_team(session, bob, team.id)

    async with db.act() as session:
        await delete_team(session, alice, team.id)

    assert await told(bob) == []


async def test_a_muted_team_is_silent_but_for_what_concerns_oneself(
    db: Database, alice: User, bob: User, carol: User, told: Told
) -> None:
    team = await make_team(db, alice, admins=[bob])
    async with db.act() as session:
        await mute_team(session, bob, team.id)
        await mute_team(session, bob, team.id)

    async with db.act() as session:
        await add_member(session, alice, team.id, "carol", "viewer")

    assert await told(bob) == []
    assert len(await told(carol)) == 1


async def test_unmuting_brings_the_news_back(
    db: Database, alice: User, bob: User, told: Told
) -> None:
    team = await make_team(db, alice, editors=[bob])
    async with db.act() as session:
        await mute_team(session, bob, team.id)
        await unmute_team(session, bob, team.id)

    async with db.act() as session:
        await rename_team(session, alice, team.id, "Film Squad")

    assert len(await told(bob)) == 1
    async with db.read() as session:
        assert (await session.scalars(select(Mute))).all() == []


@pytest.mark.parametrize("role", ["admin", "editor", "viewer"])
async def test_nobody_but_the_owner_deletes_a_team(db: Database, alice: User, role: str) -> None:
    user = await make_account(db, "dora")
    team = await make_team(db, alice, **{f"{role}s": [user]})  # type: ignore[arg-type]

    with pytest.raises(Forbidden):
        async with db.act() as session:
            await delete_team(session, user, team.id)


@pytest.mark.parametrize("role", ["editor", "viewer"])
async def test_editors_and_viewers_do_not_rename(db: Database, alice: User, role: str) -> None:
    user = await make_account(db, "dora")
    team = await make_team(db, alice, **{f"{role}s": [user]})  # type: ignore[arg-type]

    with pytest.raises(Forbidden):
        async with db.act() as session:
            await rename_team(session, user, team.id, "Mine")


async def test_for_an_outsider_there_is_no_team(
    db: Database, video_squad: Team, carol: User
) -> None:
    for verb in (delete_team, mute_team, unmute_team, leave_team):
        with pytest.raises(NotFound):
            async with db.act() as session:
                await verb(session, carol, video_squad.id)


def test_every_right_is_held_by_somebody_and_the_owner_lacks_only_leaving() -> None:
    lacking = {right for right, roles in RIGHTS.items() if "owner" not in roles}

    assert all(RIGHTS.values())
    assert lacking == {"leave"}
