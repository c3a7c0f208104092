"""With mail, an address belongs to the account that has confirmed it, and strangers learn of none."""

import dataclasses
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from unittest.mock import Mock

import httpx
import pytest
from litestar import Litestar
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from app import clock
from app.account_lifecycle.archive import export_account
from app.account_lifecycle.onboarding import change_address, confirm_address, register
from app.accounts import passwords
from app.accounts.passwords import check_login, send_reset
from app.database import Database
from app.errors import Invalid
from app.models import Delivery, Invitation, Mailing, Membership, Team, User
from app.security import verify_password
from app.settings import Settings
from app.teams.invitations import invite
from app.teams.membership import add_member
from tests.application import browser, serving
from tests.bell import bell_of
from tests.conftest import post, sign_in, text_of
from tests.factories import PASSWORD
from tests.mailing import deliver_mail, kept, token_of

TAKEN = "alice@example.com"


@pytest.fixture
def mailing(settings: Settings) -> Settings:
    return dataclasses.replace(settings, smtp_host="mail.example.com")


@pytest.fixture
async def with_mail(mailing: Settings) -> AsyncIterator[Litestar]:
    async with serving(mailing) as app:
        yield app


async def mails(db: Database) -> Sequence[Delivery]:
    async with db.read() as session:
        found = select(Delivery).where(Delivery.transactional.is_not(None)).order_by(Delivery.id)
        return (await session.scalars(found)).all()


async def claim(
    db: Database, mailing: Settings, name: str, email: str = TAKEN, password: str = "battery staple"
) -> User:
    registered = await register(db, mailing, username=name, email=email, password=password)
    return registered.user


async def test_registering_answers_the_same_whether_or_not_the_address_is_taken(
    with_mail: Litestar, alice: User
) -> None:
    answers = []
    for name, email in (("mallory", TAKEN), ("martha0", "dora@example.com")):
        async with browser(with_mail) as stranger:
            typed = {"username": name, "email": email, "password": "battery staple"}
            answer = await post(stranger, "/register", **typed)
            account = text_of(await stranger.get("/account"))
            again = await post(stranger, "/account/address/confirmation")
            flash = text_of(await stranger.get("/account"))
        seen = (answer.status_code, answer.headers["location"], account, again.status_code, flash)
        answers.append(str(seen).replace(name, "NAME").replace(email, "ADDRESS"))

    assert answers[0] == answers[1]


async def test_registering_with_a_taken_address_mails_its_owner_once_a_day_and_sends_no_link(
    db: Database, mailing: Settings, settings: Settings, alice: User
) -> None:
    mallory = await claim(db, mailing, "mallory", "Alice@example.com")
    await claim(db, mailing, "mallory2")

    assert not mallory.is_confirmed
    assert [(mail.transactional, mail.address) for mail in await mails(db)] == [
        ("address_in_use", TAKEN)
    ]
    await deliver_mail(db, settings)
    text = str(kept(settings)[0].get_body(("plain",)))
    assert "Hello alice," in text
    assert f"{settings.base_url}/forgot" in text.replace("=\n", "")

    async with db.write() as session:
        await session.execute(update(Mailing).values(mailed_at=clock.now() - timedelta(days=1)))
    await claim(db, mailing, "mallory3")
    assert len(await mails(db)) == 2


async def test_of_two_who_claim_an_address_the_first_to_confirm_has_it(
    db: Database, mailing: Settings
) -> None:
    first, second = [await claim(db, mailing, name, "dora@example.com") for name in ("d01", "d02")]
    links = [token_of(mail) for mail in await mails(db)]

    async with db.act() as session:
        await confirm_address(session, links[1])
    with pytest.raises(Invalid):
        async with db.act() as session:
            await confirm_address(session, links[0])

    async with db.read() as session:
        states = [(await session.get_one(User, user.id)).is_confirmed for user in (first, second)]
    assert states == [False, True]


async def test_the_database_lets_no_two_accounts_confirm_the_same_address(
    db: Database, mailing: Settings, alice: User
) -> None:
    mallory = await claim(db, mailing, "mallory")

    with pytest.raises(IntegrityError):
        async with db.write() as session:
            (await session.get_one(User, mallory.id)).email_confirmed_at = clock.now()


async def test_changing_to_a_taken_address_answers_as_for_any_other(
    db: Database, mailing: Settings, alice: User, bob: User
) -> None:
    changed = await change_address(db, mailing, bob, email=TAKEN, password=PASSWORD)

    assert changed.pending_email == TAKEN
    assert [(mail.transactional, mail.user_id) for mail in await mails(db)] == [
        ("address_in_use", alice.id)
    ]


