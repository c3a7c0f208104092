"""Membership: who may change it, who is notified how, and what ends with it."""

import pytest
from sqlalchemy import select, update

from app.database import Database
from app.errors import Forbidden, Invalid, NotFound
from app.models import Delivery, Membership, Mute, Share, User
from app.notifications.events.catalogue import COMPILATION_COMPLETED, PROJECT_SHARED
from app.notifications.notify import notify
from app.teams.invitations import invite
from app.teams.membership import add_member, change_role, hand_over, leave_team, remove_member
from app.teams.responses import decline
from app.teams.teams import mute_team, rename_team
from app.values.names import to_plain
from tests.factories import make_account, make_team
from tests.teams.conftest import Bell, share


async def role_of(db: Database, team_id: int, user: User) -> str | None:
    async with db.read() as session:
        membership = await session.get(Membership, (team_id, user.id))
        return membership.role if membership else None


@pytest.mark.parametrize("login", ["carol", "CAROL", "carol@example.com", "Carol@Example.com"])
async def test_a_member_is_added_by_name_or_address_and_everyone_else_is_notified(
    db: Database, alice: User, bob: User, carol: User, bell: Bell, login: str
) -> None:
    team = await make_team(db, alice, editors=[bob])

    async with db.act() as session:
        await add_member(session, alice, team.id, login, "editor")

    assert await bell(carol) == ["You were added to team 'Video Squad' as editor"]
    assert await bell(bob) == ["carol joined the team as editor"]
    assert await bell(alice) == []


async def test_every_wrong_field_is_named_at_once(db: Database, alice: User) -> None:
    team = await make_team(db, alice)

    with pytest.raises(Invalid) as invalid:
        async with db.act() as session:
            await add_member(session, alice, team.id, "nobody", "owner")

    assert set(invalid.value.fields) == {"login", "role"}


async def test_a_member_is_not_added_twice(db: Database, alice: User, bob: User) -> None:
    team = await make_team(db, alice, editors=[bob])

    with pytest.raises(Invalid) as invalid:
        async with db.act() as session:
            await add_member(session, alice, team.id, "bob", "viewer")

    assert to_plain(invalid.value.fields["login"]) == "bob is already in this team."


async def test_nobody_is_added_by_an_unconfirmed_address(
    db: Database, alice: User, carol: User
) -> None:
    team = await make_team(db, alice)
    async with db.write() as session:
        unconfirmed = update(User).where(User.id == carol.id)
        await session.execute(unconfirmed.values(email_confirmed_at=None))

    with pytest.raises(Invalid):
        async with db.act() as session:
            await add_member(session, alice, team.id, carol.email, "viewer")


async def test_a_changed_role_notifies_the_member_and_the_others(
    db: Database, alice: User, bob: User, carol: User, bell: Bell
) -> None:
    team = await make_team(db, alice, viewers=[bob, carol])

    async with db.act() as session:
        await change_role(session, alice, team.id, bob.id, "editor")

    assert await bell(bob) == ["Your role in team 'Video Squad' changed from viewer to editor"]
    assert await bell(carol) == ["bob's role changed from viewer to editor"]
    assert await role_of(db, team.id, bob) == "editor"


async def test_setting_the_present_role_notifies_nobody(
    db: Database, alice: User, bob: User, bell: Bell
) -> None:
    team = await make_team(db, alice, viewers=[bob])

    async with db.act() as session:
        await change_role(session, alice, team.id, bob.id, "viewer")

    assert await bell(bob) == []


@pytest.mark.parametrize("role", ["owner", "", "boss", "Editor"])
async def test_only_roles_below_owner_can_be_granted(
    db: Database, alice: User, bob: User, role: str
) -> None:
    team = await make_team(db, alice, viewers=[bob])

    with pytest.raises(Invalid) as invalid:
        async with db.act() as session:
            await change_role(session, alice, team.id, bob.id, role)

    assert set(invalid.value.fields) == {"role"}


async def test_an_admin_cannot_change_or_remove_the_owner(
    db: Database, alice: User, bob: User
) -> None:
    team = await make_team(db, alice, admins=[bob])

    for verb, rest in ((change_role, ("viewer",)), (remove_member, ())):
        with pytest.raises(Forbidden):
            async with db.act() as session:
                await verb(session, bob, team.id, alice.id, *rest)

    assert await role_of(db, team.id, alice) == "owner"


