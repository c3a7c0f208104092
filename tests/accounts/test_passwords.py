"""Passwords: checked, changed, and set anew by a mailed link."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.passwords import (
    DECOY,
    change_password,
    check_login,
    read_reset,
    reset_password,
    send_reset,
)
from app.accounts.sessions import find_session, start_session
from app.database import Database
from app.errors import Invalid, NotFound
from app.models import Delivery, User
from app.security import needs_rehash
from tests.factories import PASSWORD, SIGNER
from tests.mailing import token_of


@pytest.fixture(autouse=True)
def cheap_passwords() -> None:
    """Not here: what passwords cost is what some of these tests are about."""


async def reset_token(db: Database, account: User) -> str:
    async with db.write() as session:
        await send_reset(session, account.email)
    async with db.read() as session:
        newest = select(Delivery).order_by(Delivery.id.desc()).limit(1)
        letter = (await session.scalars(newest)).one()
    return token_of(letter)


@pytest.mark.parametrize("login", ["alice", "ALICE", "alice@example.com", "Alice@Example.COM"])
async def test_name_and_address_both_open_the_account(
    db: Database, alice: User, login: str
) -> None:
    assert (await check_login(db, login, PASSWORD)).id == alice.id


@pytest.mark.parametrize("login", ["alice", "nobody", "", "nobody@example.com", "é" * 5000])
async def test_a_failed_login_never_tells_why(db: Database, alice: User, login: str) -> None:
    with pytest.raises(Invalid) as caught:
        await check_login(db, login, "wrong password")

    assert caught.value.fields == {"login": "The name, the address or the password is not right."}


def test_an_unknown_name_costs_as_much_as_a_wrong_password() -> None:
    assert not needs_rehash(DECOY)


async def test_a_login_renews_a_hash_that_is_too_cheap(db: Database, alice: User) -> None:
    await check_login(db, "alice", PASSWORD)

    async with db.read() as session:
        stored = await session.get_one(User, alice.id)
    assert stored.password_hash != alice.password_hash
    assert not needs_rehash(stored.password_hash)


async def test_a_new_password_ends_every_session(db: Database, alice: User) -> None:
    async with db.write() as session:
        token = await start_session(session, alice, "")

    await change_password(db, alice, current=PASSWORD, new="battery staple")

    assert await find_session(db, token) is None
    assert await check_login(db, "alice", "battery staple")


@pytest.mark.parametrize(
    ("current", "new", "field"),
    [("wrong", "battery staple", "current_password"), (PASSWORD, "short", "new_password")],
)
async def test_a_password_is_not_changed_by_mistake(
    db: Database, alice: User, current: str, new: str, field: str
) -> None:
    with pytest.raises(Invalid) as caught:
        await change_password(db, alice, current=current, new=new)

    assert set(caught.value.fields) == {field}


async def test_a_mailed_link_sets_a_password_once(db: Database, alice: User) -> None:
    token = await reset_token(db, alice)

    await reset_password(db, token, "battery staple")

    assert await check_login(db, "alice", "battery staple")
    with pytest.raises(NotFound):
        await reset_password(db, token, "another staple")


async def test_a_new_password_makes_all_links_useless(db: Database, alice: User) -> None:
    first, second = await reset_token(db, alice), await reset_token(db, alice)

    await reset_password(db, second, "battery staple")

    with pytest.raises(NotFound):
        await reset_password(db, first, "another staple")


async def test_a_link_works_for_an_hour(
    db: Database, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = await reset_token(db, alice)
    from itsdangerous import TimestampSigner

    now = TimestampSigner("").get_timestamp()
    later = now + int(timedelta(minutes=61).total_seconds())
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _signer: later)

    async with db.read() as session:
        with pytest.raises(NotFound):
            await read_reset(session, token)


async def test_a_token_for_something_else_is_no_reset(alice: User, session: AsyncSession) -> None:
    with pytest.raises(NotFound):
        await read_reset(session, SIGNER.sign("confirm_address", [alice.id, alice.email]))


async def test_nobody_is_mailed_about_an_unknown_address(session: AsyncSession) -> None:
    await send_reset(session, "nobody@example.com")

    assert (await session.scalars(select(Delivery))).all() == []


async def test_the_row_of_a_letter_opens_no_door(db: Database, alice: User) -> None:
    await reset_token(db, alice)

    async with db.read() as session:
        letter = (await session.scalars(select(Delivery))).one()
    assert "token" not in (letter.context or {})
    assert alice.password_hash not in str(letter.context)
