"""Invitations: sent to an address, announced in the app or by mail, answered once by its account."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from typing import Any

import httpx
import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.database import Database
from app.errors import Conflict, Forbidden, Invalid, NotFound, Taken, TooMany
from app.models import Delivery, Event, Invitation, Membership, Notification, Team, User
from app.notifications.inbox import feed
from app.settings import Settings
from app.teams.invitation_links import (
    MAILED_LINK,
    SHOWN_LINK,
    invitation_path,
    link_token,
    read_token,
)
from app.teams.invitation_mail import INVITATION_MAIL
from app.teams.invitations import (
    MAX_OPEN,
    invite,
    notify_of_open_invitations,
    revoke,
    send_again,
    unmailed_reason,
    was_removed_since,
)
from app.teams.membership import add_member, remove_member
from app.teams.open_invitations import LIFETIME, closed_reason
from app.teams.responses import accept, decline, invitation_of
from app.values.names import to_plain
from tests.conftest import post, sign_in, text_of
from tests.factories import SIGNER, make_account, make_team
from tests.mailing import deliver_mail, facts_of, share, token_of
from tests.notifications.conftest import Hands
from tests.teams.conftest import Bell


@pytest.fixture
async def invitation(db: Database, alice: User, bob: User, video_squad: Team) -> Invitation:
    """Alice invites bob to Video Squad as editor."""
    async with db.act() as session:
        return await invite(session, alice, video_squad.id, bob.email, "editor")


@asynccontextmanager
async def found(db: Database, invitation: Invitation) -> AsyncIterator[Invitation]:
    async with db.read() as session:
        yield await session.get_one(Invitation, invitation.id)


async def transactional_mails(db: Database) -> list[Delivery]:
    async with db.read() as session:
        return list(
            await session.scalars(select(Delivery).where(Delivery.transactional.is_not(None)))
        )


async def set_confirmed(db: Database, user: User, *, confirmed: bool) -> None:
    user.email_confirmed_at = clock.now() if confirmed else None
    async with db.write() as session:
        await session.merge(user)


async def status_of(db: Database, *invitations: Invitation) -> list[str]:
    async with db.read() as session:
        return [(await session.get_one(Invitation, one.id)).status for one in invitations]


async def expire(db: Database, invitation: Invitation) -> None:
    past = clock.now() - timedelta(seconds=1)
    async with db.write() as session:
        await session.execute(
            update(Invitation).where(Invitation.id == invitation.id).values(expires_at=past)
        )


async def test_an_account_is_notified_in_the_app_and_not_mailed(
    db: Database, bob: User, invitation: Invitation, bell: Bell
) -> None:
    assert await bell(bob) == ["alice invited you to join team 'Video Squad' as editor"]
    assert await transactional_mails(db) == []


async def test_an_address_without_account_is_mailed_and_the_delivery_holds_no_secret(
    db: Database, alice: User, video_squad: Team
) -> None:
    async with db.act() as session:
        await invite(session, alice, video_squad.id, "New@Example.com", "viewer")

    (mail,) = await transactional_mails(db)
    context = mail.context or {}
    assert (mail.address, mail.transactional) == ("New@Example.com", "invitation")
    assert "token" not in context
    async with db.read() as session:
        assert await read_token(session, token_of(mail)) == (context["invitation_id"], True)


async def test_the_mail_has_the_link_and_escapes_names(
    db: Database, settings: Settings, alice: User
) -> None:
    team = await make_team(db, alice, "Cats & <Dogs>")
    async with db.act() as session:
        await invite(session, alice, team.id, "new@example.com", "viewer")

    await deliver_mail(db, settings)

    (file,) = settings.mail_dir.glob("*.eml")
    mail = message_from_bytes(file.read_bytes(), policy=default)
    text, html = (mail.get_body((kind,)) for kind in ("plain", "html"))
    assert mail["Subject"] == "You are invited to join team 'Cats & <Dogs>'"
    assert text
    assert html
    assert "http://testserver/invitations/" in text.get_content()
    assert "Cats &amp; &lt;Dogs&gt;" in html.get_content()


async def test_an_unconfirmed_account_is_mailed_and_not_notified(
    db: Database, alice: User, bob: User, video_squad: Team, bell: Bell
) -> None:
    await set_confirmed(db, bob, confirmed=False)

    async with db.act() as session:
        await invite(session, alice, video_squad.id, bob.email, "viewer")

    assert await bell(bob) == []
    assert len(await transactional_mails(db)) == 1


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
async def test_an_invalid_address_and_an_invalid_role_are_both_named(
    db: Database, alice: User, video_squad: Team, email: str
) -> None:
    with pytest.raises(Invalid) as invalid:
        async with db.act() as session:
            await invite(session, alice, video_squad.id, email, "owner")

    assert set(invalid.value.fields) == {"email", "role"}


async def test_a_member_and_an_invited_address_cannot_be_invited(
    db: Database, alice: User, bob: User, video_squad: Team, invitation: Invitation
) -> None:
    for email in (alice.email.upper(), bob.email.upper()):
        with pytest.raises(Invalid) as invalid:
            async with db.act() as session:
                await invite(session, alice, video_squad.id, email, "viewer")
        assert set(invalid.value.fields) == {"email"}


async def test_two_teams_can_invite_the_same_address(
    db: Database, alice: User, bob: User, invitation: Invitation, bell: Bell
) -> None:
    choir = await make_team(db, alice, "Choir")

    async with db.act() as session:
        other = await invite(session, alice, choir.id, bob.email, "viewer")

    assert await status_of(db, invitation, other) == ["pending", "pending"]
    assert await bell(bob) == [
        "alice invited you to join team 'Choir' as viewer",
        "alice invited you to join team 'Video Squad' as editor",
    ]


async def test_a_member_of_another_team_can_be_invited(
    db: Database, alice: User, bob: User, video_squad: Team
) -> None:
    await make_team(db, bob, "Choir")

    async with db.act() as session:
        await invite(session, alice, video_squad.id, bob.email, "viewer")


async def test_inviting_one_address_leaves_the_other_invitations_open(
    db: Database, alice: User, video_squad: Team, invitation: Invitation
) -> None:
    async with db.act() as session:
        await invite(session, alice, video_squad.id, "new@example.com", "viewer")

    assert await status_of(db, invitation) == ["pending"]


async def test_an_address_that_declined_can_be_invited_again(
    db: Database, alice: User, bob: User, video_squad: Team, invitation: Invitation
) -> None:
    async with db.act() as session:
        await decline(session, bob, invitation.id)

    async with db.act() as session:
        newer = await invite(session, alice, video_squad.id, bob.email, "viewer")

    assert await status_of(db, invitation, newer) == ["declined", "pending"]


async def test_an_editor_cannot_invite_revoke_or_send_again(
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


async def test_fifty_invitations_can_be_open_and_an_expired_one_does_not_count(
    db: Database, alice: User, video_squad: Team
) -> None:
    async with db.act() as session:
        sent = [
            await invite(session, alice, video_squad.id, f"n{n}@example.com", "viewer")
            for n in range(MAX_OPEN)
        ]
    with pytest.raises(Conflict, match=r"^A team can have at most 50 open invitations\. Revoke"):
        async with db.act() as session:
            await invite(session, alice, video_squad.id, "more@example.com", "viewer")

    await expire(db, sent[0])
    async with db.act() as session:
        await invite(session, alice, video_squad.id, "more@example.com", "viewer")
    with pytest.raises(Conflict):
        async with db.act() as session:
            await send_again(session, alice, video_squad.id, sent[0].id)


async def test_the_open_invitations_of_another_team_do_not_count(
    db: Database, alice: User, video_squad: Team
) -> None:
    choir = await make_team(db, alice, "Choir")
    async with db.act() as session:
        for n in range(MAX_OPEN):
            await invite(session, alice, choir.id, f"n{n}@example.com", "viewer")

    async with db.act() as session:
        await invite(session, alice, video_squad.id, "more@example.com", "viewer")


async def test_a_closed_invitation_does_not_count(
    db: Database, alice: User, video_squad: Team
) -> None:
    async with db.act() as session:
        for n in range(MAX_OPEN):
            latest = await invite(session, alice, video_squad.id, f"n{n}@example.com", "viewer")
        await revoke(session, alice, video_squad.id, latest.id)

    async with db.act() as session:
        await invite(session, alice, video_squad.id, "more@example.com", "viewer")


async def test_one_of_fifty_open_invitations_can_be_sent_again(
    db: Database, alice: User, video_squad: Team
) -> None:
    async with db.act() as session:
        for n in range(MAX_OPEN):
            latest = await invite(session, alice, video_squad.id, f"n{n}@example.com", "viewer")
        latest.mailed_at = clock.now() - timedelta(hours=1)

    async with db.act() as session:
        await send_again(session, alice, video_squad.id, latest.id)


async def test_an_address_can_be_invited_again_once_its_invitation_has_expired(
    db: Database, alice: User, bob: User, video_squad: Team, invitation: Invitation, bell: Bell
) -> None:
    await expire(db, invitation)

    async with db.act() as session:
        newer = await invite(session, alice, video_squad.id, bob.email, "viewer")

    assert await status_of(db, invitation, newer) == ["revoked", "pending"]
    assert await bell(bob) == ["alice invited you to join team 'Video Squad' as viewer"]


async def test_accepting_makes_a_member_and_notifies_everyone(
    db: Database,
    alice: User,
    bob: User,
    video_squad: Team,
    invitation: Invitation,
    bell: Bell,
) -> None:
    async with db.act() as session:
        await accept(session, bob, invitation.id)

    async with db.read() as session:
        assert (await session.get_one(Membership, (video_squad.id, bob.id))).role == "editor"
        assert await feed.unread_count(session, bob.id) == 1
    assert await bell(alice) == ["bob joined the team as editor"]
    assert (await bell(bob))[0] == "You were added to team 'Video Squad' as editor"


async def test_declining_notifies_the_inviter_alone(
    db: Database, alice: User, bob: User, carol: User, bell: Bell
) -> None:
    team = await make_team(db, alice, admins=[carol])
    async with db.act() as session:
        invitation = await invite(session, alice, team.id, bob.email, "editor")

    async with db.act() as session:
        await decline(session, bob, invitation.id)

    assert await bell(alice) == ["bob declined the invitation to team 'Video Squad'"]
    assert await bell(carol) == []
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


async def test_of_concurrent_responses_one_counts(
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


async def test_accepting_leaves_other_invitations_open_and_other_notifications_unread(
    db: Database, alice: User, bob: User, carol: User, video_squad: Team, invitation: Invitation
) -> None:
    choir = await make_team(db, alice, "Choir")
    async with db.act() as session:
        of_carol = await invite(session, alice, video_squad.id, carol.email, "viewer")
        to_choir = await invite(session, alice, choir.id, bob.email, "viewer")

    async with db.act() as session:
        await accept(session, bob, invitation.id)

    expected = ["accepted", "pending", "pending"]
    assert await status_of(db, invitation, of_carol, to_choir) == expected
    async with db.read() as session:
        assert await feed.unread_count(session, bob.id) == 2
        assert await feed.unread_count(session, carol.id) == 1


async def test_a_member_whose_new_address_was_invited_cannot_accept(
    db: Database, alice: User, bob: User
) -> None:
    team = await make_team(db, alice, editors=[bob])
    async with db.act() as session:
        invitation = await invite(session, alice, team.id, "new@example.com", "viewer")
        member = await session.get_one(User, bob.id)
        member.email = member.email_key = "new@example.com"

    with pytest.raises(Conflict, match="already in 'Video Squad'"):
        async with db.act() as session:
            await accept(session, bob, invitation.id)

    assert await status_of(db, invitation) == ["pending"]


async def test_a_response_to_an_unknown_invitation_is_not_found(db: Database, bob: User) -> None:
    for verb in (accept, decline):
        with pytest.raises(NotFound):
            async with db.act() as session:
                await verb(session, bob, 999)


async def test_an_expired_or_revoked_invitation_cannot_be_accepted(
    db: Database, alice: User, bob: User, video_squad: Team, invitation: Invitation
) -> None:
    await expire(db, invitation)
    with pytest.raises(Conflict, match="expired"):
        async with db.act() as session:
            await accept(session, bob, invitation.id)

    async with db.act() as session:
        await revoke(session, alice, video_squad.id, invitation.id)
    with pytest.raises(Conflict, match="revoked"):
        async with db.act() as session:
            await accept(session, bob, invitation.id)


async def test_only_the_invited_address_can_respond(
    db: Database, alice: User, carol: User, invitation: Invitation
) -> None:
    for user in (alice, carol):
        for verb in (accept, decline):
            with pytest.raises(Forbidden):
                async with db.act() as session:
                    await verb(session, user, invitation.id, is_mailed=True)


async def test_only_the_mailed_link_confirms_an_unconfirmed_address(
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


async def test_confirming_by_the_mailed_link_brings_the_other_invitations(
    db: Database, alice: User, bob: User, video_squad: Team, bell: Bell
) -> None:
    await set_confirmed(db, bob, confirmed=False)
    choir = await make_team(db, alice, "Choir")
    async with db.act() as session:
        await invite(session, alice, choir.id, bob.email, "viewer")
        invitation = await invite(session, alice, video_squad.id, bob.email, "editor")

    async with db.act() as session:
        await accept(session, bob, invitation.id, is_mailed=True)

    assert await bell(bob) == [
        "You were added to team 'Video Squad' as editor",
        "alice invited you to join team 'Choir' as viewer",
    ]


async def test_a_link_shown_in_the_app_is_not_a_mailed_one(
    db: Database, invitation: Invitation
) -> None:
    async with db.read() as session:
        shown = await read_token(session, link_token(SIGNER, invitation))
        assert shown == (invitation.id, False)
        undo = SIGNER.sign("undo", [invitation.id, invitation.link_nonce])
        with pytest.raises(NotFound):
            await read_token(session, undo)


async def later_with_the_same_id(
    db: Database, inviter: User, team: Team, earlier: Invitation, email: str
) -> Invitation:
    """Delete an invitation; make another that has its id, as SQLite did before the migration."""
    async with db.write() as session:
        await session.execute(delete(Invitation).where(Invitation.id == earlier.id))
        later = Invitation(id=earlier.id, team_id=team.id, inviter_id=inviter.id, role="admin")
        later.email = later.email_key = email
        later.expires_at = clock.now() + LIFETIME
        session.add(later)
    return later


async def test_the_links_of_a_deleted_invitation_open_no_later_one(
    db: Database, alice: User, carol: User, video_squad: Team, invitation: Invitation
) -> None:
    mailed = SIGNER.sign(MAILED_LINK, [invitation.id, invitation.link_nonce])
    await later_with_the_same_id(db, alice, video_squad, invitation, carol.email)

    async with db.read() as session:
        for token in (mailed, link_token(SIGNER, invitation)):
            with pytest.raises(NotFound, match="Ask for a new invitation"):
                await read_token(session, token)


@pytest.mark.parametrize("purpose", [SHOWN_LINK, MAILED_LINK])
async def test_a_link_from_before_there_were_nonces_says_to_ask_for_a_new_one(
    client: httpx.AsyncClient, db: Database, bob: User, invitation: Invitation, purpose: str
) -> None:
    """Also for an invitation that is still open: nobody knows which one it was mailed for."""
    await set_confirmed(db, bob, confirmed=False)
    await sign_in(client, bob)
    url = f"/invitations/{SIGNER.sign(purpose, invitation.id)}"

    shown, accepted = await client.get(url), await post(client, f"{url}/accept")

    assert "Ask for a new invitation." in text_of(shown)
    assert "Ask for a new invitation." in text_of(accepted)
    async with db.read() as session:
        assert not (await session.get_one(User, bob.id)).is_confirmed
    assert await status_of(db, invitation) == ["pending"]


async def test_revoking_withdraws_the_notification(
    db: Database,
    alice: User,
    bob: User,
    video_squad: Team,
    invitation: Invitation,
    bell: Bell,
) -> None:
    async with db.act() as session:
        await revoke(session, alice, video_squad.id, invitation.id)

    assert await bell(bob) == []
    with pytest.raises(Conflict):
        async with db.act() as session:
            await revoke(session, alice, video_squad.id, invitation.id)


async def test_sending_again_extends_and_leaves_one_notification(
    db: Database,
    alice: User,
    bob: User,
    carol: User,
    hands: Hands,
    bell: Bell,
) -> None:
    """It comes from the one who sent it again, and it is they who read the response."""
    hands.set("2026-11-23 10:00")
    team = await make_team(db, alice, admins=[carol])
    async with db.act() as session:
        invitation = await invite(session, alice, team.id, bob.email, "editor")
    hands.move(LIFETIME)

    async with db.act() as session:
        await send_again(session, carol, team.id, invitation.id)

    assert await bell(bob) == ["carol invited you to join team 'Video Squad' as editor"]
    async with found(db, invitation) as renewed:
        assert renewed.expires_at == clock.now() + timedelta(days=7)
        assert (renewed.inviter_id, renewed.status) == (carol.id, "pending")


@pytest.mark.parametrize(
    ("passed", "wait"),
    [
        (timedelta(0), 3600),
        (timedelta(minutes=59, seconds=58.5), 2),
        (timedelta(hours=1) - timedelta(microseconds=1), 1),
        (timedelta(hours=1), None),
    ],
)
async def test_within_an_hour_of_its_mail_an_invitation_is_not_sent_again(
    db: Database,
    alice: User,
    bob: User,
    video_squad: Team,
    hands: Hands,
    passed: timedelta,
    wait: int | None,
) -> None:
    hands.set("2026-11-23 10:00")
    async with db.act() as session:
        sent = await invite(session, alice, video_squad.id, bob.email, "editor")
    assert (sent.mailed_at, unmailed_reason(sent)) == (clock.now(), "")
    hands.move(passed)

    if wait is None:
        async with db.act() as session:
            again = await send_again(session, alice, video_squad.id, sent.id)
        assert again.mailed_at == clock.now()
    else:
        with pytest.raises(TooMany, match="less than an hour ago") as refused:
            async with db.act() as session:
                await send_again(session, alice, video_squad.id, sent.id)
        assert refused.value.retry_after == wait


@pytest.mark.parametrize("changes", [{"mailed_at": None}, {"expires_at": "now"}])
async def test_an_invitation_that_was_not_mailed_or_has_expired_is_sent_again_at_once(
    db: Database, alice: User, bob: User, video_squad: Team, hands: Hands, changes: dict[str, Any]
) -> None:
    hands.set("2026-11-23 10:00")
    async with db.act() as session:
        sent = await invite(session, alice, video_squad.id, bob.email, "editor")
    async with db.write() as session:
        values = {name: clock.now() if value else None for name, value in changes.items()}
        await session.execute(update(Invitation).values(values))

    async with db.act() as session:
        again = await send_again(session, alice, video_squad.id, sent.id)

    assert again.expires_at == clock.now() + LIFETIME


async def test_an_unconfirmed_sender_reads_why_the_invitation_was_not_emailed(
    db: Database, alice: User, bob: User, video_squad: Team, bell: Bell
) -> None:
    """The invitation is in the app only; other mail to its recipient stays."""
    await share_reel(db, alice, bob)
    alice.email_confirmed_at = None
    async with db.act() as session:
        sent = await invite(session, alice, video_squad.id, bob.email, "editor")

    assert (sent.unmailed, sent.mailed_at) == ("sender_unconfirmed", None)
    assert unmailed_reason(sent).startswith("It was not emailed, because the address of its sender")
    assert (await bell(bob))[0] == "alice invited you to join team 'Video Squad' as editor"
    async with db.read() as session:
        rows = select(Delivery.state, Delivery.reason).order_by(Delivery.id)
        states = [tuple(row) for row in await session.execute(rows)]
    assert states == [("pending", None), ("skipped", "sender_unconfirmed")]


async def share_reel(db: Database, actor: User, user: User) -> None:
    """The user hears of it by mail."""
    await share(db, actor, await make_team(db, actor, "Editors", viewers=[user]))


async def test_users_who_confirm_their_address_get_open_invitations_in_the_app_only(
    db: Database, alice: User, video_squad: Team
) -> None:
    async with db.act() as session:
        await invite(session, alice, video_squad.id, "dora@example.com", "viewer")
    dora = await make_account(db, "dora")

    async with db.act() as session:
        await notify_of_open_invitations(session, dora)

    async with db.read() as session:
        hers = select(Delivery.state, Delivery.reason).where(Delivery.user_id == dora.id)
        assert [tuple(row) for row in await session.execute(hers)] == [("skipped", "mailed_before")]


@pytest.mark.parametrize(("name", "short"), [("a" * 40, "a" * 40), ("a" * 41, "a" * 39 + "…")])
def test_the_subject_of_the_mail_has_at_most_forty_letters_of_the_team(
    name: str, short: str
) -> None:
    facts = {"invitation_id": 1, "nonce": "x", "team": name, "role": "viewer"}
    facts |= {"address": "new@example.com"}

    assert INVITATION_MAIL.links(SIGNER, facts)["short_name"] == short


async def test_an_invitation_is_as_it_was_sent_and_open_for_seven_days(
    db: Database, alice: User, bob: User, video_squad: Team, hands: Hands
) -> None:
    hands.set("2026-11-23 10:00")
    async with db.act() as session:
        sent = await invite(session, alice, video_squad.id, bob.email.upper(), "editor")

    async with found(db, sent) as row:
        assert (row.team_id, row.inviter_id, row.role) == (video_squad.id, alice.id, "editor")
        assert (row.email, row.email_key) == (bob.email.upper(), bob.email)
        assert (row.status, row.answered_at) == ("pending", None)
        assert row.expires_at == clock.now() + timedelta(days=7)
    async with db.read() as session:
        event = (await session.scalars(select(Event))).one()
    assert (event.actor_id, event.affected_id, event.team_id) == (alice.id, bob.id, video_squad.id)
    assert event.invitation_id == sent.id
    assert event.context == {
        "username": "bob",
        "team_name": "Video Squad",
        "role": "editor",
        "inviter": "alice",
    }


async def test_the_mail_holds_what_it_says_in_the_language_of_the_inviter(
    db: Database, alice: User, video_squad: Team
) -> None:
    alice.language = "de"
    async with db.act() as session:
        sent = await invite(session, alice, video_squad.id, "new@example.com", "viewer")

    [mail] = await transactional_mails(db)
    assert mail.user_id is None
    assert mail.context == {
        "language": "de",
        "invitation_id": sent.id,
        "nonce": sent.link_nonce,
        "team": "Video Squad",
        "role": "viewer",
        "inviter": "alice",
    }
    links = INVITATION_MAIL.links(SIGNER, facts_of(mail))
    assert (links["role"], links["days"]) == ("viewer", 7)
    async with db.read() as session:
        assert await read_token(session, links["token"]) == (sent.id, True)


async def test_an_invitation_closes_at_the_moment_it_expires(
    db: Database, alice: User, bob: User, video_squad: Team, hands: Hands
) -> None:
    hands.set("2026-11-23 10:00")
    async with db.act() as session:
        sent = await invite(session, alice, video_squad.id, bob.email, "editor")

    hands.move(LIFETIME - timedelta(microseconds=1))
    assert closed_reason(sent) == ""
    with pytest.raises(Taken):
        async with db.act() as session:
            await invite(session, alice, video_squad.id, bob.email, "viewer")

    hands.move(timedelta(microseconds=1))
    assert closed_reason(sent) == "This invitation has expired. Ask for a new one."
    async with db.act() as session:
        newer = await invite(session, alice, video_squad.id, bob.email, "viewer")
    async with found(db, sent) as former:
        assert (former.status, former.answered_at) == ("revoked", clock.now())
    assert await status_of(db, newer) == ["pending"]


async def test_inviting_again_revokes_only_expired_invitations_of_this_address_and_team(
    db: Database, alice: User, bob: User, video_squad: Team, invitation: Invitation
) -> None:
    choir = await make_team(db, alice, "Choir")
    async with db.act() as session:
        others = [
            await invite(session, alice, choir.id, bob.email, "viewer"),
            await invite(session, alice, video_squad.id, "new@example.com", "viewer"),
        ]
    for expired in (invitation, *others):
        await expire(db, expired)

    async with db.act() as session:
        await invite(session, alice, video_squad.id, bob.email.upper(), "viewer")

    assert await status_of(db, invitation, *others) == ["revoked", "pending", "pending"]


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        ("accepted", "This invitation was already accepted."),
        ("declined", "This invitation was declined."),
        ("revoked", "This invitation was revoked."),
    ],
)
async def test_a_closed_invitation_says_why_and_can_neither_be_revoked_nor_sent_again(
    db: Database,
    alice: User,
    video_squad: Team,
    invitation: Invitation,
    status: str,
    sentence: str,
) -> None:
    async with db.write() as session:
        await session.execute(update(Invitation).values(status=status))

    for verb in (revoke, send_again):
        with pytest.raises(Conflict, match=sentence):
            async with db.act() as session:
                await verb(session, alice, video_squad.id, invitation.id)
    assert await status_of(db, invitation) == [status]


async def test_a_revoked_invitation_keeps_when_that_was(
    db: Database, alice: User, video_squad: Team, invitation: Invitation, hands: Hands
) -> None:
    hands.set("2026-11-23 10:00")
    async with db.act() as session:
        await revoke(session, alice, video_squad.id, invitation.id)

    async with found(db, invitation) as row:
        assert (row.status, row.answered_at) == ("revoked", clock.now())


async def test_an_unknown_invitation_is_neither_revoked_nor_sent_again(
    db: Database, alice: User, video_squad: Team
) -> None:
    for verb in (revoke, send_again):
        with pytest.raises(NotFound):
            async with db.act() as session:
                await verb(session, alice, video_squad.id, 999)


async def test_a_refused_invitation_names_the_user_and_the_reason(
    db: Database, alice: User, bob: User, video_squad: Team, invitation: Invitation
) -> None:
    for email, sentence in (
        (alice.email, "alice is already in this team."),
        (bob.email, "This address is already invited."),
    ):
        with pytest.raises(Taken) as taken:
            async with db.act() as session:
                await invite(session, alice, video_squad.id, email, "viewer")
        assert to_plain(taken.value.fields["email"]) == sentence


async def test_open_invitations_reach_a_new_account_in_the_order_in_which_they_were_sent(
    db: Database, alice: User, video_squad: Team, bell: Bell
) -> None:
    choir = await make_team(db, alice, "Choir")
    async with db.act() as session:
        for team in (video_squad, choir):
            await invite(session, alice, team.id, "dora@example.com", "viewer")
    dora = await make_account(db, "dora")

    async with db.act() as session:
        await notify_of_open_invitations(session, dora)

    assert await bell(dora) == [
        "alice invited you to join team 'Choir' as viewer",
        "alice invited you to join team 'Video Squad' as viewer",
    ]


async def skip_reason(db: Database, invitation_id: int) -> str | None:
    async with db.read() as session:
        facts = {"invitation_id": invitation_id, "address": "bob@example.com"}
        return await INVITATION_MAIL.skip_reason(session, facts)


async def test_the_mail_of_an_invitation_is_sent_while_that_is_open_and_its_inviter_not_suspended(
    db: Database, alice: User, bob: User, invitation: Invitation
) -> None:
    assert await skip_reason(db, 999) == "answered"
    assert await skip_reason(db, invitation.id) is None

    async with db.write() as session:
        await session.execute(update(User).values(suspended_at=clock.now()))
    assert await skip_reason(db, invitation.id) == "inviter_suspended"

    async with db.write() as session:
        await session.execute(update(Invitation).values(inviter_id=None))
    assert await skip_reason(db, invitation.id) is None

    await expire(db, invitation)
    assert await skip_reason(db, invitation.id) == "answered"


def test_the_link_in_the_app_leads_to_the_page_of_the_invitation(invitation: Invitation) -> None:
    path = invitation_path(SIGNER, invitation)

    assert path == f"/invitations/{link_token(SIGNER, invitation)}"


async def test_an_invitation_of_another_team_is_not_found(
    db: Database, bob: User, invitation: Invitation
) -> None:
    team = await make_team(db, bob, "Bob's")

    for verb in (revoke, send_again):
        with pytest.raises(NotFound):
            async with db.act() as session:
                await verb(session, bob, team.id, invitation.id)


async def test_a_new_account_is_notified_once_of_an_earlier_invitation(
    db: Database, alice: User, video_squad: Team, bell: Bell
) -> None:
    async with db.act() as session:
        await invite(session, alice, video_squad.id, "Dora@Example.com", "viewer")
    dora = await make_account(db, "dora")

    for _ in range(2):
        async with db.act() as session:
            await notify_of_open_invitations(session, dora)

    assert await bell(dora) == ["alice invited you to join team 'Video Squad' as viewer"]


async def test_a_new_account_is_not_notified_of_invitations_to_others_or_closed_ones(
    db: Database, alice: User, video_squad: Team, invitation: Invitation, bell: Bell
) -> None:
    async with db.act() as session:
        revoked = await invite(session, alice, video_squad.id, "dora@example.com", "viewer")
        await revoke(session, alice, video_squad.id, revoked.id)
        expired = await invite(session, alice, video_squad.id, "dora@example.com", "viewer")
    await expire(db, expired)
    dora = await make_account(db, "dora")

    async with db.act() as session:
        await notify_of_open_invitations(session, dora)

    assert await bell(dora) == []


async def test_an_invitation_outlives_the_account_of_its_inviter(
    db: Database, alice: User, bob: User, bell: Bell
) -> None:
    team = await make_team(db, alice, admins=[bob])
    async with db.act() as session:
        await invite(session, bob, team.id, "dora@example.com", "viewer")
    async with db.write() as session:
        await session.execute(delete(User).where(User.id == bob.id))
    dora = await make_account(db, "dora")

    async with db.act() as session:
        await notify_of_open_invitations(session, dora)

    assert await bell(dora) == ["Video Squad invited you to join team 'Video Squad' as viewer"]


async def test_adding_an_invited_user_directly_closes_the_invitation(
    db: Database,
    alice: User,
    bob: User,
    video_squad: Team,
    invitation: Invitation,
    bell: Bell,
) -> None:
    async with db.act() as session:
        await add_member(session, alice, video_squad.id, "bob", "viewer")

    assert await bell(bob) == ["You were added to team 'Video Squad' as viewer"]
    assert await status_of(db, invitation) == ["accepted"]


async def test_a_removed_inviter_is_not_notified_of_the_response(
    db: Database, alice: User, bob: User, carol: User, bell: Bell
) -> None:
    team = await make_team(db, alice, admins=[bob])
    async with db.act() as session:
        invitation = await invite(session, bob, team.id, carol.email, "viewer")
        await remove_member(session, alice, team.id, bob.id)

    async with db.act() as session:
        await decline(session, carol, invitation.id)

    assert await bell(bob) == ["You were removed from team 'Video Squad'"]


async def test_a_removal_leaves_the_invitation_that_was_accepted_as_it_is(
    db: Database, alice: User, bob: User, video_squad: Team, invitation: Invitation
) -> None:
    async with db.act() as session:
        await accept(session, bob, invitation.id)

    async with db.act() as session:
        await remove_member(session, alice, video_squad.id, bob.id)

    assert await status_of(db, invitation) == ["accepted"]


async def test_users_removed_earlier_or_from_another_team_see_the_invitation(
    db: Database, alice: User, bob: User, hands: Hands
) -> None:
    """A removal at the very moment of sending came before it."""
    hands.set("2026-11-23 10:00")
    squad, choir = [await make_team(db, alice, name, editors=[bob]) for name in ("Squad", "Choir")]
    async with db.act() as session:
        await remove_member(session, alice, squad.id, bob.id)
        sent = await invite(session, alice, squad.id, "new@example.com", "viewer")
    hands.move(timedelta(seconds=1))
    async with db.act() as session:
        await remove_member(session, alice, choir.id, bob.id)
        assert not await was_removed_since(session, sent, bob)

    hands.move(timedelta(seconds=1))
    async with db.act() as session:
        await add_member(session, alice, squad.id, "bob", "viewer")
        await remove_member(session, alice, squad.id, bob.id)
        assert await was_removed_since(session, sent, bob)


async def test_of_several_invitations_only_that_of_the_team_that_removed_them_ends(
    db: Database, alice: User, bob: User, bell: Bell
) -> None:
    """When they confirm the address that both went to."""
    squad, choir = [await make_team(db, alice, name, editors=[bob]) for name in ("Squad", "Choir")]
    async with db.act() as session:
        sent = [
            await invite(session, alice, team.id, "new@example.com", "viewer")
            for team in (squad, choir)
        ]
        await remove_member(session, alice, squad.id, bob.id)
    async with db.act() as session:
        account = await session.get_one(User, bob.id)
        account.email = account.email_key = "new@example.com"
        await notify_of_open_invitations(session, account)

    assert await status_of(db, *sent) == ["revoked", "pending"]
    assert (await bell(bob))[0] == "alice invited you to join team 'Choir' as viewer"


async def test_only_ones_own_notification_leads_to_its_invitation(
    db: Database, bob: User, carol: User, invitation: Invitation
) -> None:
    async def read(session: AsyncSession, user: User) -> int:
        notice = (await session.scalars(select(Notification))).one()
        return await invitation_of(session, user, notice.id)

    async with db.read() as session:
        assert await read(session, bob) == invitation.id
        with pytest.raises(NotFound):
            await read(session, carol)
