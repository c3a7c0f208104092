"""Addresses: confirmed by a mailed link, and changed."""

import dataclasses

import pytest
from sqlalchemy import select

from app.account_lifecycle.onboarding import change_address, confirm_address, register
from app.database import Database
from app.errors import Invalid, NotFound
from app.models import Delivery, User
from app.settings import Settings
from tests.factories import PASSWORD
from tests.mailing import token_of


@pytest.fixture
def mailing(settings: Settings) -> Settings:
    return dataclasses.replace(settings, smtp_host="mail.example.com")


async def transactional_mails(db: Database) -> list[Delivery]:
    async with db.read() as session:
        mails = select(Delivery).where(Delivery.transactional.is_not(None))
        return list(await session.scalars(mails.order_by(Delivery.id)))


async def token_of_newest(db: Database) -> str:
    return token_of((await transactional_mails(db))[-1])


async def confirm(db: Database, token: str) -> User:
    async with db.act() as session:
        return await confirm_address(session, token)


async def move(db: Database, settings: Settings, user: User, email: str) -> User:
    return await change_address(db, settings, user, email=email, password=PASSWORD)


async def test_the_mailed_link_confirms_an_address_once(db: Database, mailing: Settings) -> None:
    await register(db, mailing, username="dora", email="dora@example.com", password=PASSWORD)
    token = await token_of_newest(db)

    assert (await confirm(db, token)).is_confirmed
    with pytest.raises(NotFound):
        await confirm(db, token)


async def test_an_address_changes_once_the_new_one_is_confirmed(
    db: Database, mailing: Settings, alice: User
) -> None:
    changed = await move(db, mailing, alice, "Alice@Elsewhere.example")
    assert (changed.email, changed.pending_email) == (alice.email, "Alice@Elsewhere.example")

    confirmed = await confirm(db, await token_of_newest(db))

    assert (confirmed.email, confirmed.pending_email) == ("Alice@Elsewhere.example", None)
    newest = (await transactional_mails(db))[-1]
    assert (newest.transactional, newest.address) == ("address_changed", "alice@example.com")


async def test_without_mail_an_address_changes_at_once(
    db: Database, settings: Settings, alice: User
) -> None:
    changed = await move(db, settings, alice, "new@example.com")

    assert (changed.email, changed.email_key) == ("new@example.com", "new@example.com")
    assert [mail.transactional for mail in await transactional_mails(db)] == ["address_changed"]


async def test_asking_for_another_address_invalidates_the_first_link(
    db: Database, mailing: Settings, alice: User
) -> None:
    await move(db, mailing, alice, "first@example.com")
    first = await token_of_newest(db)
    await move(db, mailing, alice, "second@example.com")

    with pytest.raises(NotFound):
        await confirm(db, first)


@pytest.mark.parametrize("email", ["bob@example.com", "BOB@example.com"])
async def test_the_address_of_another_account_is_refused(
    db: Database, settings: Settings, alice: User, bob: User, email: str
) -> None:
    with pytest.raises(Invalid) as caught:
        await move(db, settings, alice, email)

    assert set(caught.value.fields) == {"email"}


async def test_an_address_taken_meanwhile_is_not_confirmed(
    db: Database, mailing: Settings, settings: Settings, alice: User, bob: User
) -> None:
    await move(db, mailing, alice, "wanted@example.com")
    token = await token_of_newest(db)
    await move(db, settings, bob, "wanted@example.com")

    with pytest.raises(Invalid):
        await confirm(db, token)


async def test_only_the_case_of_an_address_may_change(
    db: Database, settings: Settings, alice: User
) -> None:
    assert (await move(db, settings, alice, "Alice@example.com")).email == "Alice@example.com"


async def test_changing_an_address_requires_the_password(
    db: Database, settings: Settings, alice: User
) -> None:
    with pytest.raises(Invalid) as caught:
        await change_address(db, settings, alice, email="new@example.com", password="wrong")

    assert set(caught.value.fields) == {"password"}
