"""On PostgreSQL, two transactions about one user wait for each other only in one order."""

import asyncio
import logging
from datetime import timedelta

import pytest
from sqlalchemy import delete, text, update

from app import clock
from app.accounts.sessions import end_all_sessions, find_session, start_session
from app.accounts.tokens import find_token, revoke_all_tokens
from app.database import Database
from app.models import Token, User, WebSession
from app.security import hash_token
from tests.factories import make_account

WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE wait_event_type = 'Lock' AND datname = current_database()
"""
LONG_AGO = timedelta(hours=1)


@pytest.fixture
async def alice(shared: Database) -> User:
    return await make_account(shared, "alice")


@pytest.mark.parametrize("is_program", [False, True], ids=["session", "token"])
async def test_a_request_and_a_new_password_at_once_both_succeed(
    shared: Database, alice: User, is_program: bool, caplog: pytest.LogCaptureFixture
) -> None:
    key = await last_used_long_ago(shared, alice, is_program=is_program)

    async with shared.act() as session:
        await session.execute(update(User).values(password_hash="a new one"))
        request = asyncio.create_task(use(shared, key, is_program=is_program))
        await until_waiting(shared, request)
        await end_all_sessions(session, alice)
        await revoke_all_tokens(session, alice)
    await request

    await assert_was_seen(shared, alice, caplog)


@pytest.mark.parametrize("is_program", [False, True], ids=["session", "token"])
async def test_an_account_is_deleted_while_a_request_of_it_arrives(
    shared: Database, alice: User, is_program: bool, caplog: pytest.LogCaptureFixture
) -> None:
    key = await last_used_long_ago(shared, alice, is_program=is_program)

    async with shared.act() as session:
        await end_all_sessions(session, alice)
        await revoke_all_tokens(session, alice)
        request = asyncio.create_task(use(shared, key, is_program=is_program))
        await until_waiting(shared, request)
        await session.execute(delete(User))
    await request
    await shared.close()

    assert not [one for one in caplog.records if one.levelno >= logging.WARNING]


async def last_used_long_ago(db: Database, user: User, *, is_program: bool) -> str:
    """The token of a session or, for a program, the key of an access token."""
    async with db.act() as session:
        if is_program:
            key = "a key"
            session.add(
                Token(user_id=user.id, name="script", scope="read", token_hash=hash_token(key))
            )
            return key
        key = await start_session(session, user, "Mozilla/5.0")
        await session.execute(update(WebSession).values(last_seen_at=clock.now() - LONG_AGO))
        await session.execute(update(User).values(last_seen_at=None))
        return key


async def use(db: Database, key: str, *, is_program: bool) -> None:
    await (find_token(db, key) if is_program else find_session(db, key))


async def until_waiting(db: Database, request: "asyncio.Task[None]") -> None:
    """Until its note waits for a lock; a request itself waits for no note."""
    async with asyncio.timeout(10):
        while True:
            async with db.read() as session:
                if await session.scalar(text(WAITING)):
                    return
            await asyncio.sleep(0.01)


async def assert_was_seen(db: Database, user: User, caplog: pytest.LogCaptureFixture) -> None:
    await db.close()
    assert not [one for one in caplog.records if one.levelno >= logging.WARNING]
    async with db.read() as session:
        stored = await session.get_one(User, user.id)
    assert stored.last_seen_at