async def test_an_admin_can_change_another_admin_but_not_themselves(
    db: Database, alice: User, bob: User, carol: User
) -> None:
    team = await make_team(db, alice, admins=[bob, carol])

    async with db.act() as session:
        await change_role(session, bob, team.id, carol.id, "viewer")
    with pytest.raises(Forbidden):
        async with db.act() as session:
            await change_role(session, bob, team.id, bob.id, "viewer")

    assert await role_of(db, team.id, carol) == "viewer"
    assert await role_of(db, team.id, bob) == "admin"


@pytest.mark.parametrize("role", ["editor", "viewer"])
async def test_editors_and_viewers_cannot_manage_members(
    db: Database, alice: User, bob: User, role: str
) -> None:
    dora = await make_account(db, "dora")
    team = await make_team(db, alice, **{f"{role}s": [dora, bob]})  # type: ignore[arg-type]

    for verb, rest in (
        (add_member, ("alice", "viewer")),
        (change_role, (bob.id, "viewer")),
        (remove_member, (bob.id,)),
        (hand_over, (bob.id,)),
    ):
        with pytest.raises(Forbidden):
            async with db.act() as session:
                await verb(session, dora, team.id, *rest)


async def test_a_user_outside_the_team_cannot_be_removed(
    db: Database, alice: User, carol: User
) -> None:
    team = await make_team(db, alice)

    for user_id in (carol.id, 999):
        with pytest.raises(NotFound):
            async with db.act() as session:
                await remove_member(session, alice, team.id, user_id)


async def test_a_removed_member_keeps_only_that_notification(
    db: Database, alice: User, bob: User, carol: User, bell: Bell
) -> None:
    team = await make_team(db, alice, editors=[bob, carol])
    async with db.act() as session:
        await rename_team(session, alice, team.id, "Film Squad")

    async with db.act() as session:
        await remove_member(session, alice, team.id, bob.id)

    assert await bell(bob) == ["You were removed from team 'Film Squad'"]
    assert (await bell(carol))[0] == "bob was removed from the team"
    assert len(await bell(carol)) == 2
    assert await role_of(db, team.id, bob) is None


async def test_mail_about_a_withdrawn_notification_is_not_sent(
    db: Database, alice: User, bob: User
) -> None:
    team = await make_team(db, alice)
    async with db.act() as session:
        await add_member(session, alice, team.id, "bob", "editor")

    async with db.act() as session:
        await remove_member(session, alice, team.id, bob.id)

    async with db.read() as session:
        deliveries = (
            await session.scalars(select(Delivery).where(Delivery.channel == "email"))
        ).all()
    assert [(one.state, one.reason) for one in deliveries] == [("skipped", "withdrawn")]


async def test_only_notifications_about_projects_out_of_sight_are_withdrawn(
    db: Database, alice: User, bob: User, bell: Bell
) -> None:
    team, other = await make_team(db, alice, editors=[bob]), await make_team(db, bob, "Editors")
    lost = await share(db, alice, "Lost", team)
    kept = await share(db, alice, "Kept", team, other)
    async with db.act() as session:
        for project in (lost, kept):
            await notify(session, COMPILATION_COMPLETED, project=project)

    async with db.act() as session:
        await remove_member(session, alice, team.id, bob.id)

    assert await bell(bob) == [
        "You were removed from team 'Video Squad'",
        "Compilation of 'Kept' is complete",
    ]


async def test_a_member_who_leaves_takes_their_projects_along(
    db: Database, alice: User, bob: User, carol: User, bell: Bell
) -> None:
    team = await make_team(db, alice, editors=[bob, carol])
    mine, theirs = await share(db, bob, "Mine", team), await share(db, carol, "Theirs", team)
    async with db.act() as session:
        await notify(session, PROJECT_SHARED, actor=bob, team=team, project=mine)

    async with db.act() as session:
        await leave_team(session, bob, team.id)

    expected = ["bob left the team", "Project 'Mine' is no longer shared with team 'Video Squad'"]
    assert await bell(carol) == expected
    assert await bell(alice) == expected
    assert await bell(bob) == []
    async with db.read() as session:
        assert (await session.scalars(select(Share.project_id))).all() == [theirs.id]


