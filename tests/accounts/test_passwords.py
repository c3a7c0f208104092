"""Passwords: checked, changed, and reset by a mailed link."""

from datetime import timedelta
from unittest.mock import Mock

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import passwords
from app.accounts.passwords import (
    DECOY,
    change_password,
    check_login,
    read_reset,
    reset_password,
    send_reset,
)
from app.accounts.sessions import find_session, start_session
from app.accounts.tokens import create_token
from app.database import Database
from app.errors import Conflict, Invalid, NotFound
from app.models import Delivery, User
from app.security import hash_password, needs_rehash, verify_password
from tests.factories import PASSWORD, SIGNER
from tests.mailing import token_of


@pytest.fixture(autouse=True)
def cheap_passwords() -> None:
    """Not in this module, where some tests are about the cost of hashes."""


async def reset_token(db: Database, user: User) -> str:
    async with db.write() as session:
        await send_reset(session, user.email)
    async with db.read() as session:
        newest = select(Delivery).order_by(Delivery.id.desc()).limit(1)
        mail = (await session.scalars(newest)).one()
    return token_of(mail)


@pytest.mark.parametrize("login", ["alice", "ALICE", "alice@example.com", "Alice@Example.COM"])
async def test_username_and_address_both_log_in(db: Database, alice: User, login: str) -> None:
    assert (await check_login(db, login, PASSWORD)).id == alice.id


@pytest.mark.parametrize("login", ["alice", "nobody", "", "nobody@example.com", "é" * 5000])
async def test_a_failed_login_does_not_reveal_why(db: Database, alice: User, login: str) -> None:
    with pytest.raises(Invalid) as caught:
        await check_login(db, login, "wrong password")

    assert caught.value.fields == {"login": "The username, email address or password is incorrect."}


@pytest.mark.parametrize("login", ["alice", "nobody", "nobody@example.com"])
@pytest.mark.parametrize(("typed", "times"), [("wrong password", 1), (" wrong password ", 2)])
async def test_a_failed_login_hashes_as_much_for_names_that_nobody_has(
    db: Database,
    alice: User,
    monkeypatch: pytest.MonkeyPatch,
    login: str,
    typed: str,
    times: int,
) -> None:
    verified = Mock(wraps=verify_password)
    monkeypatch.setattr(passwords, "verify_password", verified)

    with pytest.raises(Invalid):
        await check_login(db, login, typed)

    assert verified.call_count == times


def test_the_decoy_costs_as_much_as_a_real_hash() -> None:
    assert not needs_rehash(DECOY)


@pytest.mark.parametrize("typed", [PASSWORD, f" {PASSWORD}"])
async def test_a_login_replaces_a_hash_that_is_too_cheap(
    db: Database, alice: User, typed: str
) -> None:
    await check_login(db, "alice", typed)

    async with db.read() as session:
        stored = await session.get_one(User, alice.id)
    assert stored.password_hash != alice.password_hash
    assert not needs_rehash(stored.password_hash)
    assert await verify_password(PASSWORD, stored.password_hash)


async def test_a_new_password_ends_every_session(db: Database, alice: User) -> None:
    async with db.write() as session:
        token = await start_session(session, alice, "")

    await change_password(db, alice, current=PASSWORD, new="battery staple")

    assert await find_session(db, token) is None
    assert await check_login(db, "alice", "battery staple")


async def test_a_password_that_was_replaced_meanwhile_opens_nothing(
    db: Database, alice: User
) -> None:
    intruder = await check_login(db, "alice", PASSWORD)
    await reset_password(db, await reset_token(db, alice), "battery staple")

    async with db.write() as session:
        with pytest.raises(Conflict):
            await start_session(session, intruder, "")
        with pytest.raises(Conflict):
            await create_token(session, intruder, name="script", scope="write")


async def test_requests_that_checked_the_old_password_do_nothing_after_a_change(
    db: Database, alice: User
) -> None:
    changed = await change_password(db, alice, current=PASSWORD, new="battery staple")

    async with db.act() as session:
        with pytest.raises(Conflict):
            await create_token(session, alice, name="script", scope="write")
        await create_token(session, changed, name="script", scope="write")


async def test_a_login_does_not_bring_back_a_password_that_was_replaced_meanwhile(
    db: Database, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = await reset_token(db, alice)

    async def hash_slowly(password: str) -> str:
        monkeypatch.undo()
        await reset_password(db, token, "battery staple")
        return await hash_password(password)

    monkeypatch.setattr(passwords, "hash_password", hash_slowly)
    with pytest.raises(Conflict):
        await check_login(db, "alice", PASSWORD)

    assert await check_login(db, "alice", "battery staple")


@pytest.mark.parametrize(
    ("current", "new", "field"),
    [("wrong", "battery staple", "current_password"), (PASSWORD, "short", "new_password")],
)
async def test_an_invalid_change_of_password_names_the_field(
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


async def test_a_new_password_invalidates_all_reset_links(db: Database, alice: User) -> None:
    first, second = await reset_token(db, alice), await reset_token(db, alice)

    await reset_password(db, second, "battery staple")

    with pytest.raises(NotFound):
        await reset_password(db, first, "another staple")


async def test_a_reset_link_expires_after_an_hour(
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


async def test_a_token_for_another_purpose_resets_nothing(
    alice: User, session: AsyncSession
) -> None:
    with pytest.raises(NotFound):
        await read_reset(session, SIGNER.sign("confirm_address", [alice.id, alice.email]))


async def test_an_unknown_address_gets_no_mail(session: AsyncSession) -> None:
    await send_reset(session, "nobody@example.com")

    assert (await session.scalars(select(Delivery))).all() == []


async def test_the_delivery_of_a_reset_mail_holds_no_secret(db: Database, alice: User) -> None:
    await reset_token(db, alice)

    async with db.read() as session:
        mail = (await session.scalars(select(Delivery))).one()
    assert "token" not in (mail.context or {})
    assert alice.password_hash not in str(mail.context)
