"""A process remembers whom a session or token belongs to, as long as it can prove that nothing ended."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.account_lifecycle.closing import delete_managed_account
from app.account_lifecycle.suspension import suspend
from app.accounts import credential_cache
from app.accounts.addresses import request_address_change, resume_mail, set_confirmed_address
from app.accounts.credential_cache import CredentialCache
from app.accounts.passwords import change_password
from app.accounts.profile import save_profile
from app.accounts.sessions import end_all_sessions, end_session, find_session, start_session
from app.accounts.tokens import create_token, find_token, revoke_all_tokens, revoke_token
from app.broker.relay import SESSIONS, ProcessRelay
from app.cli.commands import _set_admin
from app.database import Database
from app.models import User, WebSession
from app.notifications.live.stream import SESSION, TOKEN, Key
from app.notifications.preferences import switches
from app.settings import Settings
from tests.factories import PASSWORD, make_account

KEY: Key = (SESSION, "a hash")
# What no page shows of its own user, and what never changes.
UNCOUNTED = {"id", "created_at", "last_seen_at", "visible_until", "compiled_at", "digest_due_at"}


@dataclass
class Elsewhere:
    """The cache of a process that hears no pokes, and learns of others' commits from the counter
    alone, as on PostgreSQL. Its time is `now`.
    """

    db: Database
    cache: CredentialCache
    now: float = 1000.0

    async def user_of(self, key: str) -> User | None:
        """Of the session or the access token."""
        if key.startswith("clippy_"):
            by_token = await self.cache.find((TOKEN, key), lambda: find_token(self.db, key))
            return by_token and by_token[0]
        by_session = await self.cache.find((SESSION, key), lambda: find_session(self.db, key))
        return by_session and by_session[0]


@pytest.fixture
async def elsewhere(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Elsewhere]:
    db = Database(settings.database_url)
    monkeypatch.setattr(db, "version", lambda: (0,))
    there = Elsewhere(db, CredentialCache(db, ProcessRelay()))
    monkeypatch.setattr(credential_cache, "monotonic", lambda: there.now)
    yield there
    await db.close()


@pytest.fixture
async def token(db: Database, alice: User) -> str:
    """Of a session of alice."""
    async with db.write() as session:
        return await start_session(session, alice, "a browser")


async def test_a_session_is_looked_up_once(elsewhere: Elsewhere, alice: User, token: str) -> None:
    first, second = await elsewhere.user_of(token), await elsewhere.user_of(token)

    assert first
    assert first.username == "alice"
    assert second is first


async def test_cached_users_equal_those_a_session_loads(
    elsewhere: Elsewhere, db: Database, alice: User, token: str
) -> None:
    found = await elsewhere.user_of(token)

    async with db.read() as session:
        loaded = await session.get_one(User, alice.id)
    columns = User.__table__.columns.keys()
    assert [getattr(found, name) for name in columns] == [getattr(loaded, name) for name in columns]


async def test_a_key_that_nobody_has_is_not_remembered(elsewhere: Elsewhere) -> None:
    answers = [None, "found"]

    async def look_up() -> Any:
        return answers.pop(0)

    assert await elsewhere.cache.find(KEY, look_up) is None
    assert await elsewhere.cache.find(KEY, look_up) == "found"


Verb = Callable[[Database, User], Awaitable[object]]


def acting(verb: Callable[[AsyncSession, User], Awaitable[object]]) -> Verb:
    async def act(db: Database, alice: User) -> None:
        async with db.act() as session:
            await verb(session, await session.get_one(User, alice.id))

    return act


async def _save_profile(session: AsyncSession, alice: User) -> None:
    await save_profile(
        session, alice, timezone="Europe/Berlin", language=alice.language, theme="dark"
    )


async def _change_picture(_session: AsyncSession, alice: User) -> None:
    alice.avatar = "5eed"


async def _suspend(session: AsyncSession, alice: User) -> None:
    root = User(username="root", username_key="root", email="r@x.org", email_key="r@x.org")
    root.password_hash = "-"
    session.add(root)
    await session.flush()
    await suspend(session, root, alice.id)


async def _change_password(db: Database, alice: User) -> None:
    await change_password(db, alice, current=PASSWORD, new="battery staple")


VERBS: dict[str, Verb] = {
    "logs out everywhere": acting(end_all_sessions),
    "is suspended": acting(_suspend),
    "changes the password": _change_password,
    "saves the profile": acting(_save_profile),
    "gets another picture": acting(_change_picture),
    "changes preferences": acting(
        lambda session, alice: switches.change(session, alice, {"added_directly_by": "nobody"})
    ),
    "wants pushes always": acting(
        lambda session, alice: switches.set_pushes_always(session, alice, wanted=True)
    ),
    "wants a digest": acting(
        lambda session, alice: switches.change(session, alice, {"digest": {"enabled": True}})
    ),
    "asks for another address": acting(
        lambda session, alice: request_address_change(session, alice, "alice@example.org")
    ),
    "confirms another address": acting(
        lambda session, alice: set_confirmed_address(session, alice, "alice@example.org")
    ),
}


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
async def test_another_process_sees_what_has_changed_without_a_poke(
    elsewhere: Elsewhere, db: Database, alice: User, token: str, verb: Verb
) -> None:
    before = await elsewhere.user_of(token)

    await verb(db, alice)
    elsewhere.now += 1

    after = await elsewhere.user_of(token)
    assert before is not None
    assert after is not before


async def test_another_process_sees_that_mail_can_be_delivered_again(
    elsewhere: Elsewhere, db: Database, alice: User
) -> None:
    async with db.write() as session:
        token = await start_session(session, alice, "a browser")
        (await session.get_one(User, alice.id)).email_gone_at = clock.now()
    await elsewhere.user_of(token)

    async with db.act() as session:
        await resume_mail(session, await session.get_one(User, alice.id))
    elsewhere.now += 1

    found = await elsewhere.user_of(token)
    assert found
    assert found.email_gone_at is None


async def test_another_process_sees_a_new_administrator(
    elsewhere: Elsewhere, settings: Settings, alice: User, token: str
) -> None:
    await elsewhere.user_of(token)

    await _set_admin(settings, "alice", is_admin=True)
    elsewhere.now += 1

    found = await elsewhere.user_of(token)
    assert found
    assert found.is_admin


async def test_another_process_sees_that_the_account_is_gone(
    elsewhere: Elsewhere, db: Database, settings: Settings, alice: User, token: str
) -> None:
    root = await make_account(db, "root")
    await elsewhere.user_of(token)

    await delete_managed_account(db, settings, root, alice.id)
    elsewhere.now += 1

    assert await elsewhere.user_of(token) is None


async def test_another_process_sees_that_one_session_has_ended(
    elsewhere: Elsewhere, db: Database, alice: User, token: str
) -> None:
    found = await find_session(db, token)
    await elsewhere.user_of(token)

    assert found
    async with db.write() as session:
        await end_session(session, alice, found[1])
    elsewhere.now += 1

    assert await elsewhere.user_of(token) is None


@pytest.mark.parametrize("revokes_all", [False, True])
async def test_another_process_sees_that_a_token_was_revoked(
    elsewhere: Elsewhere, db: Database, alice: User, revokes_all: bool
) -> None:
    async with db.act() as session:
        token, key = await create_token(session, alice, name="script", scope="read")
    assert await elsewhere.user_of(key)

    async with db.write() as session:
        if revokes_all:
            await revoke_all_tokens(session, alice)
        else:
            await revoke_token(session, alice, token.id)
    elsewhere.now += 1

    assert await elsewhere.user_of(key) is None


async def test_another_process_sees_that_a_row_was_deleted_by_hand(
    elsewhere: Elsewhere, db: Database, token: str
) -> None:
    await elsewhere.user_of(token)

    async with db.write() as session:
        await session.execute(delete(WebSession))
    elsewhere.now += 1

    assert await elsewhere.user_of(token) is None


@pytest.mark.parametrize("column", sorted({*User.__table__.columns.keys()} - UNCOUNTED))
async def test_a_change_of_any_column_that_is_shown_is_seen(
    elsewhere: Elsewhere, db: Database, alice: User, token: str, column: str
) -> None:
    before = await elsewhere.user_of(token)

    async with db.write() as session:
        await session.execute(update(User).values({column: getattr(alice, column)}))
    elsewhere.now += 1

    assert await elsewhere.user_of(token) is not before


async def test_frequent_notes_about_users_invalidate_nothing(
    elsewhere: Elsewhere, db: Database, token: str, bob: User
) -> None:
    before = await elsewhere.user_of(token)

    async with db.write() as session:
        noted = {"last_seen_at": clock.now(), "visible_until": clock.now()}
        await session.execute(update(User).values(noted))
    elsewhere.now += 1

    assert await elsewhere.user_of(token) is before


async def test_ended_credentials_are_used_for_at_most_a_second(
    elsewhere: Elsewhere, db: Database, alice: User, token: str
) -> None:
    found = await elsewhere.user_of(token)

    async with db.write() as session:
        await end_all_sessions(session, alice)

    elsewhere.now += 0.99
    assert await elsewhere.user_of(token) is found
    elsewhere.now += 0.01
    assert await elsewhere.user_of(token) is None


async def test_requests_do_not_put_off_the_next_proof(
    elsewhere: Elsewhere, db: Database, alice: User, token: str
) -> None:
    await elsewhere.user_of(token)
    async with db.write() as session:
        await end_all_sessions(session, alice)

    for _ in range(4):
        elsewhere.now += 0.24
        assert await elsewhere.user_of(token)
    elsewhere.now += 0.24

    assert await elsewhere.user_of(token) is None


async def test_without_a_proof_nothing_is_used(
    elsewhere: Elsewhere, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await elsewhere.user_of(token)

    async def unavailable(_db: Database) -> int:
        raise OperationalError("SELECT", {}, Exception("away"))

    monkeypatch.setattr(credential_cache, "count_all_changes", unavailable)
    elsewhere.now += 1

    with pytest.raises(OperationalError):
        await elsewhere.user_of(token)


async def test_a_poke_asks_for_a_proof_at_once(
    elsewhere: Elsewhere, db: Database, alice: User
) -> None:
    relay = ProcessRelay()
    elsewhere.cache = CredentialCache(elsewhere.db, relay)
    await relay.connect()
    async with elsewhere.cache.running():
        async with db.write() as session:
            token = await start_session(session, alice, "a browser")
        await elsewhere.user_of(token)
        async with db.write() as session:
            await end_all_sessions(session, alice)

        relay.poke(SESSIONS)
        await relay.disconnect()

        assert await elsewhere.user_of(token) is None


async def test_a_process_sees_at_once_what_it_has_changed_itself(
    elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch, alice: User
) -> None:
    here = elsewhere.db
    monkeypatch.setattr(here, "version", lambda: (here._commits,))
    async with here.write() as session:
        token = await start_session(session, alice, "a browser")
    await elsewhere.user_of(token)

    async with here.write() as session:
        (await session.get_one(User, alice.id)).theme = "dark"

    found = await elsewhere.user_of(token)
    assert found
    assert found.theme == "dark"


@pytest.mark.sqlite
async def test_on_sqlite_a_process_sees_at_once_what_any_process_has_changed(
    settings: Settings, db: Database, alice: User, token: str
) -> None:
    other = Database(settings.database_url)
    there = Elsewhere(other, CredentialCache(other, ProcessRelay()))
    assert await there.user_of(token)

    async with db.write() as session:
        await end_all_sessions(session, alice)

    assert await there.user_of(token) is None
    await other.close()


async def test_a_session_that_ends_while_it_is_looked_up_is_not_remembered(
    elsewhere: Elsewhere, db: Database, alice: User, token: str
) -> None:
    """Another request proves meanwhile that something ended; what the first one has read is older."""
    has_read, may_go_on = asyncio.Event(), asyncio.Event()

    async def slowly() -> Any:
        found = await find_session(elsewhere.db, token)
        has_read.set()
        await may_go_on.wait()
        return found

    first = asyncio.create_task(elsewhere.cache.find(KEY, slowly))
    await has_read.wait()
    async with db.write() as session:
        await end_all_sessions(session, alice)
    elsewhere.now += 1
    await elsewhere.user_of("another")
    may_go_on.set()
    await first

    assert await elsewhere.cache.find(KEY, lambda: find_session(elsewhere.db, token)) is None


@pytest.mark.parametrize("minutes", [2, -2])
async def test_each_is_looked_up_again_every_minute(
    elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch, minutes: int
) -> None:
    """So its use is noted, and it expires; also where the clock is set back."""
    answers = iter(range(2))

    async def look_up() -> int | None:
        return next(answers)

    await elsewhere.cache.find(KEY, look_up)
    later = clock.now() + timedelta(minutes=minutes)

    def now() -> datetime:
        return later

    monkeypatch.setattr(clock, "now", now)

    assert await elsewhere.cache.find(KEY, look_up) == 1


async def test_the_number_of_cached_credentials_is_limited(
    elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credential_cache, "MOST_KEPT", 2)

    async def look_up() -> str | None:
        return "found"

    for number in range(5):
        await elsewhere.cache.find((SESSION, str(number)), look_up)

    assert [key for _kind, key in elsewhere.cache._kept] == ["3", "4"]
