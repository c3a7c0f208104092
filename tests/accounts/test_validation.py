"""Names that look like another one and passwords that everybody uses are refused."""

import pytest
from sqlalchemy import select

from app.account_lifecycle.onboarding import register
from app.accounts.common_passwords import common_passwords
from app.accounts.passwords import change_password, reset_password, send_reset
from app.database import Database
from app.errors import Invalid
from app.models import Delivery, User
from app.security import verify_password
from app.settings import Settings
from tests.factories import PASSWORD
from tests.mailing import token_of

DORA = {"username": "dora", "email": "dora@example.com", "password": "battery staple"}


async def refused(db: Database, settings: Settings, **changes: str) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        await register(db, settings, **(DORA | changes))
    return dict(caught.value.fields)


@pytest.mark.parametrize("name", ["aIice", "a1ice", "AL1CE"])
async def test_a_name_that_looks_like_an_existing_one_is_refused(
    db: Database, settings: Settings, alice: User, name: str
) -> None:
    assert await refused(db, settings, username=name) == {
        "username": "This username looks too much like one that is taken."
    }


@pytest.mark.parametrize("name", ["Someone", "ClippyFront", "system", "cIippyFr0nt"])
async def test_a_reserved_name_is_refused(db: Database, settings: Settings, name: str) -> None:
    assert await refused(db, settings, username=name) == {"username": "This username is reserved."}


async def test_existing_users_keep_such_names(
    db: Database, settings: Settings, alice: User
) -> None:
    async with db.write() as session:
        row = User(username="aIice", username_key="aiice", email="i@example.com")
        row.email_key, row.password_hash = row.email, alice.password_hash
        session.add(row)

    async with db.read() as session:
        names = (await session.scalars(select(User.username).order_by(User.id))).all()
    assert names == ["alice", "aIice"]
    assert set(await refused(db, settings, username="a1ice")) == {"username"}


def test_the_list_has_ten_thousand_passwords_that_are_long_enough() -> None:
    assert len(common_passwords()) == 10_000
    assert all(len(one.encode()) >= 8 and one == one.casefold() for one in common_passwords())


@pytest.mark.parametrize(
    "password", ["password1", "PassWord1", "iloveyou", "1q2w3e4r5t", " iloveyou "]
)
async def test_a_common_password_is_refused_wherever_one_is_set(
    db: Database, settings: Settings, alice: User, password: str
) -> None:
    registering = await refused(db, settings, password=password)
    with pytest.raises(Invalid) as changing:
        await change_password(db, alice, current=PASSWORD, new=password)
    async with db.write() as session:
        await send_reset(session, alice.email)
        [mail] = await session.scalars(select(Delivery))
    with pytest.raises(Invalid) as resetting:
        await reset_password(db, token_of(mail), password)

    common = "This password is one of the most common. Choose another one."
    assert registering == {"password": common}
    assert changing.value.fields == {"new_password": common}
    assert resetting.value.fields == {"password": common}
    async with db.read() as session:
        stored = await session.get_one(User, alice.id)
    assert await verify_password(PASSWORD, stored.password_hash)
