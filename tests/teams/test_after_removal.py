"""A removal ends the invitations, to any address, by which the member could come back."""

from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import select

from app.accounts.addresses import send_confirmation, set_confirmed_address
from app.database import Database
from app.errors import Conflict, Forbidden
from app.models import Invitation, Team, User
from app.teams.invitations import invite, notify_of_open_invitations, send_again
from app.teams.membership import change_role, leave_team, remove_member
from app.teams.responses import accept
from tests.factories import make_team
from tests.teams.conftest import Bell


@pytest.fixture
async def squad(db: Database, alice: User, bob: User) -> Team:
    return await make_team(db, alice, editors=[bob])


async def invited(db: Database, alice: User, team: Team, email: str) -> Invitation:
    async with db.act() as session:
        return await invite(session, alice, team.id, email, "admin")


async def remove(db: Database, alice: User, team: Team, member: User) -> None:
    async with db.act() as session:
        await remove_member(session, alice, team.id, member.id)


async def leave(db: Database, _alice: User, team: Team, member: User) -> None:
    async with db.act() as session:
        await leave_team(session, member, team.id)


async def status_of(db: Database, invitation: Invitation) -> str:
    async with db.read() as session:
        return (await session.get_one(Invitation, invitation.id)).status


async def change(db: Database, user: User, **values: object) -> None:
    async with db.write() as session:
        stored = await session.get_one(User, user.id)
        for name, value in values.items():
            setattr(stored, name, value)


async def unconfirmed(db: Database, bob: User) -> str:
    """The mailed link of an invitation would still admit him."""
    address = "Bob.New@example.com"
    values = {"email": address, "email_key": address.casefold(), "email_confirmed_at": None}
    await change(db, bob, **values)
    return address


async def pending(db: Database, bob: User) -> str:
    await change(db, bob, pending_email="bob.new@example.com")
    return "BOB.NEW@example.com"


async def tagged(_db: Database, bob: User) -> str:
    return bob.email.replace("@", "+teams@")


async def former(db: Database, bob: User) -> str:
    async with db.act() as session:
        user = await session.get_one(User, bob.id)
        user.pending_email = "bob.old@example.com"
        await send_confirmation(session, user, "bob.old@example.com")
        user.pending_email = None
    return "bob.old@example.com"


Address = Callable[[Database, User], Awaitable[str]]
ADDRESSES: list[Address] = [unconfirmed, pending, tagged, former]


@pytest.mark.parametrize("address_of", ADDRESSES, ids=lambda one: str(one.__name__))
@pytest.mark.parametrize("ends", [remove, leave])
async def test_open_invitations_to_the_addresses_of_the_removed_end(
    db: Database,
    alice: User,
    bob: User,
    squad: Team,
    address_of: Address,
    ends: Callable[..., Awaitable[None]],
) -> None:
    theirs = await invited(db, alice, squad, await address_of(db, bob))
    others = await invited(db, alice, squad, "carol@example.com")

    await ends(db, alice, squad, bob)

    assert await status_of(db, theirs) == "revoked"
    assert await status_of(db, others) == "pending"


async def test_their_notifications_are_withdrawn(
    db: Database, alice: User, bob: User, squad: Team, bell: Bell
) -> None:
    theirs = await invited(db, alice, squad, "bob.new@example.com")
    async with db.act() as session:
        user = await session.get_one(User, bob.id)
        await set_confirmed_address(session, user, "bob.new@example.com")
        await notify_of_open_invitations(session, user)
    assert any("invited you" in sentence for sentence in await bell(bob))

    await remove(db, alice, squad, bob)

    assert await status_of(db, theirs) == "revoked"
    assert await bell(bob) == ["You were removed from team 'Video Squad'"]


async def test_invitations_of_other_teams_stay(
    db: Database, alice: User, bob: User, squad: Team
) -> None:
    choir = await make_team(db, alice, "Choir")
    elsewhere = await invited(db, alice, choir, bob.email)

    await remove(db, alice, squad, bob)

    assert await status_of(db, elsewhere) == "pending"


@pytest.fixture
async def unknown(db: Database, alice: User, bob: User, squad: Team) -> Invitation:
    """Sent before the removal of bob, to an address that becomes his afterwards."""
    invitation = await invited(db, alice, squad, "other@example.com")
    await remove(db, alice, squad, bob)
    await change(db, bob, email="other@example.com", email_key="other@example.com")
    return invitation


async def test_an_invitation_to_an_address_they_take_later_no_longer_admits_them(
    db: Database, bob: User, unknown: Invitation
) -> None:
    async with db.act() as session:
        with pytest.raises(Forbidden, match="You were removed from the team after"):
            await accept(session, bob, unknown.id, is_mailed=True)


async def test_it_ends_once_they_confirm_that_address(
    db: Database, bob: User, unknown: Invitation, bell: Bell
) -> None:
    async with db.act() as session:
        user = await session.get_one(User, bob.id)
        await notify_of_open_invitations(session, user)

    assert await status_of(db, unknown) == "revoked"
    assert not any("invited you" in sentence for sentence in await bell(bob))


async def test_an_invitation_sent_again_after_the_removal_is_valid(
    db: Database, alice: User, bob: User, squad: Team, unknown: Invitation
) -> None:
    async with db.act() as session:
        stored = (await session.scalars(select(Invitation))).one()
        stored.mailed_at = None
        await send_again(session, alice, squad.id, unknown.id)
    async with db.act() as session:
        team = await accept(session, bob, unknown.id, is_mailed=True)

    assert team.id == squad.id


async def test_for_anybody_else_it_stays_open(
    db: Database, bob: User, carol: User, squad: Team, unknown: Invitation
) -> None:
    await change(db, bob, email_confirmed_at=None)
    await change(db, carol, email="other@example.com", email_key="other@example.com")

    async with db.act() as session:
        team = await accept(session, carol, unknown.id)

    assert team.id == squad.id


async def demote(db: Database, alice: User, team: Team, member: User) -> None:
    async with db.act() as session:
        await change_role(session, alice, team.id, member.id, "editor")


@pytest.mark.parametrize("ends", [remove, leave, demote])
async def test_an_admin_who_may_no_longer_invite_makes_nobody_an_admin(
    db: Database,
    alice: User,
    bob: User,
    carol: User,
    ends: Callable[[Database, User, Team, User], Awaitable[None]],
    bell: Bell,
) -> None:
    """Such as themselves, with a second mailbox."""
    team = await make_team(db, alice, admins=[bob])
    own, by_alice = (
        await invited(db, bob, team, carol.email),
        await invited(db, alice, team, "a@b.org"),
    )
    async with db.act() as session:
        editor = await invite(session, bob, team.id, "editor@example.com", "editor")

    await ends(db, alice, team, bob)

    assert [await status_of(db, one) for one in (own, by_alice, editor)] == [
        "revoked",
        "pending",
        "pending",
    ]
    assert await bell(carol) == []
    with pytest.raises(Conflict, match="was revoked"):
        async with db.act() as session:
            await accept(session, carol, own.id)


async def test_an_invitation_that_another_admin_sent_again_is_theirs(
    db: Database, alice: User, bob: User, carol: User
) -> None:
    team = await make_team(db, alice, admins=[bob, carol])
    invitation = await invited(db, bob, team, "dora@example.com")
    async with db.write() as session:
        (await session.get_one(Invitation, invitation.id)).mailed_at = None
    async with db.act() as session:
        await send_again(session, carol, team.id, invitation.id)

    await remove(db, alice, team, bob)

    assert await status_of(db, invitation) == "pending"