async def test_leaving_deletes_the_mute(db: Database, alice: User, bob: User) -> None:
    team = await make_team(db, alice, editors=[bob])
    other = await make_team(db, bob, "Choir")
    async with db.act() as session:
        await mute_team(session, bob, team.id)
        await mute_team(session, bob, other.id)
        await mute_team(session, alice, team.id)

    async with db.act() as session:
        await leave_team(session, bob, team.id)

    async with db.read() as session:
        mutes = select(Mute.team_id, Mute.user_id).order_by(Mute.team_id)
        assert (await session.execute(mutes)).all() == [(team.id, alice.id), (other.id, bob.id)]


async def test_leaving_one_team_keeps_the_other_memberships_and_notifications(
    db: Database, alice: User, bob: User, carol: User, bell: Bell
) -> None:
    team = await make_team(db, alice, editors=[bob, carol])
    other = await make_team(db, alice, "Choir", editors=[bob])
    own = await share(db, bob, "Mine", team, other)
    async with db.act() as session:
        await rename_team(session, alice, other.id, "Big Choir")

    async with db.act() as session:
        await leave_team(session, bob, team.id)

    assert await role_of(db, team.id, carol) == "editor"
    assert await role_of(db, other.id, bob) == "editor"
    assert await bell(bob) == ["Team 'Choir' is now called 'Big Choir'"]
    async with db.read() as session:
        shares = await session.execute(select(Share.project_id, Share.team_id))
        assert shares.all() == [(own.id, other.id)]


async def test_only_the_invitations_sent_by_a_removed_member_lose_their_inviter(
    db: Database, alice: User, bob: User, carol: User, bell: Bell
) -> None:
    team = await make_team(db, alice, admins=[bob])
    other = await make_team(db, bob, "Choir")
    async with db.act() as session:
        of_alice = await invite(session, alice, team.id, carol.email, "viewer")
        of_bob = await invite(session, bob, other.id, carol.email, "viewer")
        await remove_member(session, alice, team.id, bob.id)

    async with db.act() as session:
        for invitation in (of_alice, of_bob):
            await decline(session, carol, invitation.id)

    assert await bell(alice) == ["carol declined the invitation to team 'Video Squad'"]
    assert (await bell(bob))[0] == "carol declined the invitation to team 'Choir'"


async def test_the_owner_cannot_leave_before_handing_over(
    db: Database, alice: User, bob: User, bell: Bell
) -> None:
    team = await make_team(db, alice, editors=[bob])
    with pytest.raises(Forbidden):
        async with db.act() as session:
            await leave_team(session, alice, team.id)

    async with db.act() as session:
        await hand_over(session, alice, team.id, bob.id)
        await leave_team(session, alice, team.id)

    assert await role_of(db, team.id, bob) == "owner"
    assert await bell(bob) == [
        "alice left the team",
        "Your role in team 'Video Squad' changed from editor to owner",
    ]
    assert await bell(alice) == []


async def test_a_hand_over_tells_the_others_of_both_roles_and_the_new_owner_of_their_own(
    db: Database, alice: User, bob: User, carol: User, bell: Bell
) -> None:
    team = await make_team(db, alice, editors=[bob], viewers=[carol])

    async with db.act() as session:
        await hand_over(session, alice, team.id, bob.id)

    assert await bell(carol) == [
        "alice's role changed from owner to admin",
        "bob's role changed from editor to owner",
    ]
    assert await bell(bob) == ["Your role in team 'Video Squad' changed from editor to owner"]
    assert await bell(alice) == []


async def test_the_old_owner_becomes_an_admin(db: Database, alice: User, bob: User) -> None:
    team = await make_team(db, alice, viewers=[bob])

    async with db.act() as session:
        await hand_over(session, alice, team.id, bob.id)

    assert await role_of(db, team.id, alice) == "admin"
    with pytest.raises(Forbidden):
        async with db.act() as session:
            await hand_over(session, alice, team.id, bob.id)
