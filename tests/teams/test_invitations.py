"""Invitations: sent to an address, told in the app or by letter, answered once by its account."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from email import message_from_bytes
from email.policy import default

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.database import Database
from app.errors import Conflict, Forbidden, Invalid, NotFound
from app.models import Delivery, Event, Invitation, Membership, Notification, Team, User
from app.notifications.inbox import feed
from app.settings import Settings
from app.teams.invitations import (
    MOST_OPEN,
    greet_newcomer,
    invite,
    link_token,
    read_token,
    revoke,
    send_again,
)
from app.teams.membership import add_member, remove_member
from app.teams.responses import accept, decline, invitation_told_in
from tests.factories import SIGNER, make_account, make_team
from tests.mailing import deliver_mail, token_of
from tests.teams.conftest import Told


@pytest.fixture
async def invitation(db: Database, alice: User, bob: User, video_squad: Team) -> Invitation:
    """Alice asks bob to join Video Squad as editor."""
    async with db.act() as session:
        return await invite(session, alice, video_squad.id, bob.email, "editor")


@asynccontextmanager
async def found(db: Database, invitation: Invitation) -> AsyncIterator[Invitation]:
    async with db.read() as session:
        yield await session.get_one(Invitation, invitation.id)


async def letters(db: Database) -> list[Delivery]:
    async with db.read() as session:
        return list(
            await session.scalars(select(Delivery).where(Delivery.transactional.is_not(None)))
        )


async def set_confirmed(db: Database, account: User, *, confirmed: bool) -> None:
    account.email_confirmed_at = clock.now() if confirmed else None
    async with db.write() as session:
        await session.merge(account)


async def expire(db: Database, invitation: Invitation) -> None:
    past = clock.now() - timedelta(seconds=1)
    async with db.write() as session:
        await session.execute(
            update(Invitation).where(Invitation.id == invitation.id).values(expires_at=past)
        )


async def test_who_has_an_account_is_told_in_the_app_and_gets_no_letter(
    db: Database, bob: User, invitation: Invitation, told: Told
) -> None:
    assert await told(bob) == ["alice invited you to join team 'Video Squad' as editor"]
    assert await letters(db) == []


async def test_a_strange_address_gets_a_letter_without_a_secret(
    db: Database, alice: User, video_squad: Team
) -> None:
    async with db.act() as session:
        await invite(session, alice, video_squad.id, "New@Example.com", "viewer")

    (letter,) = await letters(db)
    context = letter.context or {}
    assert (letter.address, letter.transactional) == ("New@Example.com", "invitation")
    assert "token" not in context
    assert read_token(SIGNER, token_of(letter)) == (context["invitation_id"], True)


async def test_the_letter_arrives_with_the_link_and_names_as_they_are(
    db: Database, settings: Settings, alice: User
) -> None:
    team = await make_team(db, alice, "Cats & <Dogs>")
    async with db.act() as session:
        await invite(session, alice, team.id, "new@example.com", "viewer")

    await deliver_mail(db, settings)

    (file,) = settings.mail_dir.glob("*.eml")
    letter = message_from_bytes(file.read_bytes(), policy=default)
    text, html = (letter.get_body((kind,)) for kind in ("plain", "html"))
    assert letter["Subject"] == "alice invited you to join team 'Cats & <Dogs>'"
    assert text
    assert html
    assert "http://testserver/invitations/" in text.get_content()
    assert "Cats &amp; &lt;Dogs&gt;" in html.get_content()


async def test_an_unconfirmed_account_gets_the_letter_and_no_notice(
    db: Database, alice: User, bob: User, video_squad: Team, told: Told
) -> None:
    await set_confirmed(db, bob, confirmed=False)

    async with db.act() as session:
        await invite(session, alice, video_squad.id, bob.email, "viewer")

    assert await told(bob) == []
    assert len(await letters(db)) == 1


@pytest.mark.parametrize(
    "email",
    [
        "",
        "bob",
        "a@",
        "@b",
        "a b@c.de",
        "a@b\r\nBcc: x@y.z",
        "é@b.de",
        "<a@b.de>",
        "a" * 250 + "@b.de",
    ],
)
async def test_what_is_no_address_is_refused_with_the_role(
    db: Database, alice: User, video_squad: Team, email: str
) -> None:
    with pytest.raises(Invalid) as invalid:
        async with db.act() as session:
            await invite(session, alice, video_squad.id, email, "owner")

    assert set(invalid.value.fields) == {"email", "role"}


async def test_members_and_the_invited_are_not_invited_again(
    db: Database, alice: User, bob: User, video_squad: Team, invitation: Invitation
) -> None:
    for email in (alice.email.upper(), bob.email.upper()):
        with pytest.raises(Invalid) as invalid:
            async with db.act() as session:
                await invite(session, alice, video_squad.id, email, "viewer")
        assert set(invalid.value.fields) == {"email"}


async def test_editors_do_not_invite_revoke_or_send_again(
    db: Database, alice: User, bob: User, carol: User
) -> None:
    team = await make_team(db, alice, editors=[bob])
    async with db.act() as session:
        invitation = await invite(session, alice, team.id, carol.email, "viewer")

    for verb, rest in (
        (invite, ("x@example.com", "viewer")),
        (revoke, (invitation.id,)),
        (send_again, (invitation.id,)),
    ):
        with pytest.raises(Forbidden):
            async with db.act() as session:
                await verb(session, bob, team.id, *rest)


async def test_fifty_can_be_open_and_an_expired_one_makes_room(
    db: Database, alice: User, video_squad: Team
) -> None:
    async with db.act() as session:
        sent = [
            await invite(session, alice, video_squad.id, f"n{n}@example.com", "viewer")
            for n in range(MOST_OPEN)
        ]
    with pytest.raises(Conflict):
        async with db.act() as session:
            await invite(session, alice, video_squad.id, "more@example.com", "viewer")

    await expire(db, sent[0])
    async with db.act() as session:
        await invite(session, alice, video_squad.id, "more@example.com", "viewer")
    with pytest.raises(Conflict):
        async with db.act() as session:
            await send_again(session, alice, video_squad.id, sent[0].id)


async def test_an_address_is_free_again_once_its_invitation_has_expired(
    db: Database, alice: User, bob: User, video_squad: Team, invitation: Invitation
) -> None:
    await expire(db, invitation)

    async with db.act() as session:
        newer = await invite(session, alice, video_squad.id, bob.email, "viewer")

    assert newer.id != invitation.id
    async with found(db, invitation) as older:
        assert older.status == "revoked"


async def test_accepting_makes_a_member_and_tells_all_in_their_words(
    db: Database,
    alice: User,
    bob: User,
    video_squad: Team,
    invitation: Invitation,
    told: Told,
) -> None:
    async with db.act() as session:
        await accept(session, bob, invitation.id)

    async with db.read() as session:
        assert (await session.get_one(Membership, (video_squad.id, bob.id))).role == "editor"
        assert await feed.unread_count(session, bob.id) == 1
    assert await told(alice) == ["bob joined the team as editor"]
    assert (await told(bob))[0] == "You were added to team 'Video Squad' as editor"


async def test_declining_tells_the_inviter_alone(
    db: Database, alice: User, bob: User, carol: User, told: Told
) -> None:
    team = await make_team(db, alice, admins=[carol])
    async with db.act() as session:
        invitation = await invite(session, alice, team.id, bob.email, "editor")

    async with db.act() as session:
        await decline(session, bob, invitation.id)

    assert await told(alice) == ["bob declined the invitation to team 'Video Squad'"]
    assert await told(carol) == []
    async with db.read() as session:
        assert await feed.unread_count(session, bob.id) == 0
        assert await session.get(Membership, (team.id, bob.id)) is None


@pytest.mark.parametrize("second", [accept, decline])
async def test_an_invitation_is_answered_once(
    db: Database, bob: User, invitation: Invitation, second: object
) -> None:
    async with db.act() as session:
        await decline(session, bob, invitation.id)

    with pytest.raises(Conflict, match="declined"):
        async with db.act() as session:
            await second(session, bob, invitation.id)  # type: ignore[operator]


async def test_of_two_answers_at_the_same_moment_one_counts(
    db: Database, bob: User, video_squad: Team, invitation: Invitation
) -> None:
    async def answer() -> None:
        async with db.act() as session:
            await accept(session, bob, invitation.id)

    outcomes = await asyncio.gather(*(answer() for _ in range(4)), return_exceptions=True)

    assert outcomes.count(None) == 1
    assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 3
    async with db.read() as session:
        added = select(Event).where(Event.type == "member_added")
        assert len((await session.scalars(added)).all()) == 1


async def test_an_expired_or_revoked_one_is_not_answered(
    db: Database, alice: User, bob: User, video_squad: Team, invitation: Invitation
) -> None:
    await expire(db, invitation)
    with pytest.raises(Conflict, match="expired"):
        async with db.act() as session:
            await accept(session, bob, invitation.id)

    async with db.act() as session:
        await revoke(session, alice, video_squad.id, invitation.id)
    with pytest.raises(Conflict, match="taken back"):
        async with db.act() as session:
            await accept(session, bob, invitation.id)


async def test_nobody_else_answers(
    db: Database, alice: User, carol: User, invitation: Invitation
) -> None:
    for user in (alice, carol):
        for verb in (accept, decline):
            with pytest.raises(Forbidden):
                async with db.act() as session:
                    await verb(session, user, invitation.id, is_mailed=True)


async def test_an_unconfirmed_address_is_confirmed_by_the_mailed_link_only(
    db: Database, bob: User, invitation: Invitation
) -> None:
    await set_confirmed(db, bob, confirmed=False)
    with pytest.raises(Forbidden):
        async with db.act() as session:
            await accept(session, bob, invitation.id)

    async with db.act() as session:
        await accept(session, bob, invitation.id, is_mailed=True)

    async with db.read() as session:
        assert (await session.get_one(User, bob.id)).is_confirmed


async def test_a_link_that_was_shown_does_not_pass_for_a_mailed_one(
    db: Database, invitation: Invitation
) -> None:
    assert read_token(SIGNER, link_token(SIGNER, invitation.id)) == (invitation.id, False)
    with pytest.raises(NotFound):
        read_token(SIGNER, SIGNER.sign("undo", invitation.id))


async def test_revoking_withdraws_the_notice(
    db: Database,
    alice: User,
    bob: User,
    video_squad: Team,
    invitation: Invitation,
    told: Told,
) -> None:
    async with db.act() as session:
        await revoke(session, alice, video_squad.id, invitation.id)

    assert await told(bob) == []
    with pytest.raises(Conflict):
        async with db.act() as session:
            await revoke(session, alice, video_squad.id, invitation.id)


async def test_sending_again_extends_and_leaves_one_notice(
    db: Database,
    alice: User,
    bob: User,
    video_squad: Team,
    invitation: Invitation,
    told: Told,
) -> None:
    await expire(db, invitation)

    async with db.act() as session:
        await send_again(session, alice, video_squad.id, invitation.id)

    assert len(await told(bob)) == 1
    async with found(db, invitation) as renewed:
        assert renewed.expires_at > clock.now() + timedelta(days=6)


async def test_an_invitation_of_another_team_is_not_there(
    db: Database, bob: User, invitation: Invitation
) -> None:
    team = await make_team(db, bob, "Bob's")

    for verb in (revoke, send_again):
        with pytest.raises(NotFound):
            async with db.act() as session:
                await verb(session, bob, team.id, invitation.id)


async def test_who_comes_later_finds_what_waited_for_them_once(
    db: Database, alice: User, video_squad: Team, told: Told
) -> None:
    async with db.act() as session:
        await invite(session, alice, video_squad.id, "Dora@Example.com", "viewer")
    dora = await make_account(db, "dora")

    for _ in range(2):
        async with db.act() as session:
            await greet_newcomer(session, dora)

    assert await told(dora) == ["alice invited you to join team 'Video Squad' as viewer"]


async def test_adding_the_invited_directly_settles_the_invitation(
    db: Database,
    alice: User,
    bob: User,
    video_squad: Team,
    invitation: Invitation,
    told: Told,
) -> None:
    async with db.act() as session:
        await add_member(session, alice, video_squad.id, "bob", "viewer")

    assert await told(bob) == ["You were added to team 'Video Squad' as viewer"]
    async with found(db, invitation) as settled:
        assert settled.status == "accepted"


async def test_an_inviter_who_was_removed_hears_of_no_answer(
    db: Database, alice: User, bob: User, carol: User, told: Told
) -> None:
    team = await make_team(db, alice, admins=[bob])
    async with db.act() as session:
        invitation = await invite(session, bob, team.id, carol.email, "viewer")
        await remove_member(session, alice, team.id, bob.id)

    async with db.act() as session:
        await decline(session, carol, invitation.id)

    assert await told(bob) == ["You were removed from team 'Video Squad'"]


async def test_only_ones_own_notice_leads_to_an_invitation(
    db: Database, bob: User, carol: User, invitation: Invitation
) -> None:
    async def read(session: AsyncSession, user: User) -> int:
        notice = (await session.scalars(select(Notification))).one()
        return await invitation_told_in(session, user, notice.id)

    async with db.read() as session:
        assert await read(session, bob) == invitation.id
        with pytest.raises(NotFound):
            await read(session, carol)
