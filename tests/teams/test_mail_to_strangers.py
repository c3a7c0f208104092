"""How much mail invitations can cause, and whose: by the address that it goes to."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from litestar import Litestar
from sqlalchemy import func, insert, select, update

from app import clock
from app.asgi import create_app
from app.database import Database
from app.errors import TooMany
from app.installation import install
from app.models import Delivery, Invitation, Mailing, Team, User
from app.notifications.delivery.retention import clean_up
from app.settings import Settings
from app.teams.invitations import invite, revoke, send_again, unmailed_reason
from tests.application import browser, running
from tests.conftest import post, sign_in, text_of
from tests.factories import make_account, make_team
from tests.mailing import deliver_mail, deliveries, make_due
from tests.postoffice import PostOffice

STRANGER = "stranger@example.com"


@pytest.fixture
async def app(mailing: Settings) -> AsyncIterator[Litestar]:
    async with running(create_app(install(mailing))) as application:
        yield application


async def invite_by(db: Database, *users: User, email: str = STRANGER) -> list[Invitation]:
    """One invitation to `email` by each user, to a new team of their own."""
    invitations = []
    for user in users:
        team = await make_team(db, user, f"Team of {user.username}")
        async with db.act() as session:
            invitations.append(await invite(session, user, team.id, email, "viewer"))
    return invitations


async def lose_confirmation(db: Database, user: User) -> None:
    async with db.write() as session:
        mine = update(User).where(User.id == user.id)
        await session.execute(mine.values(email_confirmed_at=None))
    user.email_confirmed_at = None


async def pass_time(db: Database, time: timedelta) -> None:
    """As if everything so far had been that long ago."""
    async with db.write() as session:
        for moment in (Mailing.mailed_at, Invitation.mailed_at):
            for row in await session.scalars(select(moment.class_)):
                if row.mailed_at:
                    row.mailed_at -= time


async def test_three_mails_a_day_go_to_one_address_from_everybody_together(
    db: Database, mailing: Settings, office: PostOffice, alice: User, bob: User
) -> None:
    *three, fourth = await invite_by(db, alice, bob, alice, bob)

    await deliver_mail(db, mailing)

    assert office.envelopes == [STRANGER] * 3
    assert [one.unmailed for one in three] == [None] * 3
    assert (fourth.status, fourth.unmailed) == ("pending", "too_many_mails")


@pytest.mark.parametrize(
    "spelling", ["Stranger@Example.com", "stranger+1@example.com", "STRANGER+a+b@EXAMPLE.COM"]
)
async def test_another_spelling_is_the_same_mailbox(
    db: Database, alice: User, bob: User, spelling: str
) -> None:
    await invite_by(db, alice, bob, alice)

    [fourth] = await invite_by(db, bob, email=spelling)

    assert fourth.unmailed == "too_many_mails"


async def test_five_thousand_invitations_a_day_are_mailed_to_everybody_together(
    db: Database, mailing: Settings, office: PostOffice, alice: User, bob: User
) -> None:
    mailed = [{"name": "invitation", "mailbox": f"{n}@example.com"} for n in range(4_999)]
    async with db.write() as session:
        await session.execute(insert(Mailing), mailed)

    [last] = await invite_by(db, alice, email="last@example.com")
    [beyond] = await invite_by(db, bob, email="beyond@example.com")
    await deliver_mail(db, mailing)

    assert office.envelopes == ["last@example.com"]
    assert (last.unmailed, beyond.unmailed) == (None, "too_many_in_total")


async def test_one_sender_causes_at_most_a_twentieth_of_them(
    db: Database, alice: User, bob: User
) -> None:
    """So that a few accounts cannot stop the invitations of all others."""
    mailed = [
        {"name": "invitation", "mailbox": f"{n}@example.com", "sender_id": alice.id}
        for n in range(249)
    ]
    async with db.write() as session:
        await session.execute(insert(Mailing), mailed)

    [last, beyond] = [
        one for n in range(2) for one in await invite_by(db, alice, email=f"new{n}@example.com")
    ]
    [of_bob] = await invite_by(db, bob, email="new3@example.com")

    assert [one.unmailed for one in (last, beyond, of_bob)] == [None, "too_many_by_sender", None]
    assert "its sender has reached the daily limit" in unmailed_reason(beyond)


async def test_a_new_user_reads_why_no_link_was_mailed_and_how_to_get_one(
    app: Litestar, db: Database
) -> None:
    mailed = [{"name": "confirm_address", "mailbox": f"{n}@example.com"} for n in range(5_000)]
    async with db.write() as session:
        await session.execute(insert(Mailing), mailed)

    async with browser(app) as visitor:
        fields = {"username": "dora", "email": "dora@example.com", "password": "correct horse"}
        await post(visitor, "/register", **fields)
        page = text_of(await visitor.get("/account"))
        again = await post(visitor, "/account/address/confirmation")

    assert "could not be emailed now. You can have it sent again from your account page." in page
    assert again.status_code == 429
    assert "This server has reached its limit for these emails" in text_of(again)
    assert await deliveries(db) == []


async def test_the_daily_limit_counts_the_last_24_hours(
    db: Database, alice: User, bob: User
) -> None:
    await invite_by(db, alice, bob)
    await pass_time(db, timedelta(hours=20))
    await invite_by(db, alice)
    await pass_time(db, timedelta(hours=4, seconds=1))

    *two, third = await invite_by(db, bob, alice, bob)

    assert [one.unmailed for one in (*two, third)] == [None, None, "too_many_mails"]


async def test_revoking_and_inviting_anew_is_counted(
    db: Database, alice: User, video_squad: Team
) -> None:
    for _time in range(4):
        async with db.act() as session:
            latest = await invite(session, alice, video_squad.id, STRANGER, "viewer")
        async with db.act() as session:
            await revoke(session, alice, video_squad.id, latest.id)

    assert latest.unmailed == "too_many_mails"
    assert len(await deliveries(db)) == 3


async def test_an_account_that_was_invited_too_often_is_notified_in_the_app_alone(
    db: Database, mailing: Settings, office: PostOffice, alice: User, bob: User, carol: User
) -> None:
    await invite_by(db, alice, bob, alice, bob, email=carol.email)

    await make_due(db)
    await deliver_mail(db, mailing)

    assert office.envelopes == [carol.email] * 3
    *_three, fourth = await deliveries(db)
    assert (fourth.state, fourth.reason) == ("skipped", "too_many_mails")


async def test_unconfirmed_users_cannot_invite_by_mail(
    db: Database, mailing: Settings, office: PostOffice, alice: User, carol: User
) -> None:
    await lose_confirmation(db, alice)

    invitations = [
        *await invite_by(db, alice),
        *await invite_by(db, alice, email=carol.email),
    ]
    await deliver_mail(db, mailing)

    assert office.mails == []
    assert [one.unmailed for one in invitations] == ["sender_unconfirmed"] * 2
    assert [one.reason for one in await deliveries(db)] == ["sender_unconfirmed"]


async def test_it_is_mailed_once_its_sender_has_confirmed(
    db: Database, mailing: Settings, office: PostOffice, alice: User
) -> None:
    await lose_confirmation(db, alice)
    [invitation] = await invite_by(db, alice)
    alice.email_confirmed_at = clock.now()

    async with db.act() as session:
        again = await send_again(session, alice, invitation.team_id, invitation.id)
    await deliver_mail(db, mailing)

    assert again.unmailed is None
    assert office.envelopes == [STRANGER]


async def test_it_is_sent_again_at_most_once_an_hour(db: Database, alice: User) -> None:
    [invitation] = await invite_by(db, alice)

    with pytest.raises(TooMany) as refused:
        async with db.act() as session:
            await send_again(session, alice, invitation.team_id, invitation.id)
    await pass_time(db, timedelta(hours=1))
    async with db.act() as session:
        await send_again(session, alice, invitation.team_id, invitation.id)

    assert 3590 < refused.value.retry_after <= 3600
    assert len(await deliveries(db)) == 2


async def test_the_api_says_what_was_not_mailed(
    app: Litestar, db: Database, alice: User, bob: User, video_squad: Team
) -> None:
    await invite_by(db, alice, bob, alice)
    async with browser(app) as program:
        await sign_in(program, alice)
        program.headers["X-CSRF-Token"] = program.cookies["csrftoken"]
        url = f"/api/teams/{video_squad.id}/invitations"
        mailed = await program.post(url, json={"email": "other@example.com", "role": "viewer"})
        unmailed = await program.post(url, json={"email": STRANGER, "role": "viewer"})
        again = await program.post(f"{url}/{mailed.json()['id']}/again")

    assert (mailed.json()["mailed"], "detail" in mailed.json()) == (True, False)
    assert unmailed.status_code == 201
    assert (unmailed.json()["status"], unmailed.json()["mailed"]) == ("pending", False)
    assert "daily limit of invitation emails" in unmailed.json()["detail"]
    assert again.status_code == 429
    assert 0 < int(again.headers["Retry-After"]) <= 3600


async def test_the_page_says_what_was_not_mailed(
    client: httpx.AsyncClient, db: Database, alice: User, video_squad: Team
) -> None:
    await lose_confirmation(db, alice)
    await sign_in(client, alice)
    url = f"/teams/{video_squad.id}"

    await post(client, f"{url}/invitations", email=STRANGER, role="viewer")
    flash, later = text_of(await client.get(url)), text_of(await client.get(url))

    said = "It was not emailed, because the address of its sender is not confirmed."
    assert f"{STRANGER} is invited. {said}" in flash
    assert (flash.count(said), later.count(said)) == (2, 1)


async def test_confirmations_to_one_mailbox_are_limited_across_accounts(
    app: Litestar, db: Database, mailing: Settings, office: PostOffice
) -> None:
    for number in range(7):
        async with browser(app) as visitor:
            email = f"victim+{number}@example.com"
            fields = {"username": f"mallory{number}", "email": email, "password": "correct horse"}
            answer = await post(visitor, "/register", **fields)
            assert answer.status_code == 303

    await deliver_mail(db, mailing)

    assert len(office.mails) == 5
    async with db.read() as session:
        assert await session.scalar(select(func.count()).select_from(User)) == 7


async def test_asking_for_the_confirmation_again_is_refused_in_words(
    client: httpx.AsyncClient, db: Database, alice: User
) -> None:
    await lose_confirmation(db, alice)
    await sign_in(client, alice)

    answers = [await post(client, "/account/address/confirmation") for _time in range(6)]

    assert [one.status_code for one in answers] == [303] * 5 + [429]
    assert "emailed several times" in text_of(answers[-1])
    assert len(await deliveries(db)) == 5


async def test_resets_are_limited_without_saying_so(
    client: httpx.AsyncClient, db: Database
) -> None:
    dora = await make_account(db, "dora")

    answers = [await post(client, "/forgot", email=dora.email) for _time in range(7)]

    assert {one.status_code for one in answers} == {303}
    assert len(await deliveries(db)) == 5


async def test_mailings_too_old_to_count_are_deleted(db: Database, alice: User) -> None:
    await invite_by(db, alice)
    await pass_time(db, timedelta(hours=25))
    await invite_by(db, alice)

    await clean_up(db, 30)

    async with db.read() as session:
        mailboxes = (await session.scalars(select(Mailing.mailbox))).all()
        mails = (await session.scalars(select(Delivery.address))).all()
    assert (mailboxes, mails) == ([STRANGER], [STRANGER] * 2)