async def test_a_login_by_address_is_that_of_the_account_that_confirmed_it(
    db: Database, mailing: Settings
) -> None:
    await claim(db, mailing, "mallory", "dora@example.com", "staple battery")
    await claim(db, mailing, "dora", "dora@example.com")
    async with db.act() as session:
        await confirm_address(session, token_of((await mails(db))[-1]))
    await claim(db, mailing, "mallory2", "dora@example.com")

    assert (await check_login(db, "DORA@example.com", "battery staple")).username == "dora"
    with pytest.raises(Invalid):
        await check_login(db, "dora@example.com", "neither of them")


async def test_logging_in_by_an_address_shows_nobody_whether_another_account_has_confirmed_it(
    db: Database, mailing: Settings, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified = Mock(wraps=verify_password)
    monkeypatch.setattr(passwords, "verify_password", verified)
    seen = []
    for name, address in (("mallory", TAKEN), ("martha", "dora@example.com")):
        await claim(db, mailing, name, address)
        verified.reset_mock()
        own = (await check_login(db, address, "battery staple")).username == name
        with pytest.raises(Invalid):
            await check_login(db, address, "neither of them")
        seen.append((own, verified.call_count))

    assert seen == [(True, 4), (True, 4)]


async def test_an_export_shows_nobody_whether_another_account_has_confirmed_their_address(
    db: Database, mailing: Settings, alice: User
) -> None:
    exported = []
    for name, address in (("mallory", TAKEN), ("martha", "dora@example.com")):
        user = await claim(db, mailing, name, address)
        async with db.read() as session:
            archive = await export_account(session, user)
        exported.append(archive["deliveries"])

    assert exported == [[], []]


async def test_where_nobody_has_confirmed_an_address_the_password_tells_whose_login_it_is(
    db: Database, mailing: Settings
) -> None:
    for name, password in (("dora", "battery staple"), ("doreen", "staple battery")):
        await claim(db, mailing, name, "dora@example.com", password)

    assert (await check_login(db, "dora@example.com", "battery staple")).username == "dora"
    assert (await check_login(db, "dora@example.com", "staple battery")).username == "doreen"
    with pytest.raises(Invalid):
        await check_login(db, "dora@example.com", "neither of them")


async def test_a_reset_goes_to_the_account_that_confirmed_the_address_alone(
    db: Database, mailing: Settings, alice: User
) -> None:
    await claim(db, mailing, "mallory")
    await claim(db, mailing, "dora", "dora@example.com")
    async with db.write() as session:
        for address in (TAKEN, "dora@example.com"):
            await send_reset(session, address)

    resets = [mail.user_id for mail in await mails(db) if mail.transactional == "reset_password"]
    assert resets == [alice.id]


async def test_invitations_by_address_mean_the_account_that_confirmed_it(
    db: Database, mailing: Settings, alice: User, bob: User
) -> None:
    mallory = await claim(db, mailing, "mallory")
    team = Team(name="Video Squad")
    async with db.act() as session:
        session.add(team)
        await session.flush()
        session.add(Membership(team_id=team.id, user_id=bob.id, role="owner"))
        session.add(Membership(team_id=team.id, user_id=mallory.id, role="viewer"))
    async with db.act() as session:
        await invite(session, bob, team.id, TAKEN, "editor")

    assert await bell_of(db, alice) == ["bob invited you to join team 'Video Squad' as editor"]


async def test_joining_with_an_unconfirmed_address_closes_nobody_elses_invitation(
    db: Database, mailing: Settings, alice: User, bob: User, video_squad: Team
) -> None:
    mallory = await claim(db, mailing, "mallory", "bob@example.com")
    async with db.act() as session:
        await invite(session, alice, video_squad.id, "bob@example.com", "editor")

    async with db.act() as session:
        await add_member(session, alice, video_squad.id, mallory.username, "viewer")

    async with db.read() as session:
        statuses = (await session.scalars(select(Invitation.status))).all()
    assert statuses == ["pending"]


async def test_without_mail_a_taken_address_is_refused_openly(
    db: Database, settings: Settings, client: httpx.AsyncClient, alice: User, bob: User
) -> None:
    typed = {"username": "mallory", "email": TAKEN, "password": "battery staple"}
    registered = await post(client, "/register", **typed)
    await sign_in(client, bob)
    changed = await post(client, "/account/address", email=TAKEN, password=PASSWORD)

    for answer in (registered, changed):
        assert answer.status_code == 422
        assert "An account with this address already exists." in text_of(answer)


@pytest.mark.parametrize("address", ["dora@example.com", TAKEN])
async def test_asking_for_too_many_mails_tells_nothing_about_the_address_either(
    with_mail: Litestar, alice: User, bob: User, address: str
) -> None:
    change = {"email": address, "password": PASSWORD}
    async with browser(with_mail) as client:
        await sign_in(client, bob)
        answers = [await post(client, "/account/address", **change) for _time in range(6)]

    assert [one.status_code for one in answers] == [303] * 5 + [429]
    assert "emailed several times" in text_of(answers[-1])
