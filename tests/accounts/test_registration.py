"""Who may register as what, and who is greeted when."""

import dataclasses
from collections.abc import Iterator

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import registration
from app.accounts.registration import register
from app.database import Database
from app.errors import Invalid
from app.models import Delivery, User
from app.security import verify_password
from app.settings import Settings

RIGHT = {"username": "dora", "email": "dora@example.com", "password": "correct horse"}


@pytest.fixture
def greeted() -> Iterator[list[str]]:
    names: list[str] = []

    async def greet(_session: AsyncSession, account: User) -> None:
        names.append(account.username)

    before = registration.newcomers[:]
    registration.newcomers[:] = [greet]
    yield names
    registration.newcomers[:] = before


@pytest.fixture
def mailing(settings: Settings) -> Settings:
    return dataclasses.replace(settings, smtp_host="mail.example.com")


async def test_a_newcomer_has_an_account_a_zone_and_a_language(
    db: Database, settings: Settings
) -> None:
    dora = await register(
        db, settings, **RIGHT, timezone="Europe/Berlin", accept_language="xx, en-GB;q=0.8"
    )

    async with db.read() as session:
        stored = await session.get_one(User, dora.id)
    assert (stored.username, stored.timezone, stored.language) == ("dora", "Europe/Berlin", "en")
    assert await verify_password("correct horse", stored.password_hash)


async def test_a_zone_that_does_not_exist_is_left_open(db: Database, settings: Settings) -> None:
    dora = await register(db, settings, **RIGHT, timezone="../../etc/passwd")

    assert dora.timezone == ""


async def test_every_wrong_field_is_named_at_once(db: Database, settings: Settings) -> None:
    with pytest.raises(Invalid) as caught:
        await register(db, settings, username="d", email="dora@", password="short")

    assert set(caught.value.fields) == {"username", "email", "password"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("username", "do"),
        ("username", "d" * 33),
        ("username", "dora smith"),
        ("username", "dörà"),
        ("username", "dora@example.com"),
        ("username", "dora\n"),
        ("username", "<b>dora</b>"),
        ("email", ""),
        ("email", "dora"),
        ("email", "dora@example"[:5]),
        ("email", "dora@example..com"),
        ("email", "dora@-example.com"),
        ("email", "dora@example.com\r\nBcc: eve@example.com"),
        ("email", "dora@exa mple.com"),
        ("email", "d" * 65 + "@example.com"),
        ("email", "dora@" + "example." * 40 + "com"),
        ("password", "1234567"),
        ("password", "x" * 1025),
        ("password", "é" * 513),
    ],
)
async def test_what_cannot_be_is_refused(
    db: Database, settings: Settings, field: str, value: str
) -> None:
    with pytest.raises(Invalid) as caught:
        await register(db, settings, **(RIGHT | {field: value}))

    assert set(caught.value.fields) == {field}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("username", "D_o.r-A"),
        ("username", "D" * 32),
        ("email", "dora.o'neil+clips@mail.example.co.uk"),
        ("email", "dora@localhost"),
        ("password", "x" * 1024),
        ("password", "éééé"),
    ],
)
async def test_what_is_unusual_but_right_is_taken(
    db: Database, settings: Settings, field: str, value: str
) -> None:
    dora = await register(db, settings, **(RIGHT | {field: value}))

    assert dora.id


async def test_name_and_address_are_taken_regardless_of_case(
    db: Database, settings: Settings, alice: User
) -> None:
    with pytest.raises(Invalid) as caught:
        await register(
            db, settings, username="ALICE", email="Alice@Example.com", password="correct horse"
        )

    assert set(caught.value.fields) == {"username", "email"}


async def test_without_mail_an_address_counts_as_confirmed(
    db: Database, settings: Settings, greeted: list[str]
) -> None:
    dora = await register(db, settings, **RIGHT)

    assert dora.is_confirmed
    assert greeted == ["dora"]


async def test_with_mail_the_address_is_asked_first(
    db: Database, mailing: Settings, greeted: list[str]
) -> None:
    dora = await register(db, mailing, **RIGHT)

    async with db.read() as session:
        letter = (await session.scalars(select(Delivery))).one()
    assert not dora.is_confirmed
    assert (letter.transactional, letter.address) == ("confirm_address", "dora@example.com")
    assert greeted == []
